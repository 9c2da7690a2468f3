"""Conversations are the connected components of the reply graph, in any order of arrival."""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rapport.actions.hearing import hear as hear_posts
from rapport.actions.score import clear_score, set_score
from rapport.core.post import Author, Post
from rapport.store.models import Conversation, ConversationTag, Membership, Note
from rapport.store.models import Post as PostRow
from rapport.store.queries import threads

pytestmark = pytest.mark.django_db
FERNWAY = Author(id="id-fernway", handle="fernway", name="Fernway", ours=True)


def conversations() -> dict[str, int | None]:
    return dict(PostRow.objects.values_list("external_id", "conversation_id"))


def test_a_reply_joins_the_conversation_of_its_parent(hear: Any, make_post: Callable[..., Post]) -> None:
    hear(make_post(id="1"), make_post(id="2", in_reply_to="1", author="omar"))
    assert len(set(conversations().values())) == 1


def test_two_branches_are_one_conversation_once_their_missing_root_is_known(
    hear: Any, make_post: Callable[..., Post]
) -> None:
    hear(make_post(id="2", in_reply_to="1"))
    hear(make_post(id="4", in_reply_to="3"))
    assert len(set(conversations().values())) == 2
    hear(make_post(id="3", in_reply_to="1"))
    assert len(set(conversations().values())) == 1
    assert Conversation.objects.filter(state="merged").count() == 1


def test_three_conversations_that_meet_in_one_batch_become_one(hear: Any, make_post: Callable[..., Post]) -> None:
    for number in (1, 3, 5):
        hear(make_post(id=str(number)))
    hear(make_post(id="2", in_reply_to="1", thread="3"), make_post(id="4", in_reply_to="3", thread="5"))
    assert len(set(conversations().values())) == 1


def test_notes_and_assignee_follow_a_merge(hear: Any, make_post: Callable[..., Post], alice: Any, now: Any) -> None:
    from rapport.actions.desk import add_note, assign

    hear(make_post(id="1"))
    hear(make_post(id="3"))
    later = Conversation.objects.get(pk=conversations()["3"])
    add_note(alice, later, "Called her", now=now)
    assign(alice, later, alice, now=now)
    hear(make_post(id="2", in_reply_to="1", thread="3"))
    kept = Conversation.objects.get(pk=conversations()["1"])
    assert Note.objects.get().conversation == kept
    assert kept.assignee == alice
    assert kept.state == "open"


@pytest.mark.parametrize(("said_before", "stands"), [(None, 91), (30, 30)])
def test_a_score_by_hand_follows_a_merge_unless_the_other_one_has_its_own(
    hear: Any, make_post: Callable[..., Post], alice: Membership, now: Any, said_before: float | None, stands: float
) -> None:
    hear(make_post(id="1"))
    hear(make_post(id="3"))
    first, second = (Conversation.objects.get(pk=conversations()[number]) for number in ("1", "3"))
    set_score(alice, second, 91, now=now)
    if said_before is not None:
        set_score(alice, first, said_before, now=now)
    hear(make_post(id="2", in_reply_to="1", thread="3"))
    kept = Conversation.objects.exclude(state="merged").get()
    assert (kept.pk, kept.score_by_hand, kept.score) == (first.pk, stands, stands)
    standing = kept.score_corrections.filter(removed_at=None)
    assert list(standing.values_list("value", flat=True)) == [stands]
    clear_score(alice, kept, now=now)
    assert not standing.exists()


def test_every_table_that_hangs_on_conversations_goes_along_or_has_its_reason_to_stay() -> None:
    elsewhere = {
        "acknowledgement": "one a conversation",
        "conversationtag": "one of a name a conversation",
        "draft": "two of one person become one text",
        "promise": "one of a kind runs: actions.promises",
        "scorecorrection": "one word stands, and what was taken back stays where it was said",
    }
    stays = {
        "check": "a sample that was drawn",
        "notification": "its link leads on to the other one",
        "presence": "says itself anew within seconds",
        "composerclaim": "ends by itself",
    }
    hanging = {
        model._meta.model_name
        for model in apps.get_app_config("store").get_models()
        for field in model._meta.fields
        if field.related_model is Conversation
    }
    assert hanging == {*threads.MOVED, *elsewhere, *stays}


def test_tags_follow_a_merge_and_one_that_was_taken_away_stays_so(
    hear: Any, make_post: Callable[..., Post], now: Any
) -> None:
    hear(make_post(id="1"))
    hear(make_post(id="3"))
    first, second = (Conversation.objects.get(pk=conversations()[number]) for number in ("1", "3"))
    given = {"workspace": first.workspace, "at": now}
    for name, removed in (("vip", now), ("refund", None)):
        ConversationTag.objects.create(conversation=first, name=name, removed_at=removed, **given)
    for name in ("vip", "press"):
        ConversationTag.objects.create(conversation=second, name=name, rule="Press", **given)
    hear(make_post(id="2", in_reply_to="1", thread="3"))
    kept = Conversation.objects.exclude(state="merged").get()
    assert set(kept.tags.filter(removed_at=None).values_list("name", flat=True)) == {"refund", "press"}


def test_our_own_posts_never_open_a_conversation(hear: Any, make_post: Callable[..., Post]) -> None:
    hear(make_post(id="1", author=FERNWAY))
    assert Conversation.objects.get().state == "unopened"
    hear(make_post("How much is it, @fernway?", id="2", in_reply_to="1"))
    assert Conversation.objects.get().state == "open"


def test_reposts_of_one_original_collapse_onto_it(hear: Any, make_post: Callable[..., Post]) -> None:
    hear(make_post(id="1"), *(make_post(id=f"r{n}", kind="repost", thread="1", author=f"fan{n}") for n in range(3)))
    assert len(set(conversations().values())) == 1


def test_reposts_without_an_original_collapse_onto_one_another(hear: Any, make_post: Callable[..., Post]) -> None:
    for number in range(3):
        hear(make_post("RT @nadia: My parcel is wet", id=str(number), kind="repost", author=f"fan{number}"))
    assert len(set(conversations().values())) == 1


def test_one_post_told_twice_is_stored_once(hear: Any, make_post: Callable[..., Post]) -> None:
    post = make_post()
    assert (hear(post).new, hear(post).new) == (1, 0)
    assert PostRow.objects.count() == 1


def read_complete_threads(path: Path, now: Any) -> dict[str, list[Post]]:
    """The complete threads of the file, by their true root, as posts that do not know it."""
    from rapport.networks.files.read import Reject, open_rows

    roots = {}
    with path.open(encoding="utf-8", newline="") as table:
        for record in csv.DictReader(table):
            if record["thread_kind"] == "complete":
                roots[record["tweet_id"]] = record["thread_root_id"]
    threads: dict[str, list[Post]] = defaultdict(list)
    with path.open("rb") as file:
        for row in open_rows(file, now)[1]:
            assert not isinstance(row, Reject)
            for post in row.posts:
                if post.id in roots:
                    assert post.thread is None
                    threads[roots[post.id]].append(post)
    return threads


@pytest.mark.data
@pytest.mark.slow
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32), size=st.sampled_from([1000, 137, 40]))
def test_the_threads_of_real_support_talks_are_rebuilt_in_any_order(
    seed: int, size: int, real_data: Path, channel: Any, bus: Any, worker: Any, now: Any
) -> None:
    threads = read_complete_threads(real_data / "03_twcs" / "threads.csv", now)
    PostRow.objects.all().delete()
    Conversation.objects.all().delete()
    posts = [post for thread in threads.values() for post in thread]
    random.Random(seed).shuffle(posts)
    for at in range(0, len(posts), size):
        hear_posts(channel, posts[at : at + size], bus, now=now)
        worker.drain()
    found: dict[int | None, set[str]] = defaultdict(set)
    for post, conversation in conversations().items():
        found[conversation].add(post)
    assert sorted(map(sorted, found.values())) == sorted(
        sorted(post.id for post in thread) for thread in threads.values()
    )


def test_a_post_that_its_author_deleted_leaves_neither_words_nor_work(
    hear: Any, make_post: Callable[..., Post], channel: Any, now: Any
) -> None:
    from rapport.actions.hearing import take_down
    from rapport.store.models import Outcome

    hear(make_post("My parcel is broken, never again @fernway", id="1"))
    assert Conversation.objects.get().waiting_since
    take_down(channel, ["1"], now=now)
    after = Conversation.objects.get()
    assert (after.state, after.preview, after.why, after.waiting_since) == ("resolved", "", "", None)
    assert PostRow.objects.get().text == ""
    assert not Outcome.objects.exists()


def test_the_rest_of_a_talk_stands_when_one_word_of_it_is_deleted(
    hear: Any, make_post: Callable[..., Post], channel: Any, now: Any
) -> None:
    from rapport.actions.hearing import take_down

    hear(make_post("Where is it, @fernway?", id="1"), make_post("I am furious, never again", id="2", in_reply_to="1"))
    take_down(channel, ["2"], now=now)
    after = Conversation.objects.get()
    assert (after.state, after.preview) == ("open", "Where is it, @fernway?")
