"""A thread is weighed post by post and as a whole; an image asks for words."""

from __future__ import annotations

import datetime as dt

from rapport.core.guard import GuardFacts, Policy, SentText, check
from rapport.core.guard.policy import Window
from rapport.core.reply import Reply

NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)


def thread(*parts: str, network: str = "mastodon") -> Reply:
    return Reply(network=network, channel=1, target="t", text=parts[0], parts=parts, approved_by=1)


def rules(reply: Reply, facts: GuardFacts | None = None, policy: Policy | None = None) -> list[tuple[str, str]]:
    found = check(reply, facts or GuardFacts(), policy or Policy(), NOW).findings
    return [(each.rule, each.values.get("part", "")) for each in found]


def test_each_post_of_a_thread_has_the_length_of_one() -> None:
    assert rules(thread("a" * 400, "b" * 400)) == []
    assert rules(thread("a" * 400, "b" * 501, "  ")) == [("too-long", "2"), ("empty", "3")]
    assert rules(thread("one", "$AAA $BBB", network="x")) == [("x-cashtag", "2")]
    assert rules(thread("one", "half \ud83d")) == [("unreadable", "2")]


def test_a_thread_is_the_same_as_another_by_all_that_it_says() -> None:
    sent = SentText("Hello.\n\nYour parcel comes on Friday, we are sorry.", 2, 1, NOW - dt.timedelta(hours=1))
    facts = GuardFacts(person=1, recent_texts=(sent,))
    assert rules(thread("Hello.", "Your parcel comes on Friday, we are sorry."), facts) == [("near-same", "")]
    other = thread("Hello.", "Nothing of what anybody said before, and nobody is to be sorry for a thing.")
    assert rules(other, facts) == []


def test_a_thread_needs_room_for_all_of_its_posts_that_have_not_left() -> None:
    policy = Policy().override("mastodon", pace=(Window(3, 3600),))
    sent = (NOW - dt.timedelta(minutes=1),)
    assert rules(thread("a", "b"), GuardFacts(sent_times=sent), policy) == []
    assert rules(thread("a", "b", "c"), GuardFacts(sent_times=sent), policy) == [("pace", "")]
    assert rules(thread("a", "b", "c"), GuardFacts(sent_times=sent, parts_sent=1), policy) == []


def test_a_thread_costs_what_its_posts_cost() -> None:
    policy = Policy(day_budget=40)
    assert ("budget", "") not in rules(thread("a", "b", network="x"), GuardFacts(addressed_us=False), policy)
    assert ("budget", "") in rules(thread("a", "b", "c", network="x"), GuardFacts(addressed_us=False), policy)


def test_an_image_without_words_is_refused_until_somebody_says_that_it_needs_none() -> None:
    reply = Reply(network="mastodon", channel=1, target="t", text="look", approved_by=1)
    verdict = check(reply, GuardFacts(images_without_words=1), Policy(), NOW)
    assert (verdict.standing, [each.rule for each in verdict.findings]) == ("refuse", ["no-alt"])
