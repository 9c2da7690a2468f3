"""Text and rows edit the same document, and what nobody touched keeps its bytes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from conftest import NOON
from rapport.actions.rule_drafts import begin_draft, delete_draft
from rapport.actions.rules import save_rules
from rapport.actions.surveys import save_survey
from rapport.core.rules import compile_rules, default_document
from rapport.core.rules.actions import ACTIONS
from rapport.core.rules.edit import find_piece
from rapport.core.rules.fields import FIELDS
from rapport.core.rules.functions import FUNCTIONS
from rapport.core.surveys import Question
from rapport.store.models import PreparedReply, RuleDraft, RuleSet

pytestmark = pytest.mark.django_db

SHIPPED = compile_rules(default_document()).rules
HERE = "/w/fernway/settings/rules/edit/"
Hear = Callable[..., Any]


@pytest.fixture
def browser(alice: Any) -> Client:
    client = Client()
    client.force_login(alice.user)
    return client


def in_force() -> RuleSet:
    return RuleSet.objects.order_by("-version")[0]


def line_of(document: str, name: str) -> int:
    piece = find_piece(document, name)
    assert piece is not None
    return piece.line


def words(page: bytes) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.decode()).split())


# ---------------------------------------------------------------- the text


def test_a_text_is_put_in_force_as_a_new_version(browser: Client) -> None:
    text = default_document().replace("spam >= 0.8", "spam >= 0.9")
    sent = {"document": text.replace("\n", "\r\n"), "revision": 1, "note": "stricter", "do": "save"}
    assert browser.post(HERE, sent).status_code == 302
    assert (in_force().version, in_force().document, in_force().note) == (2, text, "stricter")


def test_a_text_is_kept_as_a_draft_and_nothing_comes_in_force(browser: Client) -> None:
    answer = browser.post(HERE, {"document": "[[rule", "revision": 1, "note": "", "do": "draft"})
    draft = RuleDraft.objects.get()
    assert answer.headers["Location"] == f"{HERE}?draft={draft.pk}"
    assert draft.document == "[[rule"
    assert in_force().version == 1
    assert f'value="{draft.pk}"' in browser.get(f"{HERE}?draft={draft.pk}").content.decode()


def test_a_draft_of_words_that_began_before_a_colleagues_version_is_behind_it(browser: Client, alice: Any) -> None:
    save_rules(alice, default_document() + "# theirs\n", "", now=NOON)
    mine = {"document": "# mine\n" + default_document(), "revision": 1, "do": "draft"}
    browser.post(HERE, mine)
    draft = RuleDraft.objects.get()
    assert draft.base == 1
    page = f"/w/fernway/settings/rules/drafts/{draft.pk}/"
    assert "this draft began from version 1" in browser.get(page).content.decode()
    browser.post(f"{page}catch-up/", {"how": "merge"})
    assert RuleDraft.objects.get().document == "# mine\n" + default_document() + "# theirs\n"


def test_a_save_over_a_colleagues_newer_words_says_so_and_keeps_the_text(browser: Client, alice: Any) -> None:
    draft = begin_draft(alice, "Autumn", now=NOON)
    mine = {"document": "# mine", "revision": 1, "draft": draft.pk, "do": "save"}
    assert browser.post(HERE, {**mine, "document": "# theirs"}).status_code == 302
    answer = browser.post(HERE, mine)
    assert answer.status_code == 409
    assert "# mine" in answer.content.decode()
    assert RuleDraft.objects.get().document == "# theirs"


def test_a_fault_is_shown_at_its_line_and_nothing_is_saved(browser: Client) -> None:
    answer = browser.post(HERE, {"document": default_document() + "[[rule]]\n", "revision": 1, "do": "save"})
    assert answer.status_code == 422
    assert "this rule has no name" in words(answer.content)
    assert in_force().version == 1


def test_a_text_is_checked_while_somebody_types(browser: Client) -> None:
    right = browser.post(f"{HERE}check/", {"document": default_document()}).json()
    assert right == {"problem": None, "said": "27 rules, no fault.", "faults": []}
    wrong = default_document().replace("spam >= 0.8", "spamm >= 0.8").replace("\n", "\r\n")
    problem = browser.post(f"{HERE}check/", {"document": wrong}).json()["problem"]
    assert (problem["line"], problem["column"], problem["instead"]) == (
        line_of(default_document(), "Spam") + 2,
        9,
        "spam",
    )
    unknown = default_document().replace("basket:care", "basket:caer")
    assert "there is no basket caer" in browser.post(f"{HERE}check/", {"document": unknown}).json()["said"]


def test_a_survey_that_a_rule_invites_to_has_to_be_there(browser: Client, alice: Any) -> None:
    save_survey(alice, None, name="Tent", questions=[Question("score", "How was it?")], now=NOON)
    document = default_document().replace('"basket:care"', '"basket:care", "survey:tant"', 1)
    answer = browser.post(HERE, {"document": document, "revision": 1, "do": "save"})
    assert answer.status_code == 422
    assert "there is no survey tant; did you mean tent?" in words(answer.content)
    rows = {**SPAM, "verb": ["survey"], "argument": ["tant"]}
    answer = browser.post(RULE, rows)
    assert answer.status_code == 422
    assert "there is no survey tant; did you mean tent?" in words(answer.content)
    assert '<option value="tent">Tent</option>' in answer.content.decode()
    assert in_force().version == 1
    assert {"word": "tent", "means": "Tent"} in browser.get(f"{HERE}words/").json()["arguments"]["survey"]
    assert browser.post(RULE, {**rows, "argument": ["tent"]}).status_code == 302
    assert "survey:tent" in in_force().document


def test_every_word_of_the_language_is_offered(browser: Client, alice: Any) -> None:
    offered = browser.get(f"{HERE}words/").json()
    assert {each["word"] for each in offered["fields"]} == set(FIELDS)
    assert [each["word"] for each in offered["functions"]] == [each.form for each in FUNCTIONS.values()]
    assert [each["word"].rstrip(":") for each in offered["actions"]] == list(ACTIONS)
    assert {"word": "care", "means": "Care"} in offered["arguments"]["basket"]
    assert {"word": alice.user.email, "means": "Alice"} in offered["arguments"]["person"]
    assert offered["choices"]["kind"][0] == "post"


def test_what_is_wrong_although_it_can_be_used_is_told_with_its_line(browser: Client) -> None:
    document = default_document().replace("rating <= 2", "rating <= 2 and rating > 3")
    told = browser.post(f"{HERE}check/", {"document": document}).json()["faults"]
    assert [(fault["line"], fault["said"]) for fault in told] == [
        (line_of(document, "Bad review"), "“Bad review” can never fire: no post fits its condition, because of rating.")
    ]


def test_names_that_are_gone_since_are_told_on_the_list(browser: Client) -> None:
    PreparedReply.objects.filter(slug="sales").delete()
    shown = words(browser.get("/w/fernway/settings/rules/list/").content)
    assert "Wants to buy names something that does not exist: draft:sales." in shown


# ---------------------------------------------------------------- rows

RULE = f"{HERE}rule/"
SPAM = {
    "name": "Spam", "was": "Spam", "join": "all", "group": ["", ""], "subject": ["spam", "kind"],
    "comparison": [">=", "not in"], "value": ["0.8", "mail, message"],
    "verb": ["basket", "priority", "quarantine", "tag"], "argument": ["noise", "low", "", "spam"],
    "stop": "on", "on": "on", "autonomy": "act", "revision": "1", "do": "save",
}  # fmt: skip


def test_a_rule_is_shown_as_rows_and_saved_untouched_nothing_changes(browser: Client) -> None:
    page = browser.get(RULE, {"name": "Spam"}).content.decode()
    assert 'value="mail, message"' in page
    assert browser.post(RULE, SPAM).status_code == 302
    assert in_force().version == 1


def test_a_changed_row_changes_its_condition_alone(browser: Client) -> None:
    assert browser.post(RULE, {**SPAM, "value": ["0.95", "mail, message"]}).status_code == 302
    assert in_force().document == default_document().replace("spam >= 0.8", "spam >= 0.95")
    assert in_force().note == "The rule “Spam”"


def test_a_group_is_a_part_that_is_joined_the_other_way(browser: Client) -> None:
    rows = {
        "group": ["", "1", "1"], "subject": ["spam", "author.bot", "author.followers"],
        "comparison": [">=", "is", "<"], "value": ["0.8", "true", "5"],
    }  # fmt: skip
    browser.post(RULE, {**SPAM, **rows})
    piece = find_piece(in_force().document, "Spam")
    assert piece is not None
    assert piece.values["when"] == "spam >= 0.8 and (author.bot or author.followers < 5)"
    browser.post(RULE, {**SPAM, **rows, "join": "any", "revision": "2"})
    piece = find_piece(in_force().document, "Spam")
    assert piece is not None
    assert piece.values["when"] == "spam >= 0.8 or (author.bot and author.followers < 5)"


def test_a_new_rule_stands_before_the_one_that_takes_every_post(browser: Client) -> None:
    new = {**SPAM, "name": "Refunds", "was": "", "subject": ["text", "complaint"], "comparison": ["matches", ">="],
           "value": ["refund|money back", "0.4"], "verb": ["basket", "task"],
           "argument": ["care", "2 days:Call them back"]}  # fmt: skip
    assert browser.post(RULE, new).status_code == 302
    rules = compile_rules(in_force().document).rules
    assert [rule.name for rule in rules[-2:]] == ["Refunds", "Impersonal statement"]
    assert rules[-2].written == ("basket:care", "task:2 days:Call them back")
    assert rules[-2].stop


def test_a_rule_is_moved_switched_off_and_deleted(browser: Client) -> None:
    browser.post(RULE, {**SPAM, "do": "up"})
    assert [rule.name for rule in compile_rules(in_force().document).rules][:3] == [
        "Our own post", "Spam", "Ignored person",
    ]  # fmt: skip
    off = {key: value for key, value in SPAM.items() if key != "on"}
    browser.post(RULE, {**off, "revision": "2"})
    assert "enabled = false" in in_force().document
    browser.post(RULE, {**SPAM, "do": "delete", "revision": "3"})
    assert "Spam" not in [rule.name for rule in compile_rules(in_force().document).rules]
    assert in_force().version == 4


def test_a_rule_is_put_into_a_group_and_out_again(browser: Client, alice: Any) -> None:
    grouped = default_document().replace("[[rule]]", '[[group]]\nname = "Noise"\n\n[[rule]]', 1)
    save_rules(alice, grouped, "", now=NOON)
    assert '<option value="Noise">Noise</option>' in browser.get(RULE, {"name": "Spam"}).content.decode()
    assert browser.post(RULE, {**SPAM, "in_group": "Noise", "revision": "2"}).status_code == 302
    assert in_force().document == grouped.replace('name = "Spam"\n', 'name = "Spam"\ngroup = "Noise"\n')
    shown = browser.get(RULE, {"name": "Spam"}).content.decode()
    assert '<option value="Noise" selected>Noise</option>' in shown
    assert browser.post(RULE, {**SPAM, "in_group": "Rain", "revision": "3"}).status_code == 422
    assert browser.post(RULE, {**SPAM, "in_group": "", "revision": "3"}).status_code == 302
    assert in_force().document == grouped


def test_a_move_saves_what_was_typed_with_it(browser: Client) -> None:
    browser.post(RULE, {**SPAM, "name": "Noise", "do": "up"})
    assert [rule.name for rule in compile_rules(in_force().document).rules][:3] == [
        "Our own post", "Noise", "Ignored person",
    ]  # fmt: skip


def test_rows_written_over_a_colleagues_newer_words_show_what_they_would_change(browser: Client, alice: Any) -> None:
    theirs = default_document().replace('name = "Spam"', 'name = "Spam"\n# theirs')
    save_rules(alice, theirs, "", now=NOON)
    for do in ("save", "up", "delete"):
        answer = browser.post(RULE, {**SPAM, "name": "Noise", "do": do})
        assert answer.status_code == 409
    shown = answer.content.decode()
    assert "Alice saved while you were writing." in shown
    assert "removed: </span>name = &quot;Spam&quot;" in shown
    assert in_force().document == theirs
    assert browser.post(RULE, {**SPAM, "name": "Noise", "revision": "2"}).status_code == 302
    assert in_force().document == theirs.replace('name = "Spam"', 'name = "Noise"')


def test_a_row_that_says_nothing_is_named(browser: Client) -> None:
    answer = browser.post(RULE, {**SPAM, "value": ["much", "mail"]})
    assert answer.status_code == 422
    assert "Row 1: much is no number" in words(answer.content)
    assert in_force().version == 1


def test_buttons_add_and_remove_rows_without_saving(browser: Client) -> None:
    more = browser.post(RULE, {**SPAM, "do": "group"})
    assert more.content.decode().count('name="subject"') == 4
    fewer = browser.post(RULE, {**SPAM, "do": "unrow:0"})
    assert fewer.content.decode().count('name="subject"') == 1
    assert browser.post(RULE, {**SPAM, "do": "act"}).content.decode().count('name="verb"') == 5
    assert in_force().version == 1


def test_a_rule_that_is_more_than_rows_can_say_shows_its_text_with_the_reason(browser: Client, alice: Any) -> None:
    document = default_document().replace("'praise >= 0.5'", "'praise > complaint and not score > 3'")
    draft = begin_draft(alice, "Odd", document, now=NOON)
    page = browser.get(RULE, {"name": "Praise", "draft": draft.pk}).content.decode()
    assert "praise &gt; complaint and not score &gt; 3" in page
    assert "Rows cannot say that" in page
    kept = {**SPAM, "name": "Praise", "was": "Praise", "draft": draft.pk, "when": "praise > complaint + 0.1",
            "too_complex": "x", "verb": ["basket"], "argument": ["praise"], "group": [], "subject": []}  # fmt: skip
    assert browser.post(RULE, kept).status_code == 302
    assert "when = 'praise > complaint + 0.1'" in RuleDraft.objects.get().document


def test_a_field_that_is_chosen_anew_gets_a_comparison_that_fits(browser: Client) -> None:
    page = browser.post(RULE, {**SPAM, "do": "look", "subject": ["author.bot", "topics"]}).content.decode()
    assert '<option value="is" selected>is</option>' in page
    assert '<option value="has" selected>has</option>' in page


def test_a_preview_counts_the_newest_posts_that_a_rule_would_fire_on(
    browser: Client, hear: Hear, make_post: Hear
) -> None:
    hear(*(make_post(f"Number {number}", kind="reply" if number % 2 else "post") for number in range(10)))
    asked = {**SPAM, "subject": ["kind"], "comparison": ["=="], "value": ["reply"], "group": [""]}
    shown = words(browser.post(f"{HERE}preview/", asked).content)
    assert "5 of the newest 10 posts, 50.0 %" in shown
    assert "Number 9" in shown
    wrong = words(browser.post(f"{HERE}preview/", {**asked, "value": [""]}).content)
    assert "Row 1: the value is empty" in wrong


@pytest.mark.parametrize("name", ["No such rule", "\x00"])
def test_a_rule_that_is_not_there_is_missing(browser: Client, name: str) -> None:
    assert browser.get(RULE, {"name": name}).status_code == 404
    assert browser.get(HERE, {"draft": "999"}).status_code == 404


def test_a_text_of_a_draft_that_was_thrown_away_is_kept(browser: Client, alice: Any) -> None:
    draft = begin_draft(alice, "Autumn", now=NOON)
    delete_draft(alice, draft, now=NOON)
    there, mine = f"{HERE}?draft={draft.pk}", {"document": default_document() + "# mine\n", "revision": 1}
    answer = browser.post(there, {**mine, "draft": draft.pk, "do": "save"})
    assert answer.status_code == 409
    told = answer.content.decode()
    assert "threw this draft away" in told
    assert "# mine" in told
    assert 'name="draft" value=' not in told
    assert browser.post(there, {**mine, "draft": "", "do": "draft"}).status_code == 302
    assert RuleDraft.objects.get().document == mine["document"]
    assert in_force().version == 1


@pytest.mark.parametrize("do", ["save", "row", "draft"])
def test_rows_of_a_draft_that_was_thrown_away_are_kept(browser: Client, alice: Any, do: str) -> None:
    draft = begin_draft(alice, "Autumn", now=NOON)
    delete_draft(alice, draft, now=NOON)
    answer = browser.post(f"{RULE}?draft={draft.pk}", {**SPAM, "name": "Noise", "draft": draft.pk, "do": do})
    assert answer.status_code == 409
    told = answer.content.decode()
    assert "threw this draft away" in told
    assert 'value="Noise"' in told
    assert in_force().version == 1
    assert not RuleDraft.objects.exists()


def test_a_draft_of_rows_takes_nothing_back_that_a_colleague_saved(browser: Client, alice: Any) -> None:
    theirs = default_document().replace("complaint >= 0.5'", "complaint >= 0.9'")
    save_rules(alice, theirs, "", now=NOON)
    browser.post(RULE, {**SPAM, "name": "Noise", "do": "draft"})
    draft = RuleDraft.objects.get()
    assert draft.base == 1
    assert draft.document == default_document().replace('"Spam"', '"Noise"')
    browser.post(f"/w/fernway/settings/rules/drafts/{draft.pk}/catch-up/", {"how": "merge"})
    assert RuleDraft.objects.get().document == theirs.replace('"Spam"', '"Noise"')
