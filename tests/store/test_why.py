"""A decision is explained again, down to every rule, from what was kept; what cannot be told truly is not told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from rapport.actions.rules import save_rules
from rapport.core.decision import Outcome
from rapport.core.post import Author, Media, Metrics, Post
from rapport.core.rules import compile_rules
from rapport.store.mapping import post_of
from rapport.store.models import Conversation, Handle, Person, RuleSet
from rapport.store.models import Outcome as OutcomeRow
from rapport.store.models import Post as PostRow
from rapport.store.queries.rule_trials import find_kept
from rapport.store.queries.talk import read_talk
from rapport.store.why import Explanation, explain

pytestmark = pytest.mark.django_db

DOCUMENT = """
[[rule]]
name = "Reach"
when = 'author.followers > 5000'
then = ["tag:reach"]

[[rule]]
name = "Known bot"
when = 'author.bot or author.posts < 3'
then = ["tag:bot"]

[[rule]]
name = "Known"
when = 'count(person.posts, 30 days) >= 1 and addressed'
then = ["basket:care"]

[[rule]]
name = "Rain"
when = 'text matches "rain"'
then = ["tag:rain"]
stop = true

[[rule]]
name = "Never reached"
when = 'true'
then = ["basket:noise"]
"""


@pytest.fixture
def decided(alice: Any, hear: Any, make_post: Callable[..., Post]) -> Any:
    """The conversation of an author whom we have heard before."""
    save_rules(alice, DOCUMENT, "", now=dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC))
    author = Author(id="7", handle="nadia", name="Nadia", followers=4120, following=3, posts=100, verified=True)
    hear(make_post("hello", author=author))
    hear(make_post("left in the rain", id="rain", author=author, mentions=("Fernway",)))
    return Conversation.objects.get(pk=PostRow.objects.get(external_id="rain").conversation_id or 0)


def explained(row: Any, member: Any) -> Explanation:
    found = explain(read_talk(row, member))
    assert found is not None
    return found


def test_every_rule_that_was_tried_is_told_with_the_values_that_it_found(decided: Any, alice: Any) -> None:
    found = explained(decided, alice)
    assert found.untold == 0
    assert [(step.rule, step.matched, step.because) for step in found.steps] == [
        ("Reach", False, ("author.followers 4120 <= 5000",)),
        ("Known bot", False, ("author.bot is false", "author.posts 100 >= 3")),
        ("Known", True, ("count(person.posts, 30 days) 1 >= 1", "addressed is true")),
        ("Rain", True, ('text matches "rain": "rain"',)),
    ]


def test_what_is_kept_holds_no_word_of_rules_that_failed(decided: Any) -> None:
    body = OutcomeRow.objects.get(post__external_id="rain").body
    outcome = msgspec.json.decode(body, type=Outcome)
    assert [step.rule for step in outcome.decision.trace] == ["Known", "Rain"]
    assert outcome.decision.tried == 4
    assert "Reach" not in body


def test_what_has_changed_since_does_not_change_what_was_found(decided: Any, alice: Any) -> None:
    before = explained(decided, alice)
    Handle.objects.update(followers=9_000_000, following=0, verified=False, bot=True)
    Person.objects.update(ignored=True, relationship="customer")
    PostRow.objects.exclude(external_id="rain").delete()
    save_rules(alice, DOCUMENT.replace("5000", "1"), "", now=dt.datetime(2026, 11, 22, tzinfo=dt.UTC))
    assert explained(decided, alice) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda: PostRow.objects.update(text="other words", edited_at=dt.datetime(2026, 11, 23, tzinfo=dt.UTC)),
        lambda: PostRow.objects.update(text="", deleted=True),
        lambda: PostRow.objects.update(text="a word that nobody told us was changed"),
        lambda: RuleSet.objects.all().delete(),
        lambda: RuleSet.objects.update(document="no rules at all"),
    ],
    ids=["edited", "deleted", "changed", "rules gone", "rules unreadable"],
)
def test_what_cannot_be_told_truly_any_more_is_not_told(decided: Any, alice: Any, change: Callable[[], Any]) -> None:
    change()
    found = explained(decided, alice)
    assert [step.rule for step in found.steps] == ["Known", "Rain"]
    assert found.untold == 2


@pytest.mark.parametrize("change", [{"facts": None}, {"decided_at": None}])
def test_without_its_inputs_a_decision_is_told_as_far_as_it_was_kept(
    decided: Any, alice: Any, change: dict[str, Any]
) -> None:
    row = OutcomeRow.objects.get(post__external_id="rain")
    outcome = msgspec.structs.replace(msgspec.json.decode(row.body, type=Outcome), **change)
    row.body = msgspec.json.encode(outcome).decode()
    row.save()
    assert explained(decided, alice).untold == 2


BUSY = """
[[rule]]
name = "Some"
when = 'count(person.posts, 30 days) >= 5'
then = ["tag:some"]

[[rule]]
name = "Few"
when = 'count(person.posts) < 5'
then = ["tag:few"]

[[rule]]
name = "Very many"
when = 'count(person.posts, 30 days) > 105'
then = ["tag:very-many"]

[[rule]]
name = "Most"
when = 'count(person.posts, 30 days) > 500'
then = ["tag:most"]

[[rule]]
name = "Rain"
when = 'text matches "rain"'
then = ["basket:care"]
stop = true

[[rule]]
name = "Never reached"
when = 'true'
then = ["basket:noise"]
"""


@pytest.fixture
def busy(alice: Any, hear: Any, make_post: Callable[..., Post]) -> Any:
    """The conversation of an author who said 110 things before."""
    save_rules(alice, BUSY, "", now=dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC))
    hear(*(make_post(f"Word {number}") for number in range(110)), make_post("left in the rain", id="rain"))
    return Conversation.objects.get(pk=PostRow.objects.get(external_id="rain").conversation_id or 0)


def test_somebody_with_more_posts_than_are_kept_is_explained_as_far_as_they_tell(busy: Any, alice: Any) -> None:
    found = explained(busy, alice)
    assert [(step.rule, step.matched, step.because) for step in found.steps] == [
        ("Some", True, ("count(person.posts, 30 days) 110 >= 5",)),
        ("Few", False, ("count(person.posts) 100 or more >= 5",)),
        ("Very many", True, ("count(person.posts, 30 days) 110 > 105",)),
        ("Rain", True, ('text matches "rain": "rain"',)),
    ]
    assert found.untold == 1  # 100 or more: who knows whether more than 500


def test_what_somebody_busy_said_is_not_explained_where_it_was_changed_in_silence(busy: Any, alice: Any) -> None:
    PostRow.objects.filter(external_id="rain").update(text="a word that nobody told us was changed")
    found = explained(busy, alice)
    assert [step.rule for step in found.steps] == ["Some", "Very many", "Rain"]
    assert found.untold == 2


def test_rules_are_tried_on_posts_of_somebody_busy_unless_they_ask_for_more_than_is_kept(busy: Any, alice: Any) -> None:
    kept = find_kept(alice, f"#{busy.pk}")
    assert kept is not None
    alone = '[[rule]]\nname = "One"\nwhen = "count(person.posts) {}"\nthen = ["tag:yes"]\n'
    enough, more = (compile_rules(alone.format(asked)) for asked in ("> 50", "> 500"))
    decision = kept.decide(enough)
    assert decision is not None
    assert decision.tags == ("yes",)
    assert kept.explain(enough) == decision.trace
    assert decision.trace[0].because == ("count(person.posts) 100 or more > 50",)
    assert kept.decide(more) is None
    assert kept.explain(more) is None


def test_an_outcome_of_before_the_inputs_were_kept_shows_the_trace_that_it_has(decided: Any, alice: Any) -> None:
    row = OutcomeRow.objects.get(post__external_id="rain")
    old = msgspec.json.decode(row.body)
    for name in ("facts", "decided_at", "author", "handles"):
        old.pop(name, None)
    del old["decision"]["tried"]
    row.body = msgspec.json.encode(old).decode()
    row.save()
    assert [step.rule for step in explained(decided, alice).steps] == ["Known", "Rain"]
    assert explained(decided, alice).untold == 0


def test_a_conversation_that_no_rule_has_read_has_no_explanation(decided: Any, alice: Any) -> None:
    OutcomeRow.objects.all().delete()
    assert explain(read_talk(decided, alice)) is None


def test_a_stored_post_comes_back_as_it_was_heard(hear: Any, make_post: Callable[..., Post]) -> None:
    author = Author(id="7", handle="nadia", name="Nadia", url="https://a.example/@nadia", bio="Reads.")
    post = make_post(
        "Hello @fernway #late", id="1", author=author, url="https://a.example/1", kind="reply", html="<p>Hello</p>",
        lang="en", edited_at=dt.datetime(2026, 11, 21, 11, 58, tzinfo=dt.UTC), in_reply_to="0", thread="0",
        mentions=("fernway",), hashtags=("late",), links=("https://a.example/x",),
        media=(Media(url="https://a.example/1.png", alt="a box"),), metrics=Metrics(likes=3), rating=2.0,
        visibility="unlisted",
    )  # fmt: skip
    hear(post)
    assert post_of(PostRow.objects.select_related("handle").get(external_id="1")) == post
