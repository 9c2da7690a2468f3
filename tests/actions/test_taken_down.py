"""A post that its author deleted leaves no word anywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from canary import CANARY, places
from conftest import NOON
from rapport.actions import hearing, webhooks
from rapport.core.post import Post
from rapport.store.models import BusMessage, Conversation, RuleDay, RuleEffect, WebhookCall
from rapport.store.models import Post as Row

pytestmark = pytest.mark.django_db


def test_the_words_of_a_deleted_post_go_everywhere_and_those_of_others_stay(
    alice: Any, channel: Any, bus: Any, hear: Any, make_post: Callable[..., Post]
) -> None:
    said = make_post(f"My {CANARY} parcel is broken, and it rained on it for days", id="1", author="nadia")
    hear(said, make_post("Mine is whole", id="2", author="olga", in_reply_to="1"))
    hear(make_post(said.text, id="3", author="passer", kind="repost", thread="1"))
    row = Row.objects.get(external_id="1")
    talk = Conversation.objects.get(pk=row.conversation_id)
    RuleEffect.objects.create(
        workspace=alice.workspace, conversation=talk, post=row.pk, rule="Storm", verb="webhook", argument="crm",
        level="do", state="done", at=NOON,
    )  # fmt: skip
    hook, _ = webhooks.add_webhook(alice, "crm", "https://crm.example/in", now=NOON)
    for state in ("sent", "queued"):
        call = webhooks._queue(hook, webhooks.tell("Storm", hook, talk, said, NOON), NOON)
        WebhookCall.objects.filter(pk=call.pk).update(state=state)
    other = webhooks._queue(hook, webhooks.tell("Storm", hook, talk, make_post("Mine", id="2"), NOON), NOON)
    RuleDay.objects.create(
        workspace=alice.workspace, rule="Storm", day=NOON.date(), last_at=NOON, broken_post=row.pk, error=CANARY
    )
    bus.append(alice.workspace.pk, [(row.pk, said)], NOON)
    BusMessage.objects.update(state="quarantined")
    hearing.take_down(channel, ["1"], now=NOON)
    # the index of the search finds nothing; its file is swept when somebody is erased, and merged by itself
    assert [place for place in sorted(places()) if "_words" not in place] == []
    assert sorted(Row.objects.filter(deleted=True).values_list("external_id", flat=True)) == ["1", "3"]
    assert [call.state for call in WebhookCall.objects.exclude(pk=other.pk)] == ["sent"]
    assert "Mine" in WebhookCall.objects.get(pk=other.pk).body
    assert Conversation.objects.get(pk=talk.pk).preview == "Mine is whole"


def test_a_deletion_of_what_was_never_heard_changes_nothing(channel: Any, hear: Any, make_post: Any) -> None:
    hear(make_post("Mine is whole", id="2"))
    hearing.take_down(channel, ["1"], now=NOON)
    assert Row.objects.get().text == "Mine is whole"
