"""The page of the score: weights in a form, tried on the last posts, saved as versions, proposed from answers."""

from __future__ import annotations

import datetime as dt
import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from rapport.actions.score import save_weights
from rapport.core.post import Author
from rapport.core.score import FACTORS, SHIPPED, Weights
from rapport.store.models import Approval, Conversation, Outcome, Post, ScoreWeights
from rapport.store.queries.snapshot import weights_of
from rapport.web.settings.score_form import values_of

BASE = "/w/fernway/settings/score/"


@pytest.fixture
def lea(cast: Any, enter: Any) -> Client:
    client: Client = enter(cast.lea)
    return client


@pytest.fixture
def posts(hear: Any, make_post: Any) -> list[Post]:
    """A complaint of somebody unknown, a compliment of somebody with a million followers, and a word of ours."""
    hear(
        make_post("My parcel is broken and nobody answers me, this is a disgrace! @fernway"),
        make_post("I love my Fernway rucksack", author=Author(id="s", handle="star", name="Star", followers=10**6)),
        make_post("We are closed today", author=Author(id="us", handle="fernway", ours=True)),
    )
    return list(Post.objects.order_by("pk"))


def page_of(answer: Any) -> str:
    return unescape(answer.content.decode())


def filled(weights: Weights = SHIPPED, **changes: Any) -> dict[str, Any]:
    return {**values_of(weights), "version": 0, "note": "", **changes}


def placed(page: str) -> list[str]:
    """The names in the order of the list."""
    return re.findall(r'<span class="line-said">.*?<bdi[^>]*>(.*?)</bdi>', page)


def test_the_form_shows_the_weights_in_force_and_what_each_means(lea: Client, cast: Any, posts: Any, now: Any) -> None:
    save_weights(cast.lea, Weights(reach=3.5, praise=0.25), now=now)
    page = page_of(lea.get(BASE))
    assert re.search(r'name="reach" value="3.5"', page)
    assert re.search(r'name="praise" value="25"', page)
    assert "How negative the text feels" in page
    assert '<b class="num" data-total>95.5</b>' in page
    for name in ("mood", "reach"):
        assert f'<label for="id_{name}">' in page
        assert f'aria-describedby="id_{name}_helptext"' in page


def test_an_empty_workspace_says_that_there_is_nothing_to_try(lea: Client) -> None:
    page = page_of(lea.get(BASE))
    assert "Nothing to try them on yet" in page
    assert "what a new workspace begins with" in page


def test_a_draft_is_tried_on_the_last_posts_of_others_and_changes_nothing(lea: Client, cast: Any, posts: Any) -> None:
    before = list(Outcome.objects.order_by("pk").values_list("score", "body"))
    assert placed(page_of(lea.get(BASE))) == ["Nadia", "Star"]
    nothing = dict.fromkeys(FACTORS, 0.0)
    answer = lea.post(f"{BASE}preview/", filled(Weights(**{**nothing, "intent": 5, "reach": 95})))
    page = page_of(answer)
    assert placed(page) == ["Star", "Nadia"]
    assert "The last 2 posts" in page
    assert re.search(r"come up to 50</dt><dd class=\"num up\">1<", page)
    assert 'id="score-sum" hx-swap-oob="true"' in page
    assert list(Outcome.objects.order_by("pk").values_list("score", "body")) == before
    assert weights_of(type(cast.workspace).objects.get(pk=cast.workspace.pk)) == SHIPPED


def test_a_draft_that_is_no_draft_keeps_what_the_last_one_showed_and_says_what_to_mend(lea: Client, posts: Any) -> None:
    answer = lea.post(f"{BASE}preview/", filled(mood="60"))
    assert answer.headers["HX-Reswap"] == "none"
    assert "The weights add up to 141. Take away 41 points" in page_of(answer)
    answer = lea.post(f"{BASE}preview/", filled(mood="much"))
    assert "Mood: Write a number of points from 0 to 100." in page_of(answer)


def test_saving_makes_a_version_in_force(lea: Client, cast: Any, posts: Any) -> None:
    assert lea.post(BASE, filled(Weights(reach=0), note="no reach")).headers["Location"] == BASE
    saved = ScoreWeights.objects.of(cast.workspace).get()
    assert (saved.version, saved.note, saved.author) == (1, "no reach", cast.lea)
    cast.workspace.refresh_from_db()
    assert weights_of(cast.workspace) == Weights(reach=0)
    page = page_of(lea.get(BASE))
    assert "Version 1" in page
    assert "no reach" in page
    assert lea.post(BASE, filled(Weights(reach=0), version=1)).status_code == 302
    assert ScoreWeights.objects.of(cast.workspace).count() == 1, "the same weights are no new version"


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("mood", "120", "Write a number of points from 0 to 100."),
        ("mood", "-1", "Write a number of points from 0 to 100."),
        ("reach", "nan", "Write a number of points from 0 to 100."),
        ("urgency", "", "Write a number of points from 0 to 100."),
        ("praise", "101", "Write a percentage from 0 to 100."),
        ("intent", "90", "The weights add up to 166. Take away 66 points: a score goes to 100 at most."),
    ],
)
def test_an_error_stands_at_its_field_and_nothing_is_saved(
    lea: Client, cast: Any, field: str, value: str, told: str
) -> None:
    answer = lea.post(BASE, filled(**{field: value}))
    page = page_of(answer)
    assert answer.status_code == 422
    assert told in page
    if "add up" not in told:
        assert re.search(rf'name="{field}"[^>]*aria-invalid="true"', page)
        assert f'id="id_{field}_error"' in page
    assert (' class="shares" open' in page) == (field == "praise"), "folded shares open where one is wrong"
    assert not ScoreWeights.objects.of(cast.workspace).exists()


def test_a_colleagues_newer_version_is_not_undone_unseen(lea: Client, cast: Any, enter: Any) -> None:
    enter(cast.ben).post(BASE, filled(Weights(reach=0)))
    answer = lea.post(BASE, filled(Weights(reach=2)))
    page = page_of(answer)
    assert answer.status_code == 409
    assert "Ben saved version 1 while you were at it." in page
    assert 'name="reach" value="2"' in page
    assert lea.post(BASE, filled(Weights(reach=2), version=1)).status_code == 302
    assert ScoreWeights.objects.of(cast.workspace).count() == 2


def test_an_old_version_and_the_shipped_weights_come_back_as_new_versions(lea: Client, cast: Any, now: Any) -> None:
    save_weights(cast.lea, Weights(reach=0), now=now)
    save_weights(cast.lea, Weights(reach=1), now=now)
    lea.post(f"{BASE}1/restore/")
    cast.workspace.refresh_from_db()
    assert weights_of(cast.workspace) == Weights(reach=0)
    lea.post(f"{BASE}0/restore/")
    cast.workspace.refresh_from_db()
    assert weights_of(cast.workspace) == SHIPPED
    notes = [row.note for row in ScoreWeights.objects.of(cast.workspace)]
    assert notes[:2] == ["The shipped weights", "Version 1 again"]
    assert lea.post(f"{BASE}99/restore/").status_code == 404


def test_the_shipped_weights_can_be_looked_at_before_they_are_in_force(lea: Client, cast: Any, now: Any) -> None:
    save_weights(cast.lea, Weights(reach=0), now=now)
    page = page_of(lea.get(f"{BASE}?from=shipped"))
    assert 'name="reach" value="8"' in page
    assert "Nothing changes before you save." in page
    cast.workspace.refresh_from_db()
    assert weights_of(cast.workspace) == Weights(reach=0)


def test_the_page_costs_the_same_few_queries_however_many_posts_there_are(
    lea: Client, hear: Any, make_post: Any, django_assert_max_num_queries: Any
) -> None:
    for posts in (3, 40):
        hear(*[make_post(f"Word {posts} {number}", author=f"who{number}") for number in range(posts)])
        with django_assert_max_num_queries(16):
            lea.get(BASE)


# ---------------------------------------------------------------- learnt


def answered(cast: Any, order: list[Conversation], start: dt.datetime) -> None:
    """Lea answers these conversations in this order, a minute apart."""
    for number, talk in enumerate(order):
        Approval.objects.create(
            workspace=cast.workspace, conversation=talk, channel=talk.channel, person=cast.lea, text="Hello",
            target_id=talk.decided_by, digest=str(number), approved_at=start + dt.timedelta(minutes=number),
            sequence=number + 1, chain=str(number),
        )  # fmt: skip


def test_without_enough_answers_nothing_is_proposed(lea: Client) -> None:
    assert "0 pairs so far; from 100 on" in page_of(lea.get(f"{BASE}learnt/"))


def test_weights_are_proposed_from_what_people_answered_first_and_never_apply_themselves(
    lea: Client, cast: Any, hear: Any, make_post: Any, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the same words by people of ever more followers: answered are those of whom more people hear
    hear(
        *[
            make_post(
                "Where is my order @fernway?", id=f"p{n}", author=Author(id=str(n), handle=f"a{n}", followers=n**3)
            )
            for n in range(60)
        ]
    )
    save_weights(cast.lea, Weights(reach=0, mood=27), now=now)
    Conversation.objects.update(state="open", basket_id=Conversation.objects.first().basket_id)  # type: ignore[union-attr]
    talks = sorted(Conversation.objects.all(), key=lambda talk: -followers(talk))
    answered(cast, talks, now + dt.timedelta(minutes=1))
    monkeypatch.setattr("django.utils.timezone.now", lambda: now + dt.timedelta(hours=3))
    page = page_of(lea.get(f"{BASE}learnt/"))
    assert "Other weights come closer to what people do" in page
    reach = re.search(r'<th scope="row">Reach</th><td class="num">0</td><td class="num"><b>(\d+)</b>', page)
    assert reach is not None
    assert int(reach[1]) > 0
    cast.workspace.refresh_from_db()
    assert weights_of(cast.workspace) == Weights(reach=0, mood=27), "it is a proposal"
    form = page_of(lea.get(f"{BASE}?from=learnt"))
    assert f'name="reach" value="{reach[1]}"' in form


def followers(talk: Conversation) -> int:
    return Post.objects.select_related("handle").get(pk=talk.decided_by).handle.followers or 0
