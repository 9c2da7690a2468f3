"""Thresholds of a workspace: what counts on its lists, at once for what lies there and for all that comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from conftest import NOON
from rapport.actions.corrections import correct
from rapport.actions.readings import save_reading_settings
from rapport.core.decision import Outcome as Judged
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.felt import intent_bit, mood_number
from rapport.core.reading import Reading
from rapport.core.thresholds import SHIPPED, Thresholds
from rapport.pipeline.worker import Worker
from rapport.store.models import Conversation, Correction, Outcome, Post, ReadingSettings
from rapport.store.queries.readings import read_counting, read_last
from rapport.store.queries.snapshot import read_share

pytestmark = pytest.mark.django_db
ANGRY = "@fernway My parcel is broken and nobody answers"


def reading_of(post: Post) -> Reading:
    return msgspec.json.decode(Outcome.objects.get(pk=post.pk).body, type=Judged).reading


def doubtful(post: Post) -> tuple[str, Thresholds, str]:
    """The intent that the machine is least sure of, thresholds that turn what it counts as, and what it counts as
    then: whichever model reads.
    """
    chances = msgspec.structs.asdict(reading_of(post).intent)
    name = min(chances, key=lambda each: abs(chances[each] - 0.5))
    counts = chances[name] >= 0.5
    turned = chances[name] + 0.001 if counts else chances[name]
    return name, Thresholds(**{name: turned, "negative": 0.99}), "false" if counts else "true"


@pytest.fixture
def heard(hear: Callable[..., Any], make_post: Callable[..., Any]) -> Post:
    hear(make_post(ANGRY, author="n1"))
    return Post.objects.get()


def test_the_lists_follow_at_once_and_so_does_what_comes(
    alice: Any, heard: Post, hear: Callable[..., Any], make_post: Callable[..., Any]
) -> None:
    name, other, _ = doubtful(heard)
    before = Conversation.objects.get()
    assert before.mood == mood_number("negative")
    save_reading_settings(alice, other, None, now=NOON)
    after = Conversation.objects.get()
    assert after.mood == mood_number("neutral")
    assert after.intents ^ before.intents == intent_bit(name)
    assert (Outcome.objects.get().sentiment, Outcome.objects.get().intents) == ("neutral", after.intents)
    hear(make_post(ANGRY, author="n2"))
    second = Conversation.objects.exclude(pk=after.pk).get()
    assert (second.mood, second.intents) == (after.mood, after.intents)
    save_reading_settings(alice, SHIPPED, None, now=NOON)
    assert set(Conversation.objects.values_list("mood", "intents")) == {(before.mood, before.intents)}


def test_only_what_differs_from_the_shipped_numbers_is_kept(alice: Any) -> None:
    save_reading_settings(alice, Thresholds(spam=0.8), 0.1, now=NOON)
    row = ReadingSettings.objects.get()
    assert row.thresholds == {"spam": 0.8}
    assert read_counting(alice.workspace_id) == Thresholds(spam=0.8)
    assert read_share(alice.workspace_id) == 0.1


def test_what_a_correction_contradicts_is_what_counted(alice: Any, heard: Post) -> None:
    name, other, counts = doubtful(heard)
    save_reading_settings(alice, other, None, now=NOON)
    correct(alice, heard, f"intent.{name}", "false" if counts == "true" else "true", now=NOON)
    assert Correction.objects.get().was == counts


def test_a_workspace_sets_its_own_share_of_the_second_look(alice: Any, heard: Post, worker: Worker) -> None:
    save_reading_settings(alice, SHIPPED, 0.0, now=NOON)
    worker.share = 1.0
    compiled = worker._configuration(alice.workspace_id)
    assert compiled.reader._cascade is None


def test_who_may_not_configure_changes_nothing_and_nonsense_is_refused(alice: Any, ben: Any) -> None:
    with pytest.raises(NotAllowed):
        save_reading_settings(ben, Thresholds(spam=0.8), None, now=NOON)
    for share in (-0.1, 1.1, float("nan")):
        with pytest.raises(InvalidInput, match="share"):
            save_reading_settings(alice, SHIPPED, share, now=NOON)
    assert not ReadingSettings.objects.exists()


def test_what_counts_although_it_is_less_likely_than_not_gives_its_reasons(
    alice: Any, heard: Post, hear: Callable[..., Any], make_post: Callable[..., Any]
) -> None:
    before = reading_of(heard)
    named = {line.partition(": ")[0] for line in before.why}
    chances = {"irony": before.irony, "offensive": before.offensive, "urgency": before.urgency}
    quiet = {name for name, chance in chances.items() if 0.02 < chance < 0.5}
    assert quiet
    assert not quiet & named
    save_reading_settings(alice, Thresholds(**dict.fromkeys(quiet, 0.02)), None, now=NOON)
    hear(make_post(ANGRY, author="n2"))
    after = reading_of(Post.objects.exclude(pk=heard.pk).get())
    assert quiet & {line.partition(": ")[0] for line in after.why}
    assert set(before.why) <= set(after.why)


def test_another_workspace_keeps_its_own(alice: Any, charlie: Any, heard: Post) -> None:
    save_reading_settings(charlie, Thresholds(complaint=0.99, negative=0.99), None, now=NOON)
    assert read_counting(alice.workspace_id) == SHIPPED
    assert Conversation.objects.get().mood == mood_number("negative")
    assert [each.post for each in read_last(alice.workspace)] == [heard.pk]
    assert read_last(charlie.workspace) == []
