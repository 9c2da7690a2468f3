"""What was deleted stays deleted, whatever comes when; hidden authors come back; gaps and hours are kept."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import pytest

from conftest import NOON
from rapport.actions import hearing
from rapport.core.post import Author, Post
from rapport.networks.base import Gap, Page
from rapport.store.models import BusMessage, ChannelHour, Conversation, Cursor, Outcome, Tombstone
from rapport.store.models import Gap as GapRow
from rapport.store.models import Post as PostRow

pytestmark = pytest.mark.django_db


def say(number: int, text: str = "The parcel is late", author: str = "ann", **more: Any) -> Post:
    return Post(
        "mastodon", str(number), text, NOON + dt.timedelta(seconds=number), Author(id=author, handle=author), **more
    )


def page(*posts: Post, **more: Any) -> Page:
    return Page("home", posts, "1", **more)


def test_a_create_that_comes_after_its_deletion_stays_out(channel: Any, bus: Any) -> None:
    assert hearing.take_down(channel, ["7"], now=NOON) == 0
    heard = hearing.hear(channel, [say(7), say(8)], bus, now=NOON)
    assert (heard.new, heard.gone) == (1, 1)
    assert list(PostRow.objects.values_list("external_id", flat=True)) == ["8"]


def test_a_post_that_says_it_is_deleted_takes_its_words_along(channel: Any, bus: Any, worker: Any) -> None:
    hearing.hear(channel, [say(7)], bus, now=NOON)
    worker.drain()
    hearing.hear(channel, [say(7, deleted=True)], bus, now=NOON)
    row = PostRow.objects.get()
    assert (row.deleted, row.text) == (True, "")
    assert not Outcome.objects.exists()
    assert Tombstone.objects.count() == 1, "of the post"
    hearing.hear(channel, [say(7, text="The parcel is late, edited", edited_at=NOON)], bus, now=NOON)
    assert PostRow.objects.get().text == ""


@pytest.mark.parametrize("seed", range(20))
def test_any_order_of_create_edit_and_deletion_ends_the_same(seed: int, channel: Any, bus: Any, worker: Any) -> None:
    chance = random.Random(seed)
    ends = []
    for number, gone in ((1, False), (2, True)):
        steps = [
            page(say(number)),
            page(say(number, text="first edit", edited_at=NOON + dt.timedelta(minutes=1))),
            page(say(number, text="second edit", edited_at=NOON + dt.timedelta(minutes=2))),
        ]
        if gone:
            steps.append(page(deleted=(str(number),)))
        chance.shuffle(steps)
        for step in (*steps, *steps[: chance.randrange(4)]):
            hearing.hear_page(channel, step, bus, now=NOON)
        worker.drain()
        row = PostRow.objects.filter(external_id=str(number)).first()
        ends.append(row.text if row is not None and not row.deleted else None)
    assert ends == ["second edit", None]


def test_the_words_of_a_suspended_account_are_hidden_and_come_back(channel: Any, bus: Any, worker: Any) -> None:
    hearing.hear(channel, [say(1), say(2, author="ben")], bus, now=NOON)
    worker.drain()
    hearing.hear_page(channel, page(suspended=("ann",)), bus, now=NOON)
    hidden = PostRow.objects.get(external_id="1")
    assert hidden.deleted
    assert hidden.text, "kept out of sight, because the account may come back"
    conversation = Conversation.objects.get(pk=hidden.conversation_id)
    assert conversation.waiting_since is None
    assert "parcel" not in conversation.preview
    hearing.hear(channel, [say(3)], bus, now=NOON)
    assert PostRow.objects.get(external_id="3").deleted, "what comes late from a hidden account is hidden too"
    hearing.hear_page(channel, page(restored=("ann",)), bus, now=NOON)
    worker.drain()
    assert PostRow.objects.filter(deleted=False).count() == 3
    assert Outcome.objects.count() == 3
    assert Conversation.objects.get(pk=hidden.conversation_id).waiting_since is not None


def test_a_deletion_while_the_account_is_hidden_is_for_good(channel: Any, bus: Any) -> None:
    hearing.hear(channel, [say(1)], bus, now=NOON)
    hearing.hear_page(channel, page(suspended=("ann",)), bus, now=NOON)
    hearing.hear_page(channel, page(deleted=("1",)), bus, now=NOON)
    hearing.hear_page(channel, page(restored=("ann",)), bus, now=NOON)
    assert (PostRow.objects.get().deleted, PostRow.objects.get().text) == (True, "")


def test_a_gap_is_written_down_once(channel: Any, bus: Any) -> None:
    gap = Gap("The server keeps three days.", NOON - dt.timedelta(days=9), NOON - dt.timedelta(days=3))
    for _ in range(2):
        hearing.hear_page(channel, page(gap=gap), bus, now=NOON)
    row = GapRow.objects.get()
    assert (row.reason, row.since, row.seen_at) == (gap.reason, gap.since, None)


def test_hours_count_what_is_new(channel: Any, bus: Any) -> None:
    hearing.hear(channel, [say(1), say(2)], bus, now=NOON)
    hearing.hear(channel, [say(2), say(3)], bus, now=NOON + dt.timedelta(minutes=59))
    hearing.hear(channel, [say(4)], bus, now=NOON + dt.timedelta(minutes=60))
    assert list(ChannelHour.objects.order_by("hour").values_list("posts", flat=True)) == [3, 1]


def test_a_cursor_remembers_the_newest_post_and_the_last_look(channel: Any, bus: Any) -> None:
    hearing.hear_page(channel, page(say(5), say(3)), bus, now=NOON + dt.timedelta(hours=1))
    hearing.hear_page(channel, page(), bus, now=NOON + dt.timedelta(hours=2))
    cursor = Cursor.objects.get()
    assert cursor.last_post_at == NOON + dt.timedelta(seconds=5)
    assert cursor.moved_at == NOON + dt.timedelta(hours=1)
    assert cursor.checked_at == NOON + dt.timedelta(hours=2)


def test_a_delivery_at_the_door_has_its_effect_once(channel: Any, bus: Any) -> None:
    assert hearing.receive(channel, "d1", [page(say(1))], bus, now=NOON) is not None
    assert hearing.receive(channel, "d1", [page(say(2))], bus, now=NOON) is None
    assert PostRow.objects.count() == 1
    assert BusMessage.objects.count() == 1


def test_an_account_that_was_suspended_before_its_first_word_came_stays_hidden(channel: Any, bus: Any) -> None:
    hearing.hear_page(channel, page(suspended=("ann",)), bus, now=NOON)
    hearing.hear_page(channel, page(say(1)), bus, now=NOON)
    assert PostRow.objects.get().deleted
    hearing.hear_page(channel, page(restored=("ann",)), bus, now=NOON)
    hearing.hear_page(channel, page(say(2)), bus, now=NOON)
    assert PostRow.objects.filter(deleted=False).count() == 2
