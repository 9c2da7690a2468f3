"""A decision table: cells change conditions and actions, and nothing else in the document."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from rapport.actions.rule_drafts import begin_draft, delete_draft
from rapport.actions.rules import save_rules
from rapport.core.rules import default_document
from rapport.store.models import RuleDraft, RuleSet

pytestmark = pytest.mark.django_db

PAGE = "/w/fernway/settings/rules/edit/table/"
COLUMNS = "?columns=complaint+%3F+%3E%3D&columns=urgency+%3F+%3E%3D"

COLUMNS_OF_FORM = ["complaint ? >=", "urgency ? >="]
#: rules that make other columns the ones that hold most
MANY_QUESTIONS = "".join(
    f'\n[[rule]]\nname = "Question {n}"\nwhen = \'question >= 0.5 and anger < 0.{n}\'\nthen = ["tag:asked"]\n'
    for n in range(1, 9)
)


@pytest.fixture
def browser(alice: Any) -> Client:
    client = Client()
    client.force_login(alice.user)
    return client


def shown_columns(page: str) -> list[str]:
    """The columns that the form above the table names."""
    found = re.findall(r'type="checkbox" name="columns" value="([^"]+)"', page)
    assert found
    return [unescape(each) for each in found]


def number_of(page: str, name: str) -> str:
    """The number that the line of this rule has in the form."""
    before = page.split(f'value="{name}"', maxsplit=1)[0]
    return before.rpartition('name="was-')[2].partition('"')[0]


def line(page: str, name: str, **changes: Any) -> dict[str, Any]:
    """The line of "Urgent complaint" as it is sent, with some of it changed."""
    at = number_of(page, name)
    sent = {"was": name, "name": name, "cell-0": "0.5", "cell-1": "0.6", "basket": "care", "priority": "urgent",
            "draft": "sorry", "others": "", "stop": "on", **changes}  # fmt: skip
    split = (key.partition("-") for key in sent)
    names = {key: f"{head}-{at}{dash}{rest}" for key, (head, dash, rest) in zip(sent, split, strict=True)}
    return {names[key]: value for key, value in sent.items() if value is not None}


def in_force() -> RuleSet:
    return RuleSet.objects.order_by("-version")[0]


def test_the_rules_that_ask_only_this_are_lines_of_the_table(browser: Client) -> None:
    page = browser.get(PAGE + COLUMNS).content.decode()
    assert 'value="Urgent complaint"' in page
    assert 'value="Complaint"' in page
    assert 'value="Repeated complaint"' not in page
    assert "ask something else and are not shown" in page
    assert 'value="Complaint"' in browser.get(PAGE).content.decode()


def test_a_cell_that_is_changed_changes_its_rule_alone(browser: Client) -> None:
    page = browser.get(PAGE + COLUMNS).content.decode()
    sent = line(page, "Urgent complaint", **{"cell-1": "0.75", "priority": "high"})
    assert browser.post(PAGE + COLUMNS, {**sent, "revision": 1, "do": "save"}).status_code == 302
    wanted = default_document().replace(
        'when = \'complaint >= 0.5 and urgency >= 0.6\'\nthen = ["basket:care", "priority:urgent"',
        'when = \'complaint >= 0.5 and urgency >= 0.75\'\nthen = ["basket:care", "priority:high"',
    )
    assert in_force().document == wanted
    assert wanted != default_document()


def test_a_table_that_is_saved_untouched_changes_nothing(browser: Client) -> None:
    page = browser.get(PAGE + COLUMNS).content.decode()
    browser.post(PAGE + COLUMNS, {**line(page, "Urgent complaint"), "revision": 1, "do": "save"})
    assert in_force().version == 1


def test_other_actions_and_an_empty_cell_are_taken(browser: Client) -> None:
    page = browser.get(PAGE + COLUMNS).content.decode()
    sent = line(page, "Urgent complaint", **{"cell-1": "", "others": "tag:now\r\nnotify:duty", "stop": None})
    browser.post(PAGE + COLUMNS, {**sent, "revision": 1, "do": "draft"})
    draft = RuleDraft.objects.get()
    text = draft.document.partition('name = "Urgent complaint"\n')[2].partition("\n\n")[0]
    assert text == (
        "when = 'complaint >= 0.5'\n"
        'then = ["basket:care", "priority:urgent", "draft:sorry", "tag:now", "notify:duty"]'
    )
    assert in_force().version == 1


def test_a_cell_that_makes_no_condition_names_its_rule_and_nothing_is_saved(browser: Client) -> None:
    page = browser.get(PAGE + COLUMNS).content.decode()
    sent = line(page, "Urgent complaint", **{"cell-0": "much"})
    answer = browser.post(PAGE + COLUMNS, {**sent, "revision": 1, "do": "save"})
    assert answer.status_code == 422
    assert "“Urgent complaint”: much is no number" in answer.content.decode()
    assert in_force().version == 1


def test_cells_written_over_a_colleagues_newer_rules_stay_with_their_rule(browser: Client, alice: Any) -> None:
    page = browser.get(PAGE + COLUMNS).content.decode()
    sent = line(page, "Urgent complaint", **{"cell-1": "0.75"})
    first = '[[rule]]\nname = "First"\nwhen = \'complaint >= 0.1\'\nthen = ["tag:a"]\n\n'
    moved = default_document().replace("[[rule]]", f"{first}[[rule]]", 1)
    save_rules(alice, moved, "", now=timezone.now())
    answer = browser.post(PAGE + COLUMNS, {**sent, "revision": 1, "do": "save"})
    shown = answer.content.decode()
    assert answer.status_code == 409
    assert in_force().document == moved
    assert "urgency &gt;= 0.75" in shown
    assert f'name="cell-{number_of(shown, "Urgent complaint")}-1" value="0.75"' in shown
    again = line(shown, "Urgent complaint", **{"cell-1": "0.75"})
    assert browser.post(PAGE + COLUMNS, {**again, "revision": 2, "do": "save"}).status_code == 302
    one, other = in_force().document.splitlines(), moved.splitlines()
    assert [pair for pair in zip(one, other, strict=True) if pair[0] != pair[1]] == [
        ("when = 'complaint >= 0.5 and urgency >= 0.75'", "when = 'complaint >= 0.5 and urgency >= 0.6'")
    ]


def test_a_draft_with_something_else_where_its_actions_should_be_can_be_looked_at(browser: Client, alice: Any) -> None:
    document = "group = ['A']\n[[rule]]\nname = 'Odd'\nwhen = 'complaint >= 0.5'\nthen = 5\n"
    draft = begin_draft(alice, "Odd", document, now=timezone.now())
    for page in ("list/", "rule/", "edit/", "edit/rule/", "edit/table/", "packs/", "packs/shop/"):
        answer = browser.get(f"/w/fernway/settings/rules/{page}", {"draft": draft.pk, "name": "Odd"})
        assert answer.status_code == 200, page


def test_a_draft_of_a_table_begins_from_what_its_author_saw(browser: Client, alice: Any) -> None:
    """What a colleague saved meanwhile is not taken back: it is merged when the draft is brought up to date."""
    page = browser.get(PAGE).content.decode()
    sent = {**line(page, "Urgent complaint", **{"cell-1": "0.75"}), "columns": COLUMNS_OF_FORM}
    theirs = default_document().replace("complaint >= 0.5'", "complaint >= 0.9'") + MANY_QUESTIONS
    assert theirs.count("complaint >= 0.9'") == 1
    save_rules(alice, theirs, "", now=timezone.now())
    assert browser.post(PAGE, {**sent, "revision": 1, "do": "draft"}).status_code == 302
    draft = RuleDraft.objects.get()
    assert draft.base == 1
    assert draft.document == default_document().replace("0.5 and urgency >= 0.6'", "0.5 and urgency >= 0.75'")
    browser.post(f"/w/fernway/settings/rules/drafts/{draft.pk}/catch-up/", {"how": "merge"})
    assert RuleDraft.objects.get().document == theirs.replace("0.5 and urgency >= 0.6'", "0.5 and urgency >= 0.75'")


def test_the_columns_of_a_form_stay_although_other_columns_hold_most_rules_now(browser: Client, alice: Any) -> None:
    page = browser.get(PAGE).content.decode()
    assert all(f'<input type="hidden" name="columns" value="{escape(each)}">' in page for each in shown_columns(page))
    sent = line(page, "Urgent complaint", **{"cell-1": "0.75"})
    save_rules(alice, default_document() + MANY_QUESTIONS, "", now=timezone.now())
    answer = browser.post(PAGE, {**sent, "columns": COLUMNS_OF_FORM, "revision": 1, "do": "save"})
    assert answer.status_code == 409
    told = answer.content.decode()
    assert "urgency &gt;= 0.75" in told
    assert "question &gt;= 0.5" not in told


def test_a_table_of_a_draft_that_was_thrown_away_keeps_its_cells(browser: Client, alice: Any) -> None:
    draft = begin_draft(alice, "Autumn", now=timezone.now())
    there = f"{PAGE}{COLUMNS}&draft={draft.pk}"
    page = browser.get(there).content.decode()
    sent = {**line(page, "Urgent complaint", **{"cell-1": "0.75"}), "revision": 1, "columns": COLUMNS_OF_FORM}
    delete_draft(alice, draft, now=timezone.now())
    answer = browser.post(there, {**sent, "draft": draft.pk, "do": "save"})
    assert answer.status_code == 409
    told = answer.content.decode()
    assert "threw this draft away" in told
    assert 'value="0.75"' in told
    assert in_force().version == 1
    assert browser.post(there, {**sent, "draft": "", "do": "draft"}).status_code == 302
    assert "urgency >= 0.75" in RuleDraft.objects.get().document
