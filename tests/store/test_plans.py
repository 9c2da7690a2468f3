"""SQLite reads what belongs to one conversation, person or post, and not everything of the workspace."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db
NARROW = [
    ("Note", "conversation"),
    ("Draft", "conversation"),
    ("Task", "conversation"),
    ("Task", "person"),
    ("Approval", "conversation"),
    ("Approval", "target"),
    ("Approval", "handle"),
    ("Delivery", "conversation"),
    ("Attempt", "delivery"),
    ("Post", "conversation"),
]


@pytest.mark.parametrize(("model", "field"), NARROW)
def test_what_belongs_to_one_thing_is_read_by_its_own_index(model: str, field: str) -> None:
    from rapport.store import models

    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL counts for itself what its columns hold")
    rows: Any = getattr(models, model).objects.of(1).filter(**{f"{field}_id": 5})
    plan = rows.order_by().explain()
    assert f"{field}_id=?" in plan, plan


def test_what_is_somebodys_is_walked_from_the_newest() -> None:
    from rapport.store.models import Conversation

    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL counts for itself what its columns hold")
    rows = Conversation.objects.of(1).filter(assignee=3, state="open", network="x").order_by("-last_post_at")
    plan = rows.explain()
    assert "assigned" in plan
    assert "TEMP B-TREE" not in plan
