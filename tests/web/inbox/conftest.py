"""A complaint that came in through the whole line, and how to build more around it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

COMPLAINT = "Third parcel in a row left in the rain, I am so angry. This is unacceptable, where is my refund?"


@pytest.fixture
def complaint(cast: Any, channel: Any, hear: Callable[..., Any], make_post: Callable[..., Any]) -> Any:
    """Nadia's complaint as a conversation in Care."""
    from rapport.store.models import Basket, Conversation

    hear(make_post(COMPLAINT, author="nadia"))
    row = Conversation.objects.of(cast.workspace).get()
    row.basket = Basket.objects.of(cast.workspace).get(slug="care")
    row.save()
    return row


@pytest.fixture
def many(cast: Any, channel: Any, now: dt.datetime) -> Callable[..., list[Any]]:
    """`many(n, basket=..., **fields)`: n open conversations by n people, without the line."""
    from rapport.store.models import Basket, Conversation, Handle, Person

    def make(count: int, basket: str = "care", **fields: Any) -> list[Any]:
        place = Basket.objects.of(cast.workspace).get(slug=basket)
        rows = []
        for number in range(count):
            person = Person.objects.create(
                workspace=cast.workspace, name=f"Person {number}", first_seen=now, last_seen=now
            )
            Handle.objects.create(
                workspace=cast.workspace, person=person, network="mastodon", handle=f"p{number}", followers=number,
                external_id=f"{basket}-{number}-{person.pk}",
            )  # fmt: skip
            given = {"state": "open", "waiting_since": now, "last_post_at": now, "preview": f"Words {number}", **fields}
            rows.append(
                Conversation.objects.create(
                    workspace=cast.workspace, network="mastodon", channel=channel, person=person, basket=place, **given
                )
            )
        return rows

    return make
