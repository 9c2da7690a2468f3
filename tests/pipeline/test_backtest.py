"""A rule set is tried on what was heard: decided again from what was kept, in the background or at a terminal."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from conftest import NOON
from rapport.actions.back_tests import LEASE, ask_back_test, claim_back_test, stop_back_test
from rapport.actions.rule_drafts import begin_draft
from rapport.actions.rules import save_rules
from rapport.core.decision import Outcome as Judged
from rapport.core.errors import InvalidInput, InvalidRule
from rapport.core.post import Author, Post
from rapport.core.rules import compile_rules
from rapport.core.rules.firing import tell
from rapport.pipeline.backtest import carry_out, historian, try_on_history
from rapport.store.models import AuditEntry, BackTest, Basket, Outcome
from rapport.store.models import Post as PostRow
from rapport.store.queries.backtest import read_mentions
from rapport.web.rules.preview import preview_rule
from rapport.web.settings.backtest_shown import remarks

pytestmark = pytest.mark.django_db

EVERYTHING = """
fallback = "questions"
[[rule]]
name = "Words"
when = 'text matches "rain" and language != "xx" and kind == "post" and network == "mastodon"'
then = ["basket:care", "tag:words"]
[[rule]]
name = "Figures"
when = 'author.followers > 100 or author.handle == "nadia" or known(author.bio) or author.name == "Zoe"'
then = ["tag:figures", "priority:high"]
[[rule]]
name = "History"
when = 'count(person.posts, 30 days) >= 1 and count(person.negative) < 50 and not person.ignored'
then = ["tag:known"]
[[rule]]
name = "Asked"
when = 'addressed and has_mention and not has_link and likes < 5'
then = ["notify:duty"]
[[rule]]
name = "Mood"
when = 'complaint >= 0.3 or question >= 0.5 or toward.sentiment == "negative" or score > 30'
then = ["tag:mood", "draft:sorry"]
"""
SINCE, UNTIL = NOON - dt.timedelta(days=30), NOON + dt.timedelta(days=1)


@pytest.fixture
def talked(alice: Any, hear: Any, make_post: Callable[..., Post]) -> Any:
    """Her workspace has heard a few people, over two batches."""
    save_rules(alice, EVERYTHING, "", now=NOON)
    nadia = Author(id="7", handle="nadia", name="Nadia", followers=4120, bio="Rides a bike", verified=True)
    said = ["left in the rain, this is terrible @fernway", "Where is my parcel?", "Thank you, lovely!", "rain again"]
    hear(*(make_post(text, author=nadia, mentions=("fernway",) if "@" in text else ()) for text in said))
    hear(make_post("Broken again, I want my money back", author="olga"), make_post("rain", author=nadia))
    return alice


def test_what_was_kept_decides_as_it_did_then(talked: Any) -> None:
    decided = {}
    rules = compile_rules(EVERYTHING)
    for strided in read_mentions(talked.workspace_id, SINCE, UNTIL, rules.asks, dt.UTC, {}):
        for mention in strided:
            assert mention.case is not None
            ruling = rules.settle(mention.case)
            assert ruling is not None
            decided[mention.row] = tell(ruling, mention.case)
    kept = {row.post_id: msgspec.json.decode(row.body, type=Judged).decision for row in Outcome.objects.all()}
    assert len(decided) == 6
    for row, decision in decided.items():
        assert msgspec.structs.replace(decision, rule_set=kept[row].rule_set) == kept[row]


@pytest.mark.parametrize("asked", ["complaint >= 0.3", "text matches 'rain'", "person.conversations > 0", "likes > 0"])
def test_a_set_that_asks_for_little_decides_alike(talked: Any, asked: str) -> None:
    document = f"[[rule]]\nname = 'One'\nwhen = \"{asked}\"\nthen = ['basket:praise']\n"
    whole = try_on_history(talked.workspace, document + EVERYTHING.partition("\n[[")[2].join(["[[", ""]), SINCE, UNTIL,
                           lambda seen, total: True)  # fmt: skip
    save_rules(talked, "fallback = 'care'\n", now=NOON)
    little = try_on_history(talked.workspace, document, SINCE, UNTIL, lambda seen, total: True)
    assert whole
    assert little
    fired = [next(each.after for each in report.rules if each.rule == "One") for report in (whole, little)]
    assert fired[0] == fired[1]


def test_the_report_tells_what_would_have_been_different(talked: Any) -> None:
    moved = EVERYTHING.replace("basket:care", "basket:praise")
    seen: list[tuple[int, int]] = []

    def watch(*how_far: int) -> bool:
        seen.append((how_far[0], how_far[1]))
        return True

    report = try_on_history(talked.workspace, moved, SINCE, UNTIL, watch)
    assert report is not None
    assert (report.seen, report.different, report.kinds) == (6, 3, {"basket": 3})
    rain = list(PostRow.objects.filter(text__contains="rain").order_by("-pk").values_list("pk", flat=True))
    assert [(each.before, each.after, list(each.examples)) for each in report.tallies] == [("care", "praise", rain)]
    assert seen[0] == (0, 6)
    assert seen[-1] == (6, 6)


def test_only_the_asked_for_time_and_the_words_of_others_count(talked: Any, hear: Any, make_post: Any) -> None:
    hear(make_post("rain, say we", author=Author(id="us", handle="fernway", ours=True)))
    hear(make_post("rain, long ago", author="old", created_at=NOON - dt.timedelta(days=40)))
    reports = [
        try_on_history(talked.workspace, EVERYTHING, since, UNTIL, lambda seen, total: True)
        for since in (SINCE, NOON - dt.timedelta(days=50))
    ]
    assert [report.seen for report in reports if report] == [6, 7]


def test_what_cannot_be_decided_again_is_left_out_and_said(talked: Any) -> None:
    first, second, third, *_ = PostRow.objects.order_by("pk")
    PostRow.objects.filter(pk=first.pk).update(deleted=True)
    PostRow.objects.filter(pk=second.pk).update(edited_at=NOON)
    row = Outcome.objects.get(pk=third.pk)
    row.body = json.dumps(json.loads(row.body) | {"facts": None})
    row.save()
    report = try_on_history(talked.workspace, EVERYTHING, SINCE, UNTIL, lambda seen, total: True)
    assert report is not None
    assert report.left_out == {"deleted": 1, "edited": 1, "history": 1}
    assert report.seen == 3


@pytest.fixture
def busy(alice: Any, hear: Any, make_post: Callable[..., Post]) -> Any:
    """Her workspace has heard somebody say 120 things within two hours, and olga one."""
    save_rules(alice, BUSY, "", now=NOON)
    posts = [
        make_post(f"Word {n}", author="nadia", created_at=NOON - dt.timedelta(minutes=n)) for n in range(120, 0, -1)
    ]
    hear(*posts, make_post("Hello", author="olga"))
    return alice


BUSY = """
[[rule]]
name = "Busy"
when = 'count(person.posts, 1 day) >= 90'
then = ["tag:busy"]
"""


def test_people_with_more_posts_than_are_kept_are_decided_again_too(busy: Any) -> None:
    moved = (
        BUSY + '[[rule]]\nname = "Both"\nwhen = "count(person.posts) + count(person.negative) > 50"\nthen = ["tag:x"]\n'
    )
    report = try_on_history(busy.workspace, moved, SINCE, UNTIL, lambda seen, total: True)
    assert report is not None
    assert (report.seen, report.left_out) == (121, {})
    assert [(each.rule, each.before, each.after) for each in report.rules] == [("Busy", 30, 30), ("Both", None, 69)]


@pytest.mark.parametrize(("span", "left_out"), [("1 day", 19), ("1 hour", 0)])
def test_they_are_left_out_where_a_rule_asks_for_more_than_is_kept_of_them(busy: Any, span: str, left_out: int) -> None:
    more = BUSY.replace("count(person.posts, 1 day) >= 90", f"count(person.posts, {span}) > 105")
    report = try_on_history(busy.workspace, more, SINCE, UNTIL, lambda seen, total: True)
    assert report is not None
    assert (report.seen, report.left_out.get("history", 0)) == (121 - left_out, left_out)


def test_answers_are_held_against_what_the_basket_of_each_set_promises(
    talked: Any, hear: Any, make_post: Callable[..., Post]
) -> None:
    us = Author(id="us", handle="fernway", ours=True)
    start = NOON - dt.timedelta(hours=3)

    def after(minutes: int) -> dt.datetime:
        return start + dt.timedelta(minutes=minutes)

    hear(
        make_post("rain on my tent", id="q", author="kim", created_at=start),
        make_post("and again rain", author="kim", kind="reply", in_reply_to="q", created_at=after(5)),
        make_post("Sorry!", id="a", author=us, kind="reply", in_reply_to="q", created_at=after(30)),
        make_post("still rain", id="r", author="kim", in_reply_to="a", created_at=after(40)),
        make_post("We send a new one", author=us, kind="reply", in_reply_to="r", created_at=after(45)),
    )
    care = Basket.objects.of(talked.workspace).get(slug="care")
    care.promises = {"first": [60, 60, 60, 60], "next": [20, 20, 20, 20]}
    care.save()
    Basket.objects.of(talked.workspace).filter(slug="praise").update(
        promises={"first": [20, 20, 20, 20], "next": [10, 10, 10, 10]}
    )
    moved = EVERYTHING.replace("basket:care", "basket:praise")
    report = try_on_history(talked.workspace, moved, SINCE, UNTIL, lambda seen, total: True)
    assert report is not None
    # 30 minutes to the first answer, counted from the first word, and 5 to the next
    assert {each.basket: (each.late_before, each.before, each.late_after, each.after) for each in report.promises} == {
        "care": (0, 2, 0, 0),
        "praise": (0, 0, 1, 2),
    }


def test_a_trial_is_done_by_a_worker_and_kept_with_its_report(talked: Any) -> None:
    draft = begin_draft(talked, "Rain", EVERYTHING.replace("basket:care", "basket:praise"), now=NOON)
    row = ask_back_test(talked, draft, SINCE, UNTIL, now=NOON)
    claimed = claim_back_test("w", now=NOON)
    assert claimed is not None
    assert carry_out(claimed, lambda: NOON)
    row.refresh_from_db()
    assert (row.state, row.seen, row.total, row.against) == ("done", 6, 6, 2)
    assert row.report["different"] == 3
    assert set(AuditEntry.objects.filter(verb__startswith="back_test.").values_list("verb", flat=True)) == {
        "back_test.ask", "back_test.claim", "back_test.done",
    }  # fmt: skip


def test_a_trial_can_be_stopped_and_then_leaves_no_report(talked: Any) -> None:
    row = ask_back_test(talked, begin_draft(talked, "Rain", now=NOON), SINCE, UNTIL, now=NOON)
    claimed = claim_back_test("w", now=NOON)
    assert claimed is not None
    stop_back_test(talked, row, now=NOON)
    assert not carry_out(claimed, lambda: NOON)
    row.refresh_from_db()
    assert (row.state, row.report) == ("stopped", {})
    with pytest.raises(InvalidInput, match="over already"):
        stop_back_test(talked, row, now=NOON)


def test_the_trial_of_a_worker_that_died_is_taken_over_and_the_dead_one_writes_nothing(talked: Any) -> None:
    row = ask_back_test(talked, begin_draft(talked, "Rain", now=NOON), SINCE, UNTIL, now=NOON)
    dead = claim_back_test("first", now=NOON)
    assert claim_back_test("second", now=NOON + LEASE) is None
    later = NOON + LEASE + dt.timedelta(seconds=1)
    heir = claim_back_test("second", now=later)
    assert dead is not None
    assert heir is not None
    assert not carry_out(dead, lambda: later)
    assert carry_out(heir, lambda: later)
    row.refresh_from_db()
    assert (row.state, row.claimed_by) == ("done", "second")


def test_a_trial_in_which_three_workers_ended_is_given_up_and_says_so(talked: Any) -> None:
    row = ask_back_test(talked, begin_draft(talked, "Rain", now=NOON), SINCE, UNTIL, now=NOON)
    later = NOON
    for worker in ("first", "second", "third"):
        assert claim_back_test(worker, now=later) is not None
        later += LEASE + dt.timedelta(seconds=1)
    assert claim_back_test("fourth", now=later) is None
    row.refresh_from_db()
    assert row.state == "failed"
    assert "3 workers ended" in row.problem


def test_rules_that_cannot_be_used_any_more_are_said_on_the_trial(talked: Any) -> None:
    row = ask_back_test(talked, begin_draft(talked, "Rain", now=NOON), SINCE, UNTIL, now=NOON)
    BackTest.objects.filter(pk=row.pk).update(document="[[rule]]\n")
    claimed = claim_back_test("w", now=NOON)
    assert claimed is not None
    assert not carry_out(claimed, lambda: NOON)
    row.refresh_from_db()
    assert row.state == "failed"
    assert "line 1" in row.problem


def test_a_trial_of_more_than_a_year_or_of_faulty_rules_is_refused(talked: Any) -> None:
    draft = begin_draft(talked, "Rain", now=NOON)
    with pytest.raises(InvalidInput, match="At most a year"):
        ask_back_test(talked, draft, NOON - dt.timedelta(days=400), NOON, now=NOON)
    with pytest.raises(InvalidInput, match="before the end"):
        ask_back_test(talked, draft, NOON, NOON, now=NOON)
    with pytest.raises(InvalidRule):
        ask_back_test(talked, begin_draft(talked, "Faulty", "[[rule]]", now=NOON), SINCE, UNTIL, now=NOON)
    for _ in range(3):
        ask_back_test(talked, draft, SINCE, UNTIL, now=NOON)
    with pytest.raises(InvalidInput, match="3 trials are going on"):
        ask_back_test(talked, draft, SINCE, UNTIL, now=NOON)


@pytest.mark.django_db(transaction=True)
def test_a_worker_looks_for_trials_while_the_line_goes_on(talked: Any) -> None:
    row = ask_back_test(talked, begin_draft(talked, "Rain", now=NOON), SINCE, UNTIL, now=NOON)
    jobs = historian("w", lambda: NOON)
    jobs.look()
    assert jobs._thread is not None
    jobs._thread.join(60)
    row.refresh_from_db()
    assert row.state == "done"


@pytest.mark.parametrize("asked", ["count(person.answers, 30 days) == 0", "person.step == ''"])
def test_what_nobody_looked_up_then_is_taken_for_none_and_said(
    talked: Any, hear: Any, make_post: Any, asked: str
) -> None:
    """Of five people who were new nothing had to be looked up; of one who was known, it was not."""
    document = f'[[rule]]\nname = "One"\nwhen = "{asked}"\nthen = ["basket:praise"]\n'
    report = try_on_history(talked.workspace, document, SINCE, UNTIL, lambda seen, total: True)
    assert report is not None
    assert (report.seen, report.unknown) == (6, {"person": 1})
    assert len([told for told in remarks(report) if told.startswith("Of 1 it is not kept")]) == 1
    assert preview_rule(talked, asked).unknown == 1
    save_rules(talked, EVERYTHING + document, "", now=NOON)
    hear(make_post("And again", author="olga"))
    report = try_on_history(talked.workspace, document, SINCE, UNTIL, lambda seen, total: True)
    assert report is not None
    assert (report.seen, report.unknown) == (7, {"person": 1})
