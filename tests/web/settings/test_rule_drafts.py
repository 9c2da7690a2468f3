"""The pages of drafts: begun, saved beside colleagues, tried, published, taken away as a file."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

BASE = "/w/fernway/settings/rules/"
GOOD = '[[rule]]\nname = "Complaints"\nwhen = \'complaint >= 0.7\'\nthen = ["basket:care"]\n'
BAD = GOOD.replace("complaint", "complant")


@pytest.fixture
def lea(cast: Any, enter: Any) -> Client:
    client: Client = enter(cast.lea)
    return client


def begin(client: Client, name: str = "Rain", document: str | None = None) -> str:
    data: dict[str, Any] = {"name": name, "begin": "live"}
    if document is not None:
        data |= {"begin": "file", "file": SimpleUploadedFile("mine.toml", document.encode())}
    answer = client.post(f"{BASE}drafts/new/", data)
    assert answer.status_code == 302, answer.content.decode()
    return str(answer.headers["Location"])


def save(client: Client, page: str, document: str, revision: int) -> Any:
    sent = {"document": document.replace("\n", "\r\n"), "revision": revision, "draft": page.split("/")[-2]}
    return client.post(f"{BASE}edit/", {**sent, "do": "save"})


def test_a_draft_begins_with_the_rules_in_force_with_a_file_or_empty(lea: Client) -> None:
    assert "It says what is in force" in lea.get(begin(lea)).content.decode()
    assert "complaint &gt;= 0.7" in lea.get(begin(lea, "File", GOOD)).content.decode()
    assert "Rain" in lea.get(BASE).content.decode()
    again = lea.post(f"{BASE}drafts/new/", {"name": "Rain", "begin": "live"})
    assert again.status_code == 422
    assert "draft named Rain already" in again.content.decode()
    data = {"name": "Odd", "begin": "file", "file": SimpleUploadedFile("odd.toml", b"\xff\xfe\x00")}
    assert "no text in UTF-8" in lea.post(f"{BASE}drafts/new/", data).content.decode()


def test_a_fault_is_shown_at_its_place_leads_to_its_line_and_keeps_nobody_from_saving(lea: Client) -> None:
    page = begin(lea)
    assert save(lea, page, BAD, 1).status_code == 302
    shown = lea.get(page).content.decode()
    assert "line 3, column 9" in shown
    assert "did you mean complaint?" in shown
    assert f'href="{BASE}edit/?draft={page.split("/")[-2]}&amp;line=3"' in shown
    assert f"{page}publish/" not in shown
    assert lea.get(f"{page}publish/").status_code == 200


def test_the_page_names_the_rules_that_it_adds_changes_and_takes_out(lea: Client) -> None:
    page = begin(lea)
    text = lea.get(f"{page}file/").content.decode()
    changed = text.replace("complaint >= 0.5 and urgency >= 0.6", "complaint >= 0.6 and urgency >= 0.6")
    save(lea, page, changed.replace('name = "Spam"', 'name = "Noise"') + "\n" + GOOD, 1)
    shown = " ".join(re.sub(r"<[^>]+>", " ", lea.get(page).content.decode()).split())
    assert "changed Urgent complaint" in shown
    assert "new Complaints" in shown
    assert "new Noise" in shown
    assert "taken out Spam" in shown


def test_newer_words_of_a_colleague_are_shown_beside_mine(lea: Client, cast: Any, enter: Any) -> None:
    page = begin(lea)
    ben = enter(cast.ben)
    assert save(ben, page, GOOD, 1).status_code == 302
    answer = save(lea, page, GOOD.replace("0.7", "0.9"), 1)
    shown = answer.content.decode()
    assert answer.status_code == 409
    assert "Ben saved while you were writing." in shown
    assert "removed: </span>when = &#x27;complaint &gt;= 0.7&#x27;" in shown
    assert 'name="revision" value="2"' in shown
    assert "data-unsaved" in shown
    assert save(lea, page, GOOD.replace("0.7", "0.9"), 2).status_code == 302


def test_publishing_shows_the_difference_asks_why_and_puts_it_in_force(lea: Client, cast: Any) -> None:
    from rapport.store.models import RuleSet

    page = begin(lea, "Rain", GOOD)
    shown = lea.get(f"{page}publish/").content.decode()
    assert "added: </span>when = &#x27;complaint &gt;= 0.7&#x27;" in shown
    assert lea.post(f"{page}publish/", {"reason": "", "revision": 1, "over": 1}).status_code == 422
    answer = lea.post(f"{page}publish/", {"reason": "Fewer false alarms", "revision": 1, "over": 1})
    assert answer.headers["Location"] == BASE
    newest = RuleSet.objects.of(cast.workspace).first()
    assert newest is not None
    assert (newest.version, newest.document, newest.note) == (2, GOOD, "Fewer false alarms")
    assert "became version 2" in lea.get(BASE).content.decode()


def test_rules_that_came_in_force_meanwhile_are_shown_before_anything_is_published(lea: Client, cast: Any) -> None:
    from rapport.actions.rules import save_rules
    from rapport.store.models import RuleSet

    page = begin(lea)
    first = RuleSet.objects.of(cast.workspace).get().document
    save(lea, page, first + GOOD, 1)
    save_rules(cast.alice, "# a remark\n" + first, "", now=dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC))
    answer = lea.post(f"{page}publish/", {"reason": "x", "revision": 2, "over": 1})
    assert answer.status_code == 422
    assert "Other rules came in force meanwhile" in answer.content.decode()
    assert "began from version 1" in lea.get(page).content.decode()
    lea.post(f"{page}catch-up/", {"how": "merge"})
    merged = lea.get(f"{page}file/")
    assert merged.content.decode() == "# a remark\n" + first + GOOD
    assert merged.headers["Content-Disposition"] == 'attachment; filename="fernway-rain.toml"'
    assert lea.post(f"{page}publish/", {"reason": "x", "revision": 3, "over": 2}).status_code == 302


def test_a_draft_is_tried_and_the_page_tells_what_would_have_been_different(
    lea: Client, cast: Any, hear: Any, make_post: Any
) -> None:
    from rapport.actions.back_tests import claim_back_test
    from rapport.pipeline.backtest import carry_out
    from rapport.store.models import BackTest

    hear(make_post("My parcel is broken and nobody answers, this is terrible @fernway"), make_post("Thank you!"))
    page = begin(lea, "Rain", '[[rule]]\nname = "All"\nwhen = \'true\'\nthen = ["basket:praise", "tag:all"]\n')
    # the fixtures say that it is noon of that day, the page asks the clock of the machine
    where = lea.post(f"{page}try/", {"days": "365"}).headers["Location"]
    waiting = lea.get(where).content.decode()
    assert "A worker takes it up in a moment" in waiting
    assert 'hx-trigger="every 700ms"' in waiting
    now = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
    BackTest.objects.update(since=now - dt.timedelta(days=30), until=now + dt.timedelta(days=1))
    row = claim_back_test("w", now=now)
    assert row is not None
    assert carry_out(row, lambda: now)
    shown = lea.get(where).content.decode()
    assert "of 2 mentions would be decided differently" in shown
    assert "My parcel is broken" in shown
    assert "How often rules hold" in shown
    assert "every 700ms" not in shown
    fragment = lea.get(where, headers={"HX-Request": "true"}).content.decode()
    assert fragment.startswith('<div id="found"')
    assert "2 mentions" in lea.get(page).content.decode()


def test_a_trial_that_was_stopped_says_so(lea: Client) -> None:
    page = begin(lea)
    where = lea.post(f"{page}try/", {"days": "7"}).headers["Location"]
    lea.post(f"{where}stop/")
    assert "stopped before its end" in lea.get(where).content.decode()
    assert "Choose one of the times" in lea.post(f"{page}try/", {"days": "8"}, follow=True).content.decode()


def test_a_draft_runs_beside_for_a_chosen_time_and_its_figures_are_shown(lea: Client, cast: Any) -> None:
    from rapport.store.models import RuleDraft, ShadowDifference

    page = begin(lea)
    lea.post(f"{page}run/", {"hours": "24"})
    draft = RuleDraft.objects.get()
    RuleDraft.objects.update(shadow_seen=1200, shadow_different=60)
    ShadowDifference.objects.create(
        workspace=cast.workspace, draft=draft, kind="basket", before="care", after="praise", count=60
    )
    shown = lea.get(f"{page}beside/").content.decode()
    assert "1,200" in shown
    assert "5 %" in shown
    assert "Praise" in shown
    assert 'hx-trigger="every 2s"' in shown
    lea.post(f"{page}run/")
    ended = lea.get(f"{page}beside/").content.decode()
    assert "every 2s" not in ended
    assert "a week" in ended, "it can be begun again"


def test_a_draft_is_renamed_and_deleted(lea: Client) -> None:
    page = begin(lea)
    lea.post(f"{page}rename/", {"name": "Hail"})
    assert "Hail" in lea.get(page).content.decode()
    assert lea.post(f"{page}delete/").headers["Location"] == BASE
    assert lea.get(page).status_code == 404


def test_a_version_downloads_as_a_file(lea: Client) -> None:
    answer = lea.get(f"{BASE}1/file/")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="fernway-rules-1.toml"'
    assert b"[[rule]]" in answer.content
