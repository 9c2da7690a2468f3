"""What is worth knowing of one's own words: beside the box while one writes, and on a page for leads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from rapport.actions.outbound import approve
from rapport.store.models import Channel, Conversation, Delivery, Post

SAME = "we are sorry for this and look into your case as soon as we can"


@pytest.fixture
def answered(cast: Any, channel: Channel, hear: Any, make_post: Callable[..., Any]) -> list[Conversation]:
    """Four people with different complaints were told the same by two colleagues, in words a little turned round."""
    said = (
        ("ann", "My lamp came broken, where is my refund?"), ("bob", "Nobody answers the phone at your shop in Leeds!"),
        ("cleo", "The kettle leaks and the colour is wrong."), ("dan", "I was charged twice for the same jacket."),
    )  # fmt: skip
    hear(*(make_post(text, author=name) for name, text in said))
    rows = list(Conversation.objects.order_by("pk"))
    for at, row in enumerate(rows):
        target = Post.objects.get(conversation_id=row.pk)
        by = cast.lea if at % 2 else cast.ben
        sent = approve(by, row, f"@x {SAME}", target=target, channel=channel, version=row.version, now=timezone.now())
        Delivery.objects.filter(pk=sent.pk).update(state="sent")
    return rows


def write(client: Client, row: Conversation, text: str) -> str:
    target = Post.objects.filter(conversation_id=row.pk, ours=False).latest("pk")
    form = {"text": text, "target": target.pk, "channel": row.channel_id}
    return client.post(f"/w/fernway/c/{row.pk}/draft", form, headers={"HX-Request": "true"}).content.decode()


def test_while_writing_the_nearest_text_and_the_open_question_stand_beside_the_box(
    answered: list[Conversation], cast: Any, enter: Any, hear: Any, make_post: Callable[..., Any]
) -> None:
    hear(make_post("My chair is late. When does it come?", author="eva"))
    row = Conversation.objects.latest("pk")
    lea = enter(cast.lea)
    told = write(lea, row, f"@eva {SAME.replace('as soon as', 'whenever')} for you")
    assert "% the same as what" in told
    assert "wrote to" in told
    assert "They ask “When does it come?”" in told
    held = write(lea, row, f"@eva {SAME}")
    assert "Nearly the same words" in held  # the guard says it, so the hint does not say it again
    assert "the same as what" not in held
    own = write(lea, row, "@eva Eva, your chair leaves Leeds tonight and comes on Monday at ten.")
    assert "They ask" not in own
    assert "could go to anybody" not in own


def test_a_lead_sees_what_went_to_several_people_nearly_alike(
    answered: list[Conversation], cast: Any, enter: Any
) -> None:
    shown = enter(cast.lea).get("/w/fernway/same-words/").content.decode()
    for told in ("to 4 people", "said 4 times", SAME, "Lea · 2", "Ben · 2", "The kettle leaks"):
        assert told in shown, told
    Delivery.objects.filter(conversation__in=answered[:2]).update(state="cancelled")
    assert "Nobody repeats themselves" in enter(cast.lea).get("/w/fernway/same-words/?days=7").content.decode()
    assert enter(cast.amir).get("/w/fernway/same-words/").status_code == 403
