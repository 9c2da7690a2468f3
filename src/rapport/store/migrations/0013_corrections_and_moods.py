"""Corrections of readings; mood and intents beside every conversation, so that lists can be filtered by them."""

import django.db.models.deletion
import msgspec
from django.db import migrations, models

from rapport.core.felt import felt
from rapport.core.reading import Reading
from rapport.store.queries.sql import update_rows

#: conversations that one step fills
STEP = 2_000
#: what SQLite's planner takes for granted of the two wider indexes, as 0006 told it of the narrower ones
SHAPES = (
    ("listed", "400000 200000 60000 3000 1 1 1 1 1 1 1"),
    ("waiting", "400000 200000 30000 5000 2 1 1 1"),
)


class _Body(msgspec.Struct):
    """As much of an outcome as is needed."""

    reading: Reading


_decoder = msgspec.json.Decoder(_Body)


def fill(apps, schema_editor):
    """Mood and intents of the conversations that are there, from the outcome that decided them, step by step."""
    statement = (
        "SELECT c.id, o.body FROM store_conversation c JOIN store_outcome o ON o.post_id = c.decided_by "
        "WHERE c.id > %s ORDER BY c.id LIMIT %s"
    )
    last = 0
    while True:
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(statement, [last, STEP])
            found = cursor.fetchall()
        if not found:
            return
        update_rows("store_conversation", ("mood", "intents"), [row for row in map(_felt, found) if row])
        last = found[-1][0]


def _felt(row):
    conversation, body = row
    try:
        return (*felt(_decoder.decode(body).reading), conversation)
    except msgspec.MsgspecError:
        return None  # of a release that wrote it otherwise: the next post of the conversation tells it


def estimate(apps, schema_editor):
    """SQLite: dropping an index dropped what its planner knew of it."""
    if schema_editor.connection.vendor == "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        for index, rows in SHAPES:
            cursor.execute("DELETE FROM sqlite_stat1 WHERE tbl = 'store_conversation' AND idx = %s", [index])
            cursor.execute(
                "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('store_conversation', %s, %s)", [index, rows]
            )


class Migration(migrations.Migration):
    dependencies = [("store", "0012_the_score_is_ours_to_weigh")]

    operations = [
        migrations.CreateModel(
            name="Correction",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text_key", models.CharField(max_length=32)),
                ("reading", models.CharField(max_length=24)),
                ("value", models.CharField(max_length=8)),
                ("was", models.CharField(max_length=8)),
                ("model", models.CharField(blank=True, max_length=64)),
                ("machine", models.JSONField(default=list)),
                ("at", models.DateTimeField()),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="corrections",
                        to="store.membership",
                    ),
                ),
                (
                    "post",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="corrections", to="store.post"
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, to="store.workspace"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["workspace", "text_key"], name="corrected_text"),
                    models.Index(fields=["workspace", "reading", "id"], name="corrected_reading"),
                    models.Index(
                        condition=models.Q(("withdrawn_at__isnull", True)),
                        fields=["workspace", "id"],
                        name="correction_in_force",
                    ),
                ],
            },
        ),
        migrations.AddField("workspace", "corrections_version", models.PositiveIntegerField(blank=True, null=True)),
        migrations.AddField("outcome", "intents", models.SmallIntegerField(blank=True, null=True)),
        migrations.AddField("conversation", "mood", models.SmallIntegerField(blank=True, null=True)),
        migrations.AddField("conversation", "intents", models.SmallIntegerField(blank=True, null=True)),
        migrations.RemoveIndex("conversation", "listed"),
        migrations.RemoveIndex("conversation", "waiting"),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AddIndex(
            "conversation",
            models.Index(
                fields=[
                    "workspace",
                    "basket",
                    "state",
                    "last_post_at",
                    "score",
                    "priority",
                    "waiting_since",
                    "assignee",
                    "mood",
                    "intents",
                ],
                include=["id"],
                name="listed",
            ),
        ),
        migrations.AddIndex(
            "conversation",
            models.Index(
                fields=["workspace", "state", "basket", "waiting_since", "assignee", "mood", "intents"],
                include=["id"],
                name="waiting",
            ),
        ),
        migrations.RunPython(estimate, migrations.RunPython.noop),
    ]
