"""A database of before the desk and the gate, brought up to date: `python upgrade.py APPROVALS`, in its own process.

`test_upgrade.py` beside it does. Prints what was found as one JSON line; the settings say which database.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
import time
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rapport.config.django")
BEFORE, AFTER = "0018_rules_routes_and_promises", "0019_the_desk_and_the_gate"
NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


def migrate(name: str) -> tuple[float, Any]:
    """Bring the tables to this migration; how many seconds that took, and the models as they were then."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    began = time.monotonic()
    executor.migrate([("store", name)])
    seconds = time.monotonic() - began
    return seconds, MigrationExecutor(connection).loader.project_state(("store", name)).apps


def fill(apps: Any, count: int) -> None:
    """A workspace in which Alice answered one post `count` times."""
    model = lambda name: apps.get_model("store", name)  # noqa: E731
    workspace = model("Workspace").objects.create(slug="fernway", name="Fernway")
    user = model("User").objects.create(email="alice@fernway.example", name="Alice")
    alice = model("Membership").objects.create(workspace=workspace, user=user, role="agent")
    person = model("Person").objects.create(workspace=workspace, name="Zoë Quill", first_seen=NOW, last_seen=NOW)
    handle = model("Handle").objects.create(
        workspace=workspace, person=person, network="mastodon", external_id="7", handle="zoe", name="Zoë"
    )
    channel = model("Channel").objects.create(workspace=workspace, network="mastodon", slug="m", name="Fernway")
    talk = model("Conversation").objects.create(
        workspace=workspace, network="mastodon", channel=channel, person=person, state="open", last_post_at=NOW
    )
    post = model("Post").objects.create(
        workspace=workspace, channel=channel, handle=handle, conversation_id=talk.pk, network="mastodon",
        external_id="1", kind="post", text="Such lateness", created_at=NOW, seen_at=NOW, sort_at=NOW,
    )  # fmt: skip
    model("Note").objects.create(workspace=workspace, conversation=talk, author=alice, text="Call her", at=NOW)
    model("Draft").objects.create(workspace=workspace, conversation=talk, author=alice, text="Dear", updated_at=NOW)
    for start in range(1, count + 1, 5_000):
        answer(apps, talk, alice, channel, post, range(start, min(start + 5_000, count + 1)))


def answer(apps: Any, talk: Any, by: Any, channel: Any, post: Any, places: range) -> None:
    """Approvals with their deliveries, as a worker of these models writes them."""
    approval, delivery = apps.get_model("store", "Approval"), apps.get_model("store", "Delivery")
    rows = approval.objects.bulk_create(
        approval(
            workspace_id=talk.workspace_id,
            conversation_id=talk.pk,
            channel_id=channel.pk,
            target_id=post.pk,
            person_id=by.pk,
            text=f"Sorry {place}",
            digest="d" * 64,
            approved_at=NOW,
            sequence=place,
            chain=f"{place:064d}",
        )
        for place in places
    )
    delivery.objects.bulk_create(
        delivery(
            workspace_id=talk.workspace_id,
            approval_id=row.pk,
            channel_id=channel.pk,
            conversation_id=talk.pk,
            state="queued",
            idempotency_key=f"key-{row.sequence}",
            next_try_at=NOW,
            queued_at=NOW,
        )
        for row in rows
    )


def schema() -> dict[str, str]:
    """Name -> definition of every index and trigger that somebody wrote; on SQLite also what the planner is told."""
    from django.db import connection

    found = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND type IN ('index', 'trigger')"
    found += " UNION ALL SELECT 'rows of ' || idx, stat FROM sqlite_stat1"
    if connection.vendor == "postgresql":
        found = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()"
    with connection.cursor() as cursor:
        cursor.execute(found)
        return dict(cursor.fetchall())


def rows() -> dict[str, int]:
    from rapport.store.models import Approval, Delivery, Draft, Note, Post

    return {model.__name__: model.objects.count() for model in (Approval, Delivery, Draft, Note, Post)}


def refused(**fields: object) -> bool:
    """Whether the database itself refuses the first approval with these fields."""
    from django.db import IntegrityError, transaction

    from rapport.store.models import Approval

    first = Approval.objects.filter(sequence=1)
    was = first.values(*fields).get()
    try:
        with transaction.atomic():
            first.update(**fields)
    except IntegrityError:
        return True
    first.update(**was)
    return False


def main(count: int) -> dict[str, Any]:
    import django

    django.setup()
    from rapport.store.models import Approval, Channel, Conversation, Membership, Person, Post
    from rapport.store.queries.search import find_conversations

    _, old = migrate(BEFORE)
    fill(old, count)
    before = schema()
    seconds, _ = migrate(AFTER)
    after = schema()
    talk, alice = Conversation.objects.get(), Membership.objects.get()
    answer(old, talk, alice, Channel.objects.get(), Post.objects.get(), range(count + 1, count + 2))
    Person.objects.update(name="Zoë Marrow")
    Post.objects.update(text="Such tardiness")
    words = ("tardiness", "lateness", "marrow", "quill")
    facts: dict[str, Any] = {
        "seconds": round(seconds, 2),
        "changed": sorted(name for name, sql in before.items() if after.get(name, sql) != sql),
        "lost": sorted(name for name in before if name not in after),
        "rows": rows(),
        "acts": list(Approval.objects.values_list("kind", "form", "erased_at").distinct()),
        "found": {word: bool(find_conversations(talk.workspace_id, word, list)) for word in words},
        "refused": {
            "a word of nobody": refused(person_id=None),
            "a reply to nothing": refused(target_id=None),
            "a reply in no conversation": refused(conversation_id=None),
            "a deletion that answers": refused(kind="delete"),
            "a post of our own": refused(kind="post", target_id=None, conversation_id=None),
            "an erased reply": refused(erased_at=NOW, target_id=None, conversation_id=None),
            "a like": refused(kind="like"),
        },
    }
    facts["back"], _ = migrate(BEFORE)
    facts["back"] = round(facts["back"], 2)
    facts["as before"] = schema() == before
    return facts


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1])), default=str))
