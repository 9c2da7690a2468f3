"""Rules: one text, every version kept, errors at line and column."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

BASE = "/w/fernway/settings/rules/"
EDITOR = f"{BASE}edit/"
GOOD = '[[rule]]\nname = "Complaints"\nwhen = \'complaint >= 0.7\'\nthen = ["basket:care"]\n'
BAD = '[[rule]]\nname = "Complaints"\nwhen = \'complant >= 0.7\'\nthen = ["basket:care"]\n'


@pytest.fixture
def lea(cast: Any, enter: Any) -> Client:
    client: Client = enter(cast.lea)
    return client


def save(client: Client, document: str, version: int, note: str = "") -> Any:
    data = {"document": document.replace("\n", "\r\n"), "revision": version, "note": note, "do": "save"}
    return client.post(EDITOR, data)


def test_the_rules_in_force_are_shown(lea: Client) -> None:
    page = lea.get(BASE).content.decode()
    assert re.search(r"Version 1</span><span class=\"chip praise\">in force", page)
    assert f'href="{EDITOR}"' in page
    assert "[[rule]]" in lea.get(EDITOR).content.decode()


def test_a_new_version_is_saved_with_its_note_and_author(lea: Client, cast: Any) -> None:
    from rapport.store.models import RuleSet

    assert save(lea, GOOD, 1, "complaints first").status_code == 302
    newest = RuleSet.objects.of(cast.workspace).first()
    assert newest is not None
    assert (newest.version, newest.document, newest.note, newest.author) == (2, GOOD, "complaints first", cast.lea)


def test_an_error_is_shown_at_its_line_and_column_with_a_suggestion(lea: Client, cast: Any) -> None:
    from rapport.store.models import RuleSet

    answer = save(lea, BAD, 1)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "line 3, column 9" in page
    assert "did you mean complaint?" in page
    assert 'data-line="3"' in page
    assert '<span class="row-line marked"><span class="no">3</span>' in page
    assert '<span class="code">        ^</span>' in page
    assert "complant &gt;= 0.7" in page, "what was typed is still there"
    assert RuleSet.objects.of(cast.workspace).count() == 1


def test_a_colleagues_newer_version_is_not_undone_unseen(lea: Client, cast: Any, enter: Any) -> None:
    from rapport.store.models import RuleSet

    ben = enter(cast.ben)
    save(ben, GOOD, 1)
    other = GOOD.replace("0.7", "0.9")
    answer = save(lea, other, 1)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "complaint &gt;= 0.9" in page
    assert RuleSet.objects.of(cast.workspace).count() == 2
    assert 'name="revision" value="2"' in page
    assert save(lea, other, 2).status_code == 302


def test_a_version_shows_what_it_changed(lea: Client, cast: Any) -> None:
    save(lea, GOOD, 1)
    save(lea, GOOD.replace("0.7", "0.8"), 2)
    page = lea.get(f"{BASE}3/").content.decode()
    assert "Against version 2" in page
    assert "removed: </span>when = &#x27;complaint &gt;= 0.7&#x27;" in page
    assert "added: </span>when = &#x27;complaint &gt;= 0.8&#x27;" in page
    assert lea.get(f"{BASE}99/").status_code == 404


def test_an_old_version_is_put_in_force_again_as_a_new_one(lea: Client, cast: Any) -> None:
    from rapport.store.models import RuleSet

    first = RuleSet.objects.of(cast.workspace).get().document
    save(lea, GOOD, 1)
    assert lea.post(f"{BASE}1/restore/").headers["Location"] == BASE
    newest = RuleSet.objects.of(cast.workspace).first()
    assert newest is not None
    assert (newest.version, newest.document, newest.note) == (3, first, "Version 1 again")


def test_an_old_version_is_not_put_over_one_that_the_person_has_not_seen(lea: Client, cast: Any) -> None:
    from rapport.store.models import RuleSet

    save(lea, GOOD, 1)
    assert '<input type="hidden" name="over" value="2">' in lea.get(f"{BASE}1/").content.decode()
    save(lea, GOOD + "# a remark\n", 2)
    assert lea.post(f"{BASE}1/restore/", {"over": "2"}).headers["Location"] == f"{BASE}1/"
    assert "put other rules in force meanwhile. Look at what is in force now." in lea.get(f"{BASE}1/").content.decode()
    assert RuleSet.objects.of(cast.workspace).count() == 3


def test_a_version_that_no_longer_compiles_is_not_restored(lea: Client, cast: Any, now: Any) -> None:
    from rapport.store.models import RuleSet

    RuleSet.objects.create(workspace=cast.workspace, version=7, document=BAD, created_at=now)
    lea.post(f"{BASE}7/restore/")
    assert RuleSet.objects.of(cast.workspace).count() == 2
    assert "cannot be used any more" in lea.get(f"{BASE}7/").content.decode()


def test_the_same_text_makes_no_new_version(lea: Client, cast: Any) -> None:
    from rapport.store.models import RuleSet

    save(lea, RuleSet.objects.of(cast.workspace).get().document, 1)
    assert RuleSet.objects.of(cast.workspace).count() == 1
    assert "version 1 stays in force" in lea.get(EDITOR).content.decode()
