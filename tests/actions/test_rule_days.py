"""What rules did is counted by the day, and a person who decides otherwise is counted once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from conftest import NOON
from rapport.actions import bulk, desk, outbound
from rapport.actions.rule_days import is_thrown_away, note_override
from rapport.actions.undo import newest_deed, undo
from rapport.core.decision import Decision, Outcome, Route, Score, Step
from rapport.core.errors import NotAllowed
from rapport.core.post import Author, Post
from rapport.core.reading import Reading
from rapport.store.models import AuditEntry, Basket, Conversation, RuleDay, Workspace
from rapport.store.queries import rule_days
from rapport.store.queries.outbound import newest_inbound

pytestmark = pytest.mark.django_db

Hear = Callable[..., Any]
Make = Callable[..., Post]
COMPLAINT = "My parcel arrived broken and nobody answers, this is unacceptable @fernway"


def counted() -> dict[str, tuple[int, int, int]]:
    return {row.rule: (row.fired, row.overridden, row.broken) for row in RuleDay.objects.all()}


def decider(talk: Conversation, verb: str) -> str:
    """The rule whose word of this kind won."""
    body = msgspec.json.decode(talk_outcome(talk).body, type=Outcome)
    return next(
        step.rule
        for step in body.decision.trace
        if step.matched and any(action.startswith(verb) for action in step.actions)
    )


def talk_outcome(talk: Conversation) -> Any:
    from rapport.store.models import Outcome as Row

    return Row.objects.get(post=talk.decided_by)


def basket(slug: str) -> Basket:
    return Basket.objects.get(slug=slug)


def test_every_rule_that_fired_is_counted_once_a_post_and_day(hear: Hear, make_post: Make) -> None:
    hear(make_post(COMPLAINT, author="nadia"), make_post("A bot speaks", author=Author(id="b", handle="b", bot=True)))
    hear(make_post("Another one", author=Author(id="b", handle="b", bot=True)))
    found = counted()
    assert found["Automated account"] == (2, 0, 0)
    row = RuleDay.objects.get(rule="Automated account")
    assert row.day == NOON.date()
    assert row.last_at == NOON
    talk = Conversation.objects.get(person__name="Nadia")
    assert found[decider(talk, "basket:")] == (1, 0, 0)


def test_the_day_is_that_of_the_workspace(alice: Any, hear: Hear, make_post: Make) -> None:
    Workspace.objects.update(timezone="Pacific/Auckland")  # noon in UTC is one in the morning of the next day there
    hear(make_post("Hello"))
    assert {row.day for row in RuleDay.objects.all()} == {NOON.date() + dt.timedelta(days=1)}


def test_a_rule_that_breaks_is_counted_with_its_error_and_the_post(alice: Any) -> None:
    trace = (Step("Odd", False, ("error: no such thing",)), Step("Sorts", True, ("true",), ("basket:care",)))
    decision = Decision("care", trace=trace)
    outcome = Outcome("x", "1", (), Reading("x", "1"), Score(), decision, Route("care"))
    rule_days.count_rules(alice.workspace_id, [(7, outcome)], dt.UTC, NOON)
    later = msgspec.structs.replace(outcome, decision=msgspec.structs.replace(decision, trace=trace[1:]))
    rule_days.count_rules(alice.workspace_id, [(8, later)], dt.UTC, NOON + dt.timedelta(minutes=1))
    assert counted() == {"Odd": (0, 0, 1), "Sorts": (2, 0, 0)}
    odd, sorts = RuleDay.objects.get(rule="Odd"), RuleDay.objects.get(rule="Sorts")
    assert (odd.broken_post, odd.error, odd.last_post) == (7, "no such thing", None)
    assert (sorts.last_post, sorts.last_at) == (8, NOON + dt.timedelta(minutes=1))


def test_a_move_to_another_basket_overrides_the_rule_that_chose_it_once(
    alice: Any, hear: Hear, make_post: Make
) -> None:
    hear(make_post(COMPLAINT))
    talk = Conversation.objects.get()
    chosen, rule = talk.basket, decider(talk, "basket:")
    other = basket("sales")
    moved = desk.move(alice, talk, other, now=NOON)
    desk.move(alice, moved, basket("praise"), now=NOON)
    again = desk.move(alice, Conversation.objects.get(), chosen, now=NOON)
    desk.move(alice, again, other, now=NOON)
    assert counted()[rule] == (1, 1, 0)
    entry = AuditEntry.objects.get(verb=rule_days.OVERRIDDEN)
    assert entry.detail == {"rule": rule, "what": "basket", "before": chosen.slug, "after": "sales"}
    (override,) = rule_days.overrides_of(alice, rule)
    assert (override.conversation, override.what, override.after, override.by) == (talk, "basket", "sales", alice)


def test_a_move_to_where_it_is_already_overrides_nothing(alice: Any, hear: Hear, make_post: Make) -> None:
    hear(make_post(COMPLAINT))
    talk = Conversation.objects.get()
    desk.move(alice, talk, talk.basket, now=NOON)
    assert not AuditEntry.objects.filter(verb=rule_days.OVERRIDDEN).exists()


def test_what_is_taken_out_of_the_quarantine_overrides_the_rule_that_put_it_there(
    alice: Any, hear: Hear, make_post: Make
) -> None:
    hear(make_post("A repost", kind="repost", author=Author(id="b", handle="b", bot=True)))
    talk = Conversation.objects.get()
    desk.take_out(alice, talk, basket("care"), now=NOON)
    assert counted()["Repost by a bot"] == (1, 1, 0)


@pytest.mark.parametrize("act", [desk.reopen, desk.resolve])
def test_only_whoever_may_release_takes_out_of_the_quarantine_by_any_way(
    alice: Any, hear: Hear, make_post: Make, act: Callable[..., Any]
) -> None:
    from rapport.actions.accounts import invite

    hear(make_post("A repost", kind="repost", author=Author(id="b", handle="b", bot=True)))
    Conversation.objects.update(basket=basket("care"))
    rita = invite(alice, "rita@agency.example", "Rita", "restricted", [basket("care")], now=NOON)[0]
    with pytest.raises(NotAllowed):
        act(rita, Conversation.objects.get(), now=NOON)
    with pytest.raises(NotAllowed):
        bulk.change(rita, [Conversation.objects.get().pk], "resolve", now=NOON)
    assert Conversation.objects.get().state == "quarantined"
    act(alice, Conversation.objects.get(), now=NOON)
    assert counted()["Repost by a bot"] == (1, 1 if act is desk.reopen else 0, 0)


def test_a_reply_that_has_nothing_of_the_prepared_draft_overrides_the_rule_that_chose_it(
    alice: Any, channel: Any, hear: Hear, make_post: Make
) -> None:
    hear(make_post(COMPLAINT, author="nadia"))
    talk = Conversation.objects.get()
    rule = decider(talk, "draft:")
    target = newest_inbound(talk)
    assert target is not None
    said = "@nadia Send it to Leeds, a new parcel leaves today."
    outbound.approve(alice, talk, said, target=target, channel=channel, version=talk.version, now=NOON)
    assert counted()[rule] == (1, 1, 0)


def test_a_rule_that_only_proposed_or_observed_is_not_overridden(alice: Any, hear: Hear, make_post: Make) -> None:
    from rapport.actions.rules import save_rules

    rules = "".join(
        f'[[rule]]\nname = "{name}"\nwhen = "true"\nthen = ["basket:care"]\nautonomy = "{name}"\n'
        for name in ("observe", "suggest", "act")
    )
    save_rules(alice, rules, now=NOON)
    hear(make_post(COMPLAINT))
    desk.move(alice, Conversation.objects.get(), basket("sales"), now=NOON)
    assert {name: row[1] for name, row in counted().items()} == {"observe": 0, "suggest": 0, "act": 1}


def test_a_draft_that_was_made_ones_own_is_not_thrown_away() -> None:
    prepared = "Hi Nadia, I am sorry that this went wrong. Which order is it? Ben"
    assert not is_thrown_away(prepared, "Hi Nadia, I'm sorry that this went wrong! Is it the order of Monday?")
    assert is_thrown_away(prepared, "A new parcel leaves today.")
    assert not is_thrown_away("", "Anything")


def test_a_colleague_without_the_basket_is_told_nothing_of_what_was_overridden(
    alice: Any, hear: Hear, make_post: Make
) -> None:
    from rapport.actions.accounts import invite

    hear(make_post(COMPLAINT))
    talk = Conversation.objects.get()
    rule = decider(talk, "basket:")
    desk.move(alice, talk, basket("sales"), now=NOON)
    outsider, _ = invite(alice, "olga@fernway.example", "Olga", "agent", [basket("praise")], now=NOON)
    assert rule_days.overrides_of(outsider, rule) == []
    assert rule_days.shown_posts(outsider, [talk.decided_by or 0]) == []
    assert [post.pk for post in rule_days.shown_posts(alice, [talk.decided_by or 0])] == [talk.decided_by]


def test_a_conversation_that_no_rule_decided_overrides_none(alice: Any, channel: Any) -> None:
    talk = Conversation.objects.create(
        workspace=alice.workspace, network="mastodon", channel=channel, basket=basket("care"), state="open"
    )
    note_override(alice, talk, "basket", "care", "sales", now=NOON)
    assert counted() == {}


def test_a_choice_that_is_undone_counts_no_more_and_a_next_one_does(alice: Any, hear: Hear, make_post: Make) -> None:
    hear(make_post(COMPLAINT))
    talk = Conversation.objects.get()
    rule, other = decider(talk, "basket:"), basket("sales")
    for minute in range(2):
        at = NOON + dt.timedelta(minutes=minute)
        talk = desk.move(alice, Conversation.objects.get(), other, now=at)
        assert counted()[rule] == (1, 1, 0)
        assert [each.at for each in rule_days.overrides_of(alice, rule)] == [at]
        deed = newest_deed(alice, now=at)
        assert deed is not None
        undo(alice, deed, now=at + dt.timedelta(seconds=9))
        assert counted()[rule] == (1, 0, 0)
        assert rule_days.overrides_of(alice, rule) == []
