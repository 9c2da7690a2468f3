"""Workers of the last release write into today's tables while a house is brought up to date: none is turned away.

`test_upgrade.py` beside it brings a filled database up to date. Here stand the tables as they are, on the database that
the tests run on, against what the models of the last release say that they write.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection, models
from django.db.migrations.loader import MigrationLoader

from rapport.actions.acts import approve_act
from rapport.actions.ledger import chain_hash
from rapport.actions.ledger_check import verify
from rapport.actions.outbound import approve
from rapport.core.reply import Reply
from rapport.store.models import Approval, Conversation, Delivery
from rapport.store.queries.outbound import newest_inbound
from rapport.store.queries.parts import reply_as_approved

pytestmark = pytest.mark.django_db
#: the newest migration of the last release, whose workers may run on while the next one's tables are there
RELEASED = "0018_rules_routes_and_promises"


@pytest.fixture(scope="module")
def then() -> Any:
    """The models of the last release."""
    return MigrationLoader(None).project_state(("store", RELEASED)).apps


def columns_of(table: str) -> dict[str, tuple[bool, bool]]:
    """Column -> (may it be null, does the database itself fill it)."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT column_name, is_nullable = 'YES', column_default IS NOT NULL OR is_identity = 'YES' "
                "FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = %s",
                [table],
            )
            return {name: (null, filled) for name, null, filled in cursor.fetchall()}
        cursor.execute(f"PRAGMA table_info({table})")
        return {row[1]: (not row[3], row[4] is not None or bool(row[5])) for row in cursor.fetchall()}


def test_whatever_the_last_release_writes_fits_into_the_tables_of_today(then: Any) -> None:
    """No column of theirs is gone or has become harder to fill, and those that they do not know fill themselves."""
    wrong = []
    for model in then.get_app_config("store").get_models():
        here, theirs = columns_of(model._meta.db_table), {each.column: each for each in model._meta.local_fields}
        if not here:
            wrong.append(f"{model.__name__}: its table is gone")
        for column, each in theirs.items():
            if column not in here:
                wrong.append(f"{model.__name__}.{column} is gone")
            elif each.null and not here[column][0]:
                wrong.append(f"{model.__name__}.{column} takes no null any more")
        for column, (null, filled) in here.items():
            if column not in theirs and not null and not filled:
                wrong.append(f"{model.__name__}.{column} is new, and workers of the last release leave it empty")
    assert wrong == []


def test_no_rule_of_today_refuses_two_rows_that_the_last_release_may_write(then: Any) -> None:
    """A unique rule that is new on an old table covers only rows that have something in a column that is new."""
    from django.apps import apps

    wrong = []
    for old in then.get_app_config("store").get_models():
        new = apps.get_model("store", old.__name__)
        known = {each.name for each in old._meta.constraints}
        names = {each.name for each in old._meta.local_fields}
        for rule in new._meta.constraints:
            if isinstance(rule, models.UniqueConstraint) and rule.name not in known:
                fresh = {field for field in rule.fields if field not in names}
                if not fresh:
                    wrong.append(f"{old.__name__}: {rule.name}")
    assert wrong == []


@pytest.fixture
def talk(alice: Any, channel: Any, hear: Any, make_post: Any) -> Conversation:
    hear(
        make_post("My parcel is broken, @fernway", id="1"), make_post("And so is mine, @fernway", id="2", author="olga")
    )
    return Conversation.objects.order_by("pk")[0]


def test_a_reply_that_a_worker_of_before_wrote_stands_in_the_ledger_and_the_next_one_after_it(
    then: Any, alice: Any, channel: Any, talk: Conversation, now: dt.datetime
) -> None:
    target = newest_inbound(talk)
    assert target is not None
    reply = Reply("mastodon", channel.pk, target.external_id, "@nadia Sorry", to=("nadia",), approved_by=alice.pk)
    row = then.get_model("store", "Approval").objects.create(
        workspace_id=talk.workspace_id, conversation_id=talk.pk, channel_id=channel.pk, target_id=target.pk,
        person_id=alice.pk, text=reply.text, to=list(reply.to), digest=reply.digest, approved_at=now, sequence=1,
        chain="",
    )  # fmt: skip
    written = Approval.objects.get(pk=row.pk)
    Approval.objects.filter(pk=row.pk).update(chain=chain_hash("", written))
    then.get_model("store", "Delivery").objects.create(
        workspace_id=talk.workspace_id, approval_id=row.pk, channel_id=channel.pk, conversation_id=talk.pk,
        state="queued", idempotency_key="key", next_try_at=now, queued_at=now,
    )  # fmt: skip
    then.get_model("store", "AuditEntry").objects.create(
        workspace_id=talk.workspace_id, actor_id=alice.pk, verb="reply.approve", subject="approval",
        subject_id=str(row.pk), detail={"conversation": talk.pk, "digest": reply.digest}, at=now,
    )  # fmt: skip
    assert (written.kind, written.form) == (None, None)
    assert reply_as_approved(Approval.objects.get(pk=row.pk)).digest == reply.digest
    other = Conversation.objects.order_by("pk")[1]
    theirs = newest_inbound(other)
    assert theirs is not None
    approve(alice, other, "@olga We look for it", target=theirs, channel=channel, version=other.version, now=now)
    found = verify(alice.workspace)
    assert (found.entries, found.sequence, found.what) == (2, None, "")
    assert list(Delivery.objects.order_by("pk").values_list("state", flat=True)) == ["queued", "queued"]


def test_a_sender_of_before_takes_no_act_image_or_thread_for_a_reply(
    alice: Any, channel: Any, talk: Conversation, now: dt.datetime
) -> None:
    """It compares the digest of text, target and account, as it knows them, with what was approved, and sends nothing
    where they differ."""
    target = newest_inbound(talk)
    assert target is not None
    approve_act(alice, "like", conversation=talk, post=target, channel=channel, now=now)
    version = Conversation.objects.get(pk=talk.pk).version
    approve(
        alice,
        talk,
        "@nadia First.\n--- ✂ ---\n@nadia Second.",
        target=target,
        channel=channel,
        version=version,
        now=now,
    )
    rows = Approval.objects.exclude(target=None).select_related("target__handle")
    assert {row.kind or "reply" for row in rows} == {"like", "reply"}
    for row in rows:
        assert row.target is not None
        as_then = Reply(
            row.channel.network,
            row.channel_id,
            row.target.external_id,
            row.text,
            row.visibility,
            tuple(row.to),
            alice.pk,
        )
        assert as_then.digest != row.digest, row.kind
