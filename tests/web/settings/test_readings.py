"""The page of the readings: thresholds tried on the last posts, the cost of the second look, the team's own model."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.test import Client

from rapport.actions.corrections import correct
from rapport.actions.readings import save_reading_settings
from rapport.actions.team_model import ask_team_model, claim_team_model, fail_team_model, finish_team_model
from rapport.core.thresholds import SHIPPED, Thresholds
from rapport.core.understand.team import shipped_version
from rapport.store.models import Post, ReadingSettings, TeamModel
from rapport.store.queries.readings import read_counting, read_held_against, read_last, try_thresholds
from rapport.store.queries.snapshot import read_share
from rapport.store.queries.team_model import team_version
from rapport.web.settings import readings
from rapport.web.settings.readings_form import values_of

pytestmark = pytest.mark.django_db
BASE = "/w/fernway/settings/readings/"
FIGURES = {
    "reading": "intent.complaint", "corrected": 40, "stood": 200, "shipped_right": 4, "team_right": 30, "mended": 28,
    "spoilt": 2, "shipped_kept": 200, "team_kept": 196, "overturned": 4, "restored": 0, "chance_corrected": 0.0,
    "chance_all": 0.0, "chance_told_apart": 0.0, "tried": True, "taken": True, "reason": "",
}  # fmt: skip


@pytest.fixture
def lea(cast: Any, enter: Any) -> Client:
    client: Client = enter(cast.lea)
    return client


@pytest.fixture
def posts(hear: Callable[..., Any], make_post: Callable[..., Any]) -> list[Post]:
    hear(
        make_post("My parcel is broken and nobody answers me! @fernway", author="a"),
        make_post("The depot opens at nine", author="b"),
        make_post("Is the depot open today? @fernway", author="c"),
    )
    return list(Post.objects.order_by("pk"))


@pytest.fixture(autouse=True)
def look(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """What a second look takes; the measuring itself has a test of its own."""
    takes: list[float | None] = [0.006]
    monkeypatch.setattr(readings, "measure_look", lambda: takes[0])
    return takes


def page_of(answer: Any) -> str:
    return unescape(answer.content.decode())


def filled(**changes: Any) -> dict[str, Any]:
    return {**values_of(SHIPPED, None), "about": "", **changes}


def made(by: Any, now: Any, **changes: Any) -> TeamModel:
    ask_team_model(by, now=now)
    row = claim_team_model("w", now=now)
    assert row is not None
    figures = {**FIGURES, **changes}
    finish_team_model(
        row, [figures], b"x" if figures["taken"] else None, beside="heads-x", corrections=40, stood=200, now=now
    )
    return TeamModel.objects.get(pk=row.pk)


def test_it_shows_what_is_in_force_and_how_many_posts_count(lea: Client, cast: Any, posts: Any, now: Any) -> None:
    save_reading_settings(cast.lea, Thresholds(complaint=0.7), 0.2, now=now)
    page = page_of(lea.get(BASE))
    assert re.search(r'name="complaint" value="70"', page)
    assert re.search(r'name="share" value="20"', page)
    assert "of the last 3 count" in page
    assert "Lea" in page
    assert "shipped model in force" in page


def test_a_page_without_posts_says_what_will_stand_here(lea: Client) -> None:
    page = page_of(lea.get(BASE))
    assert "Nothing to try them on yet" in page
    assert "No correction waits" in page


def test_a_preview_tells_what_would_count_and_shows_the_posts_nearest_to_it(lea: Client, posts: Any) -> None:
    answer = lea.post(BASE + "preview/", filled(complaint="1", about="complaint"))
    page = page_of(answer)
    assert answer.status_code == 200
    assert "50 % → 1 %" in page
    assert "Just sure enough" in page
    assert "The depot opens at nine" in page
    assert 'id="count-complaint"' in page
    assert 'id="cost"' in page
    assert not ReadingSettings.objects.exists()
    wrong = lea.post(BASE + "preview/", filled(complaint="much"))
    assert wrong.headers["HX-Reswap"] == "none"


def test_corrections_are_held_against_a_threshold(cast: Any, posts: list[Post], now: Any) -> None:
    correct(cast.lea, posts[0], "intent.complaint", "false", now=now)
    correct(cast.lea, posts[1], "sentiment", "negative", now=now)
    read, said = read_last(cast.workspace), read_held_against(cast.workspace)
    ((chance, holds),) = said["intent.complaint"]
    assert not holds
    found = {each.name: each for each in try_thresholds(read, said, SHIPPED, Thresholds(complaint=0.99))}
    complaint = found["intent.complaint"]
    assert (complaint.corrections, complaint.agree_before) == (1, int(chance < 0.5))
    assert complaint.agree_after == int(chance < 0.99)
    assert all("parcel" not in each.text for each in (*complaint.above, *complaint.below)), "a person's word stands"


def test_saving_puts_it_in_force_and_nonsense_is_said_where_it_stands(lea: Client, cast: Any, posts: Any) -> None:
    answer = lea.post(BASE, filled(spam="80", share="10"), follow=True)
    assert "Saved and in force" in page_of(answer)
    assert read_counting(cast.workspace.pk) == Thresholds(spam=0.8)
    assert read_share(cast.workspace.pk) == 0.1
    assert "Nothing changed" in page_of(lea.post(BASE, filled(spam="80", share="10"), follow=True))
    wrong = lea.post(BASE, filled(spam="100"))
    assert wrong.status_code == 422
    assert "Write a percentage from 1 to 99." in page_of(wrong)
    assert read_counting(cast.workspace.pk) == Thresholds(spam=0.8)
    assert 'name="spam" value="50"' in page_of(lea.get(BASE + "?from=shipped"))


def test_a_save_over_a_colleague_s_newer_values_says_so_and_asks_again(
    lea: Client, cast: Any, posts: Any, now: Any
) -> None:
    save_reading_settings(cast.lea, Thresholds(), 0.2, now=now)
    told = lea.post(BASE, filled(spam="80"))
    page = page_of(told)
    assert told.status_code == 409
    assert "saved other values while you were at it" in page
    assert re.search(r'name="spam" value="80"', page), "what was typed stays"
    assert read_counting(cast.workspace.pk) == SHIPPED
    [begun] = re.findall(r'name="begun" value="([^"]+)"', page)
    assert "Saved and in force" in page_of(lea.post(BASE, filled(spam="80", begun=begun), follow=True))


def test_the_second_look_is_shown_with_what_it_costs(lea: Client, posts: Any, look: list[float | None]) -> None:
    page = page_of(lea.get(BASE + "cost/"))
    assert "6 ms" in page
    assert "of 3 posts of the last 7 days" in page
    look[0] = None
    assert "pip install 'rapport[deep]'" in page_of(lea.get(BASE + "cost/"))


def test_a_model_is_asked_for_and_its_progress_shown(lea: Client, cast: Any, now: Any) -> None:
    assert lea.post(BASE + "team/").status_code == 302
    row = TeamModel.objects.get()
    assert (row.state, row.asked_by) == ("waiting", cast.lea)
    page = page_of(lea.get(BASE + "team/"))
    assert 'hx-trigger="every 1s"' in page
    assert "A worker takes it up" in page
    claimed = claim_team_model("w", now=now)
    assert claimed is not None
    TeamModel.objects.update(step="urgency", progress=40)
    page = page_of(lea.get(BASE + "team/"))
    assert "Learning: Urgent" in page
    assert 'value="40"' in page
    fail_team_model(claimed, "The training broke off.", now=now)
    assert "The training broke off." in page_of(lea.get(BASE + "team/"))


def test_its_figures_stand_beside_the_shipped_ones_and_it_is_used_and_given_back(
    lea: Client, cast: Any, now: Any
) -> None:
    row = made(cast.lea, now)
    page = page_of(lea.get(BASE))
    for words in ("Complaint", "10 %", "75 %", "98 %", "better: taken", "Use it", "beside heads-x"):
        assert words in page
    assert "version 1 is in force" not in page
    assert "is in force" in page_of(lea.post(f"{BASE}team/{row.version}/use/", follow=True))
    assert team_version(cast.workspace.pk) == 1
    page = page_of(lea.get(BASE))
    assert "version 1 in force" in page
    assert "was learnt beside heads-x" in page
    assert "Use it" not in page
    lea.post(f"{BASE}team/shipped/")
    assert team_version(cast.workspace.pk) == 0
    assert lea.post(f"{BASE}team/9/use/").status_code == 404


def test_a_model_learnt_beside_what_ships_needs_no_word(lea: Client, cast: Any, now: Any) -> None:
    row = made(cast.lea, now)
    TeamModel.objects.update(beside=shipped_version(), in_force=True)
    page = page_of(lea.get(BASE + "team/"))
    assert f"version {row.version} in force" in page
    assert "was learnt beside" not in page


def test_what_is_not_taken_says_why_and_cannot_be_used(lea: Client, cast: Any, now: Any) -> None:
    made(cast.lea, now, corrected=12, tried=False, taken=False, reason="few corrected")
    page = page_of(lea.get(BASE))
    assert "18 more corrections are needed" in page
    assert "Nothing in this version is better" in page
    assert "Use it" not in page
    assert lea.post(f"{BASE}team/1/use/").status_code == 400


def test_the_page_costs_few_queries(
    lea: Client, posts: Any, cast: Any, now: Any, django_assert_max_num_queries: Any
) -> None:
    made(cast.lea, now)
    lea.get(BASE)
    with django_assert_max_num_queries(24):
        lea.get(BASE)
