"""Near-copies fold into one entry with a count, and nobody is lost in it."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from conftest import NOON
from rapport.actions import audit, desk, hearing
from rapport.core.copies import KEPT
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.post import Author, Post
from rapport.pipeline.worker import Worker
from rapport.store.models import Basket, Conversation, Fingerprint, TopicMatch
from rapport.store.models import Post as PostRow
from rapport.store.queries import fingerprints
from rapport.store.queries.conversations import Standing, Word, next_state, read_words, stand

pytestmark = pytest.mark.django_db

WAVE = "The power of the whole street went out and nobody from @fernway answers the phone"
OTHER = "The box that I ordered from your shop in Leeds came home without any cable at all"
Hear = Callable[..., Any]
Make = Callable[..., Post]


@pytest.fixture
def wave(hear: Hear, make_post: Make) -> list[Conversation]:
    """Nadia says it, then Omar and Pia with small changes."""
    hear(make_post(WAVE, author="nadia"))
    hear(make_post(f"RT: {WAVE}!!", author="omar"), make_post(f"{WAVE} https://a.example/1 123", author="pia"))
    return list(Conversation.objects.order_by("pk"))


def states() -> list[str]:
    return list(Conversation.objects.order_by("pk").values_list("state", flat=True))


def counts() -> list[int | None]:
    return list(Conversation.objects.order_by("pk").values_list("copies", flat=True))


def firsts() -> list[int | None]:
    return list(PostRow.objects.order_by("pk").values_list("copy_of", flat=True))


def in_order(field: str = "pk") -> list[Any]:
    return list(PostRow.objects.order_by("pk").values_list(field, flat=True))


def test_near_copies_fold_into_the_first_one_which_tells_how_many(wave: list[Conversation]) -> None:
    first = in_order()[0]
    assert states() == ["open", "folded", "folded"]
    assert firsts() == [None, first, first]
    assert counts() == [2, None, None]
    # the words of each are kept, with their person, basket and how long they wait
    assert all(each.person_id and each.preview and each.basket_id and each.waiting_since for each in wave)


def test_copies_in_one_batch_fold_as_well(hear: Hear, make_post: Make) -> None:
    hear(*(make_post(WAVE, author=f"person{number}") for number in range(5)))
    assert states() == ["open", *["folded"] * 4]
    assert counts()[0] == 4


def test_what_was_said_about_topics_is_counted_for_every_copy(alice: Any, hear: Hear, make_post: Make) -> None:
    from rapport.actions.listening import save_topic

    save_topic(alice, "", "Power", "power", now=NOON)
    hear(*(make_post(WAVE, author=f"person{number}") for number in range(5)))
    assert TopicMatch.objects.count() == 5


def test_the_count_does_not_make_a_reply_that_is_being_written_stale(hear: Hear, make_post: Make) -> None:
    hear(make_post(WAVE, author="nadia"))
    before = Conversation.objects.get().version
    hear(make_post(WAVE, author="omar"))
    assert Conversation.objects.order_by("pk")[0].version == before


@pytest.mark.parametrize(
    "fields",
    [
        {"visibility": "direct", "kind": "message"},
        {"visibility": "private"},
        {"kind": "mail", "visibility": "direct"},
        {"kind": "review", "rating": 1.0},
        {"in_reply_to": "somebody-elses"},
        {"kind": "repost", "in_reply_to": "somebody-elses"},
        {"author": Author(id="id-fernway", handle="fernway", ours=True)},
        {"text": "Thank you so much @fernway"},
    ],
)
def test_what_is_somebodys_own_is_never_folded(hear: Hear, make_post: Make, fields: dict[str, Any]) -> None:
    text = fields.get("text", WAVE)
    hear(make_post(WAVE, author="nadia"))
    hear(make_post(**{"text": text, "author": "omar", **fields}))
    hear(make_post(**{"text": text, "author": "pia", **fields}))
    assert "folded" not in states()
    assert set(firsts()) == {None}


def test_other_words_are_another_entry(hear: Hear, make_post: Make) -> None:
    hear(make_post(WAVE, author="nadia"), make_post(OTHER, author="omar"))
    assert states() == ["open", "open"]


def test_who_goes_on_in_their_own_thread_is_not_folded(hear: Hear, make_post: Make) -> None:
    first = make_post(WAVE, author="nadia")
    hear(first, make_post(WAVE, author="nadia", kind="reply", in_reply_to=first.id, thread=first.id))
    assert (states(), counts()) == (["open"], [None])


def test_a_conversation_opens_by_itself_when_they_say_something_of_their_own(
    hear: Hear, make_post: Make, wave: list[Conversation]
) -> None:
    omar = PostRow.objects.get(handle__handle="omar")
    hear(make_post("I am on oxygen, please hurry", author="omar", kind="reply", in_reply_to=omar.external_id))
    assert states() == ["open", "open", "folded"]
    assert counts()[0] == 1


def test_a_person_can_be_answered_on_their_own(ben: Any, wave: list[Conversation]) -> None:
    desk.unfold(ben, wave[1], now=NOON)
    assert states() == ["open", "open", "folded"]
    assert counts()[0] == 1
    assert Conversation.objects.get(pk=wave[1].pk).opened_at == NOON
    with pytest.raises(InvalidInput, match="not folded"):
        desk.unfold(ben, Conversation.objects.get(pk=wave[1].pk), now=NOON)


def test_what_the_rules_put_aside_is_only_opened_by_those_who_may(ben: Any, wave: list[Conversation]) -> None:
    from rapport.store.models import Outcome

    Outcome.objects.update(quarantined=True)
    ben.role = "restricted"
    ben.save()
    for act in (desk.unfold, desk.reopen, desk.resolve):
        with pytest.raises(NotAllowed, match="does not allow"):
            act(ben, wave[1], now=NOON)


def test_resolving_a_folded_one_counts_it_out(ben: Any, wave: list[Conversation]) -> None:
    desk.resolve(ben, wave[2], now=NOON)
    assert counts()[0] == 1


@pytest.mark.parametrize("state", ["resolved", "pending", "snoozed"])
def test_nobody_is_folded_into_what_people_do_not_look_at_any_more(
    hear: Hear, make_post: Make, wave: list[Conversation], state: str
) -> None:
    Conversation.objects.filter(pk=wave[0].pk).update(state=state)
    hear(make_post(WAVE, author="quentin"))
    hear(make_post(WAVE, author="rosa"))
    assert states() == [state, "folded", "folded", "open", "folded"]
    assert firsts()[-1] == in_order()[-2]
    assert counts() == [2, None, None, 1, None]


def test_who_is_more_urgent_stands_for_themselves(hear: Hear, make_post: Make, wave: list[Conversation]) -> None:
    Conversation.objects.filter(pk=wave[0].pk).update(priority=0)
    hear(make_post(WAVE, author="quentin"))
    assert states()[-1] == "open"


def test_nobody_is_folded_into_a_basket_that_their_team_does_not_see(
    hear: Hear, make_post: Make, wave: list[Conversation]
) -> None:
    from rapport.store.models import Outcome

    Outcome.objects.update(basket="elsewhere")
    hear(make_post(WAVE, author="quentin"))
    assert states()[-1] == "open"


def test_what_the_rules_put_aside_folds_only_into_the_same(
    hear: Hear, make_post: Make, wave: list[Conversation]
) -> None:
    Conversation.objects.filter(pk=wave[0].pk).update(state="quarantined")
    hear(make_post(WAVE, author="quentin"))
    assert states()[-1] == "open"


def test_days_apart_is_not_the_same_wave(hear: Hear, make_post: Make) -> None:
    hear(make_post(WAVE, author="nadia", created_at=NOON - KEPT - dt.timedelta(hours=1)))
    hear(make_post(WAVE, author="omar", created_at=NOON - dt.timedelta(minutes=1)))
    assert states() == ["open", "open"]


@pytest.mark.parametrize("hide", [hearing.take_down, hearing.hide_authors])
def test_when_the_first_is_taken_back_the_next_one_stands_for_the_rest(
    channel: Any, hear: Hear, make_post: Make, wave: list[Conversation], hide: Any
) -> None:
    hide(channel, ["1"] if hide is hearing.take_down else ["id-nadia"], now=NOON)
    assert states() == ["resolved", "open", "folded"]
    assert counts() == [None, 1, None]
    omar = in_order()[1]
    assert firsts()[1:] == [None, omar]
    hear(make_post(WAVE, author="quentin"))
    assert firsts()[-1] == omar
    assert counts() == [None, 2, None, None]


def test_a_copy_that_is_taken_back_is_counted_out(channel: Any, wave: list[Conversation]) -> None:
    hearing.take_down(channel, ["2"], now=NOON)
    assert states() == ["open", "resolved", "folded"]
    assert counts()[0] == 1


def test_a_copy_whose_words_are_changed_stands_for_itself(
    hear: Hear, make_post: Make, wave: list[Conversation]
) -> None:
    hear(make_post("My grandmother is on oxygen and we need somebody at once", id="2", author="omar", edited_at=NOON))
    assert states() == ["open", "open", "folded"]
    assert counts()[0] == 1
    assert firsts()[1] is None


def test_a_copy_with_a_comma_more_stays_one(hear: Hear, make_post: Make, wave: list[Conversation]) -> None:
    hear(make_post(f"{WAVE}, really", id="2", author="omar", edited_at=NOON))
    assert states() == ["open", "folded", "folded"]
    assert counts()[0] == 2


def test_when_the_first_is_changed_into_something_else_nobody_is_hidden_behind_it(
    hear: Hear, make_post: Make, wave: list[Conversation]
) -> None:
    hear(make_post("All is well here again, thank you for coming so soon", id="1", author="nadia", edited_at=NOON))
    assert states() == ["open", "open", "folded"]
    assert counts() == [None, 1, None]
    assert firsts() == [None, None, in_order()[1]]
    hear(make_post(WAVE, author="quentin"))
    assert firsts()[-1] == in_order()[1]


def test_the_count_moves_when_two_conversations_turn_out_to_be_one(
    hear: Hear, make_post: Make, wave: list[Conversation]
) -> None:
    late = make_post(OTHER, author="rosa", kind="reply", in_reply_to="1", thread="77")
    hear(make_post("Has this reached you, dear people?", id="77", author="rosa"))
    hear(late)
    kept = Conversation.objects.exclude(state="merged")
    assert [each.copies for each in kept.order_by("pk")] == [2, None, None]
    # and a folded one that becomes part of another thread is folded no more
    hear(make_post("Mine is out as well", author="omar", kind="reply", in_reply_to="2", thread="77"))
    assert "folded" in states()
    assert states().count("folded") == 1
    assert Conversation.objects.get(pk=wave[0].pk).copies == 1


def test_two_workers_see_what_each_other_recorded(channel: Any, bus: Any, worker: Worker, make_post: Make) -> None:
    other = Worker(bus, lambda: NOON, dt.timedelta(seconds=60))
    for number, who in enumerate((worker, other, worker, other)):
        hearing.hear(channel, [make_post(WAVE, author=f"person{number}")], bus, now=NOON)
        who.drain()
    assert states() == ["open", "folded", "folded", "folded"]
    assert counts()[0] == 3


def test_a_batch_that_is_tried_again_does_not_find_itself(
    channel: Any, bus: Any, worker: Worker, make_post: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, broken = audit.announce, [True]

    def announce(*given: Any, **named: Any) -> None:
        real(*given, **named)
        if broken:
            broken.clear()
            raise RuntimeError("it breaks when all is written, just before the end of the transaction")

    monkeypatch.setattr("rapport.actions.desk.announce", announce)
    hearing.hear(channel, [make_post(WAVE, author="nadia"), make_post(WAVE, author="omar")], bus, now=NOON)
    worker.work_once()
    assert Fingerprint.objects.count() == 0
    worker.drain()
    assert states() == ["open", "folded"]
    assert firsts() == [None, in_order()[0]]


def test_old_and_hidden_fingerprints_are_swept(channel: Any, hear: Hear, make_post: Make) -> None:
    hear(make_post(WAVE, author="nadia"), make_post(OTHER, author="omar"))
    hearing.take_down(channel, ["1"], now=NOON)
    fingerprints.sweep_fingerprints(NOON)
    assert [each.post.external_id for each in Fingerprint.objects.all()] == ["2"]
    fingerprints.sweep_fingerprints(NOON + KEPT + dt.timedelta(seconds=1))
    assert not Fingerprint.objects.exists()


def test_only_so_many_are_kept(alice: Any, hear: Hear, make_post: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprints, "MOST", 2)
    hear(*(make_post(f"{OTHER} {'very ' * n} {chr(97 + n) * 3} {chr(97 + n) * 4} {chr(97 + n) * 5}") for n in range(5)))
    assert Fingerprint.objects.count() > 2
    fingerprints.sweep_fingerprints(NOON)
    assert Fingerprint.objects.count() == 2


def test_the_order_in_which_words_are_read_does_not_matter(wave: list[Conversation]) -> None:
    for words in read_words([each.pk for each in wave]).values():
        assert stand(words) == stand(reversed(words))


def test_moving_the_entry_moves_nobody_else(ben: Any, wave: list[Conversation]) -> None:
    praise = Basket.objects.of(ben.workspace).get(slug="praise")
    desk.move(ben, wave[0], praise, now=NOON)
    assert states() == ["open", "folded", "folded"]
    assert msgspec.to_builtins(counts()) == [2, None, None]


def test_the_folded_are_listed_and_found_when_asked_for_but_for_those_put_aside(
    alice: Any, wave: list[Conversation]
) -> None:
    from rapport.core.search import parse_search
    from rapport.store.models import Outcome
    from rapport.store.queries import desk as reads
    from rapport.store.queries import searching

    def found(*states: str) -> list[int]:
        wanted = parse_search("whole street")
        rows = searching.search(alice, wanted, *([states] if states else []), today=NOON.date(), zone=dt.UTC)
        return sorted(rows.values_list("pk", flat=True))

    def listed() -> list[int]:
        rows = reads.in_state(reads.visible_conversations(alice), "folded")
        return sorted(rows.values_list("pk", flat=True))

    first, *copies = [each.pk for each in wave]
    assert found() == [first]
    assert found("folded") == copies == listed()
    Outcome.objects.filter(post=wave[1].decided_by).update(quarantined=True)
    assert found("folded") == copies[1:] == listed()


def test_every_state_that_follows_from_posts_is_a_declared_move() -> None:
    word = Word(post=1, at=NOON, seen=NOON, ours=False, repost=False, person=1, text="")
    aside, gone = msgspec.structs.replace(word, quarantined=True), msgspec.structs.replace(word, gone=True)
    moves = set()
    for pressing, waits, answered, copy_of, spoke in itertools.product(
        (None, word, aside, gone), (None, NOON), (False, True), (None, 1), (False, True)
    ):
        where = Standing(NOON, waits, pressing, pressing, answered, copy_of)
        moves |= {(state, next_state(state, where, spoke)) for state in Conversation.MOVES if state != "merged"}
    assert {pair for pair in moves if pair[0] != pair[1] not in Conversation.MOVES[pair[0]]} == set()
    assert ("folded", "pending") in moves


def test_a_copy_that_was_answered_elsewhere_waits_for_them(
    wave: list[Conversation], hear: Hear, make_post: Make
) -> None:
    us = Author(id="id-fernway", handle="fernway", ours=True)
    hear(make_post("Power is back, sorry!", author=us, kind="reply", in_reply_to="2"))
    assert states()[:2] == ["open", "pending"]
