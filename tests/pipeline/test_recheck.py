"""Looking at stored posts again: each within the limit, nothing lost on a doubtful answer or by a kill.

The network is a small one in memory that can be told to fail in every way that a network may.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import NOON
from rapport.actions import hearing, outbound
from rapport.core.errors import AddressRefused, GiveUp, InvalidInput, NetworkError, Reauthorise, RetryLater, Unconfirmed
from rapport.core.post import Author, Media, Post
from rapport.networks.base import Account, Capabilities, Page, Rechecked, Sent
from rapport.networks.contract import BaseNetwork
from rapport.networks.http import GuardedSession
from rapport.pipeline.listener import Listener
from rapport.pipeline.recheck import DOUBT, FRESH, Progress, Rechecker
from rapport.pipeline.sender import Sender
from rapport.store.models import AuditEntry, Channel, Conversation, Cursor, Delivery, Handle, Tombstone
from rapport.store.models import Post as PostRow
from rapport.store.queries.outbound import newest_inbound
from rapport.store.queries.recheck import RECHECK
from rapport.store.queries.sources import read_source

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
ERRORS: list[Exception] = [
    RetryLater("busy", 60), RetryLater("down"), GiveUp("no"), Reauthorise("revoked"), Unconfirmed("lost"),
    AddressRefused("private"), InvalidInput("the cursor is not readable"),
]  # fmt: skip


class Place(BaseNetwork):
    """Posts that stand, are gone, or are kept from us, and what was asked."""

    name = title = "mastodon"
    summary = ""
    capabilities = Capabilities(False, False, False, 500, ("public",), recheck_within=86_400.0, recheck_most=5)
    connect_fields = ()

    def __init__(self) -> None:
        self.gone: set[str] = set()
        self.kept: set[str] = set()
        self.edited: dict[str, Post] = {}
        self.asked: list[list[str]] = []
        self.fault: Exception | None = None
        self.says: Rechecked | None = None
        self.budget: int | None = None
        self.pushed = 0

    def streams(self, account: Account) -> tuple[str, ...]:
        return ("notifications",)

    def pull(self, account: Account, stream: str, cursor: str, session: Any) -> Iterable[Page]:  # type: ignore[override]
        yield Page(stream, (), "1")

    def recheck(self, account: Account, ids: Mapping[str, str], session: Any) -> Rechecked:
        self.asked.append(list(ids))
        if self.fault is not None:
            raise self.fault
        if self.says is not None:
            return self.says
        standing = tuple(each for each in ids if each not in self.gone | self.kept)
        return Rechecked(
            standing=standing,
            deleted=tuple(each for each in ids if each in self.gone),
            hidden=tuple(each for each in ids if each in self.kept),
            changed=tuple(self.edited[each] for each in standing if each in self.edited),
            spent=len(ids),
        )

    def recheck_budget(self, account: Account) -> int | None:
        return self.budget

    def push(self, account: Account, reply: Any, key: str, session: Any) -> Sent:
        self.pushed += 1
        return Sent("sent")


class House:
    """A channel with posts, a rechecker on it, and a clock that the test moves."""

    def __init__(self, channel: Channel, bus: Any) -> None:
        self.network, self.channel, self.bus, self.now = Place(), channel, bus, NOON
        self.rechecker = self.made()

    def made(self, days: int = 30) -> Rechecker:
        return Rechecker({"mastodon": self.network}, lambda: None, self.bus, lambda: self.now, days)  # type: ignore[arg-type, return-value, dict-item]

    def hear(self, count: int, start: int = 0, at: dt.datetime | None = None, authors: int = 1) -> list[str]:
        ids = [str(number) for number in range(start, start + count)]
        at = at or self.now
        posts = [
            Post("mastodon", each, f"word {each}", at, Author(id=f"a{int(each) % authors}", handle=f"a{each}"))
            for each in ids
        ]
        hearing.hear(self.channel, posts, self.bus, now=at)
        return ids

    def look(self) -> int:
        self.channel.refresh_from_db()
        return self.rechecker.look_at(self.channel)

    def walk(self, until: dt.timedelta, every: dt.timedelta = dt.timedelta(minutes=10)) -> None:
        end = self.now + until
        while self.now < end:
            self.look()
            self.now += every

    def standing(self) -> set[str]:
        return set(PostRow.objects.filter(deleted=False).values_list("external_id", flat=True))

    @property
    def cursor(self) -> Cursor:
        return Cursor.objects.get(stream=RECHECK)


@pytest.fixture
def house(channel: Channel, bus: Any) -> House:
    return House(channel, bus)


def test_each_post_is_looked_at_within_the_time_that_the_network_allows(house: House) -> None:
    """And not much more often: a walk takes as many requests as it has posts to ask about."""
    start = house.now
    ids = house.hear(43)
    last = dict.fromkeys(ids, start)
    longest = dt.timedelta(0)
    while house.now < start + 5 * DAY:
        before = len(house.network.asked)
        house.look()
        for asked in house.network.asked[before:]:
            for each in asked:
                longest = max(longest, house.now - last[each])
                last[each] = house.now
        house.now += dt.timedelta(minutes=10)
    assert longest <= DAY
    assert all(house.now - moment <= DAY for moment in last.values())
    assert len(house.network.asked) <= 10 * math.ceil(43 / 5), "two walks a day"


def test_the_newest_are_looked_at_first(house: House) -> None:
    house.hear(12, at=house.now - DAY)
    house.look()
    assert house.network.asked == [["11", "10", "9", "8", "7"]]


def test_posts_that_were_heard_a_moment_ago_and_old_ones_are_left_alone(house: House) -> None:
    house.hear(3, at=house.now - 31 * DAY)
    house.hear(3, start=10, at=house.now - 2 * DAY)
    house.hear(3, start=20)
    house.walk(dt.timedelta(hours=9))
    assert {each for asked in house.network.asked for each in asked} == {"10", "11", "12"}


def test_a_deleted_post_is_hidden_its_words_are_gone_and_it_stays_out(house: House) -> None:
    ids = house.hear(3, at=house.now - DAY)
    house.network.gone = {"1"}
    assert house.look() == 1
    row = PostRow.objects.get(external_id="1")
    assert (row.deleted, row.text) == (True, "")
    assert Tombstone.objects.filter(external_id="1").exists()
    assert house.standing() == set(ids) - {"1"}
    assert AuditEntry.objects.filter(verb="posts.recheck").count() == 1
    house.walk(2 * DAY)
    assert sum("1" in asked for asked in house.network.asked) == 1, "what is gone is not asked for again"


def test_an_author_who_is_kept_from_us_is_hidden_and_comes_back(house: House) -> None:
    house.hear(4, at=house.now - DAY, authors=2)
    house.network.kept = {"1", "3"}
    house.look()
    assert house.standing() == {"0", "2"}
    assert Handle.objects.get(external_id="a1").suspended_at
    assert PostRow.objects.get(external_id="1").text, "nothing is forgotten"
    house.network.kept = set()
    house.walk(DAY)
    assert house.standing() == {"0", "1", "2", "3"}
    assert Handle.objects.get(external_id="a1").suspended_at is None


def test_an_author_of_whom_something_stands_is_not_hidden(house: House) -> None:
    house.hear(4, at=house.now - DAY)
    house.network.kept = {"1"}
    house.look()
    assert house.standing() == {"0", "1", "2", "3"}


def test_an_edit_is_taken_over_and_read_again_with_what_is_attached(house: House, worker: Any) -> None:
    author = Author(id="a0", handle="a0", followers=5)
    picture = (Media("image", "https://example.org/a.png"),)
    heard = Post("mastodon", "1", "before", house.now - DAY, author, media=picture)
    hearing.hear(house.channel, [heard], house.bus, now=house.now - DAY)
    worker.drain()
    thin = Author(id="a0")
    house.network.edited = {"1": Post("mastodon", "1", "after", heard.created_at, thin, edited_at=house.now)}
    assert house.look() == 1
    row = PostRow.objects.get(external_id="1")
    assert (row.text, row.edited_at) == ("after", house.now)
    assert "example.org" in row.extra
    batch = house.bus.claim("w", house.now, dt.timedelta(minutes=1))
    assert [(post.text, post.author.handle) for _, post in batch.posts] == [("after", "a0")]
    house.walk(DAY)
    assert AuditEntry.objects.filter(verb="posts.recheck").count() == 1, "the same edit is news once"


def test_where_the_network_tells_no_time_of_an_edit_other_words_are_one(house: House) -> None:
    house.hear(2, at=house.now - DAY)
    same = Post("mastodon", "0", "word  0\n", house.now - DAY, Author(id="a0"))
    other = Post("mastodon", "1", "other words", house.now - DAY, Author(id="a0"))
    house.network.edited = {"0": same, "1": other}
    assert house.look() == 1
    assert PostRow.objects.get(external_id="0").edited_at is None
    assert PostRow.objects.get(external_id="1").edited_at == house.now


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_no_error_deletes_anything(house: House, error: Exception) -> None:
    ids = house.hear(12, at=house.now - DAY)
    house.network.gone, house.network.fault = set(ids), error
    house.walk(DAY)
    assert house.network.asked
    assert house.standing() == set(ids)
    assert not Tombstone.objects.exists()
    if isinstance(error, Reauthorise):
        assert Channel.objects.get().state == Channel.State.REAUTHORISE
        assert len(house.network.asked) == 1
    else:
        assert house.cursor.error, "it is said"


lists = st.lists(st.sampled_from([str(number) for number in range(9)] + ["x", "", "author/a0"]), max_size=9).map(tuple)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(standing=lists, deleted=lists, hidden=lists, unseen=lists)
def test_only_what_is_said_once_and_was_asked_for_counts(
    house: House, standing: Any, deleted: Any, hidden: Any, unseen: Any
) -> None:
    from django.db import transaction

    house.network.capabilities = Capabilities(
        False, False, False, 500, ("public",), recheck_within=86_400.0, recheck_most=6
    )
    house.network.says = Rechecked(standing=standing, deleted=deleted, hidden=hidden, unseen=unseen)
    with transaction.atomic():
        house.hear(6, at=house.now - DAY)
        house.look()
        told = [*standing, *deleted, *hidden]
        gone = set(Tombstone.objects.exclude(external_id__startswith="author/").values_list("external_id", flat=True))
        assert gone == {
            each for each in deleted if each in set("012345") and told.count(each) == 1 and each not in unseen
        }
        transaction.set_rollback(True)


def test_a_network_that_calls_nearly_all_gone_is_asked_twice(house: House) -> None:
    house.network.capabilities = Capabilities(
        False, False, False, 500, ("public",), recheck_within=86_400.0, recheck_most=20
    )
    ids = house.hear(12, at=house.now - DAY)
    house.network.gone = set(ids)
    house.look()
    assert house.standing() == set(ids)
    assert "asked again" in house.cursor.error
    house.network.gone = set()
    house.now += DOUBT
    house.look()
    assert house.standing() == set(ids), "a slip of a moment deletes nothing"
    house.network.gone = set(ids)
    house.walk(DAY)
    assert house.standing() == set(), "what is said twice counts"


def test_a_pause_that_the_network_asks_for_is_kept_and_the_walk_goes_on_where_it_was(house: House) -> None:
    house.hear(7, at=house.now - DAY)
    house.network.fault = RetryLater("busy", 3600)
    house.walk(dt.timedelta(minutes=50))
    assert len(house.network.asked) == 1
    house.network.fault = None
    house.walk(dt.timedelta(hours=10))
    assert house.network.asked[1:] == [["6", "5", "4", "3", "2"], ["1", "0"]]
    assert house.cursor.error == ""


class Killed(BaseException):
    """The process ends here."""


def test_a_process_that_is_killed_in_between_repeats_one_step_and_forgets_none(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = house.hear(30, at=house.now - DAY)
    house.network.gone = {"3", "17", "29"}
    move = hearing._move_cursor
    kills = iter([True, False, True, True, False, False, True])

    def die(*args: Any, **kwargs: Any) -> None:
        move(*args, **kwargs)
        if next(kills, False):
            raise Killed

    monkeypatch.setattr(hearing, "_move_cursor", die)
    end = house.now + DAY / 2
    while house.now < end:
        house.rechecker = house.made()  # nothing but the database survives
        try:
            house.look()
        except Killed:
            assert not AuditEntry.objects.filter(verb="posts.recheck").exists() or house.cursor.value
        house.now += dt.timedelta(minutes=5)
    assert house.standing() == set(ids) - house.network.gone
    assert len(house.network.asked) == 6 + 4, "a kill costs the step that it broke"
    assert {each for asked in house.network.asked for each in asked} == set(ids)


def test_a_budget_lasts_for_the_day_and_what_it_cannot_reach_is_said(house: House) -> None:
    house.network.budget = 8
    house.hear(40, at=house.now - DAY)
    days: dict[dt.date, int] = {}
    said: set[str] = set()
    end = house.now + 6 * DAY
    while house.now < end:
        before = len(house.network.asked)
        house.look()
        said.add(house.cursor.error)
        days[house.now.date()] = days.get(house.now.date(), 0) + sum(map(len, house.network.asked[before:]))
        house.now += dt.timedelta(minutes=10)
    assert max(days.values()) <= 8
    asked = [each for part in house.network.asked for each in part]
    assert set(asked) == {str(number) for number in range(40)}, "one walk goes on over the days until it is whole"
    assert any("has taken" in error for error in said)
    assert any("budget" in error for error in said)


def test_an_account_that_rests_or_is_off_is_not_asked(house: House) -> None:
    house.hear(3, at=house.now - DAY)
    Channel.objects.update(paused_until=house.now + DAY)
    house.look()
    Channel.objects.update(paused_until=None, state=Channel.State.REAUTHORISE)
    house.look()
    Channel.objects.update(state=Channel.State.CONNECTED)
    house.rechecker = house.made(days=0)
    house.look()
    assert house.network.asked == []


def test_the_walk_counts_neither_as_a_stream_that_is_behind_nor_as_an_unreadable_cursor(house: House) -> None:
    house.hear(3, at=house.now - DAY)
    Cursor.objects.create(
        workspace=house.channel.workspace, channel=house.channel, stream=RECHECK, value="nonsense", moved_at=house.now
    )
    listener = Listener(
        {"mastodon": house.network},
        lambda: None,
        house.bus,
        lambda: house.now,
        dt.timedelta(seconds=20),  # type: ignore[arg-type, return-value, dict-item]
    )
    listener.look_at(house.channel)
    assert house.network.asked == [["2", "1", "0"]]
    house.now += dt.timedelta(hours=2)
    listener.look_at(house.channel)
    assert read_source(house.channel, house.now).checked_at == house.now
    assert len(house.network.asked) == 1
    assert not Progress().running


# ---------------------------------------------------------------- before a reply


def approved(house: House, ben: Any, worker: Any) -> Delivery:
    house.hear(1, at=house.now)
    worker.drain()
    conversation = Conversation.objects.get()
    target = newest_inbound(conversation)
    assert target is not None
    return outbound.approve(
        ben, conversation, "@a0 I look into it now.", target=target, channel=house.channel,
        version=conversation.version, now=house.now,
    )  # fmt: skip


def send(house: House) -> Delivery:
    rechecker = house.made()
    networks: Any = {"mastodon": house.network}
    sender = Sender(
        networks,
        lambda: None,
        house.bus,
        lambda: house.now,
        dt.timedelta(minutes=1),
        rechecker.look_before_reply,  # type: ignore[arg-type, return-value]
    )
    sender.send_once()
    return Delivery.objects.get()


def test_a_reply_to_a_post_that_is_gone_is_held_with_the_reason(house: House, alice: Any, worker: Any) -> None:
    approved(house, alice, worker)
    house.now += FRESH * 2
    house.network.gone = {"0"}
    delivery = send(house)
    assert (delivery.state, house.network.pushed) == (Delivery.State.HELD, 0)
    assert "The post that this answers is gone." in delivery.cause
    assert PostRow.objects.get(external_id="0").text == ""


def test_a_reply_to_a_post_that_stands_leaves_after_one_look(house: House, alice: Any, worker: Any) -> None:
    approved(house, alice, worker)
    house.now += FRESH * 2
    assert send(house).state == Delivery.State.SENT
    assert (house.network.asked, house.network.pushed) == ([["0"]], 1)


def test_a_post_that_was_heard_a_moment_ago_is_not_asked_for(house: House, alice: Any, worker: Any) -> None:
    approved(house, alice, worker)
    house.now += FRESH / 2
    assert send(house).state == Delivery.State.SENT
    assert house.network.asked == []


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_look_that_fails_holds_no_reply(house: House, alice: Any, worker: Any, error: NetworkError) -> None:
    approved(house, alice, worker)
    house.now += FRESH * 2
    house.network.fault, house.network.gone = error, {"0"}
    assert send(house).state == Delivery.State.SENT
    assert not PostRow.objects.get(external_id="0").deleted


# ---------------------------------------------------------------- a line that tells of everybody's deletions


def page(*ids: str, young: tuple[str, ...] = ()) -> Page:
    return Page("jetstream", (), "1", deleted=ids, known_only=True, young=young)


def test_deletions_of_the_whole_network_are_remembered_for_what_we_have_and_for_a_day_for_what_is_young(
    house: House,
) -> None:
    from rapport.pipeline.clock import Clock

    house.hear(2)
    hearing.hear_page(
        house.channel, page("1", "77", "78", *map(str, range(100, 1_200)), young=("78",)), house.bus, now=NOON
    )
    assert set(Tombstone.objects.values_list("external_id", flat=True)) == {"1", "78"}
    assert house.standing() == {"0"}
    late = Post("mastodon", "78", "late", NOON, Author(id="z"))
    assert hearing.hear(house.channel, [late], house.bus, now=NOON + dt.timedelta(hours=23)).gone == 1
    Clock(lambda: NOON + dt.timedelta(hours=23)).tick()
    assert Tombstone.objects.count() == 2
    Clock(lambda: NOON + dt.timedelta(hours=25)).tick()
    assert set(Tombstone.objects.values_list("external_id", flat=True)) == {"1"}


def test_deletions_of_posts_that_we_never_had_leave_no_trace_in_the_audit(house: House) -> None:
    hearing.hear_page(house.channel, page("77"), house.bus, now=NOON)
    assert not AuditEntry.objects.filter(verb="posts.take_down").exists()


def test_what_was_just_heard_is_watched_where_the_live_line_does_not_tell(channel: Any, bus: Any) -> None:
    """Edits and deletions of the first minutes are on the desk without a look at everything."""
    from rapport.networks.registry import NETWORKS
    from rapport.pipeline.recheck import WATCHED

    asked: list[list[str]] = []

    class Told(type(NETWORKS["mastodon"])):  # type: ignore[misc]
        def recheck(self, account: Any, ids: Any, session: Any) -> Rechecked:
            asked.append(list(ids))
            session.exchanges += 1
            newer = Post(
                "mastodon", "1", "Better words", NOON, Author(id="ann"), edited_at=NOON + dt.timedelta(minutes=1)
            )
            return Rechecked(standing=("1",), deleted=("2",), changed=(newer,))

    now = NOON
    watcher = Rechecker({"mastodon": Told()}, GuardedSession, bus, lambda: now)
    assert watcher.watch(channel) == 0
    assert asked == [], "nothing was heard, so nobody is asked"
    hearing.hear(
        channel, [Post("mastodon", each, "Words", NOON, Author(id="ann")) for each in ("1", "2")], bus, now=NOON
    )
    now += dt.timedelta(seconds=3)
    assert watcher.is_watched(channel)
    assert watcher.watch(channel) == 2
    assert not watcher.is_watched(channel)
    assert {row.external_id: (row.text, row.deleted) for row in PostRow.objects.all()} == {
        "1": ("Better words", False), "2": ("", True),
    }  # fmt: skip
    now += dt.timedelta(seconds=3)
    watcher.watch(channel)
    assert asked == [["2", "1"], ["1"]]
    now += WATCHED
    watcher.watch(channel)
    assert asked[2:] == [["1"]], "once a minute the newest are looked at, however old"
    now += dt.timedelta(seconds=3)
    watcher.watch(channel)
    assert len(asked) == 3


def test_what_became_of_the_newest_posts_while_nobody_listened_is_found_with_the_first_watch(house: House) -> None:
    house.network.capabilities = msgspec.structs.replace(house.network.capabilities, watch_every=2.0, recheck_most=20)
    ids = house.hear(70)
    house.now += dt.timedelta(hours=5)
    house.network.gone = {"65", "30", "5"}
    house.rechecker = Rechecker({"mastodon": house.network}, GuardedSession, house.bus, lambda: house.now)  # type: ignore[dict-item]
    assert house.rechecker.watch(house.channel) == 2
    assert house.standing() == set(ids) - {"65", "30"}, "what is older than the newest 60 is for the walk"
