"""Accounts that look automated are told apart where posts are counted: beside every conversation, in the hours of moods,
and by an index of the few accounts. Only columns that are null: on SQLite they are added without making a table anew.
"""

from django.db import migrations, models

#: what SQLite's planner takes for granted of these indexes, as 0013 told it of the narrower ones
SHAPES = (
    ("store_conversation", "listed", "400000 200000 60000 3000 1 1 1 1 1 1 1 1"),
    ("store_conversation", "waiting", "400000 200000 30000 5000 2 1 1 1 1"),
    ("store_handle", "automated_handle", "10000 5000"),
)
#: conversations in which accounts that look automated speak, and nobody else who is not of ours
FILL = """
UPDATE store_conversation SET automated = TRUE WHERE id IN (
    SELECT p.conversation_id FROM store_handle h JOIN store_post p ON p.handle_id = h.id
    WHERE (h.bot OR h.bot_score >= 0.8) AND NOT p.ours
) AND NOT EXISTS (
    SELECT 1 FROM store_post p JOIN store_handle h ON h.id = p.handle_id
    WHERE p.conversation_id = store_conversation.id AND NOT p.ours AND NOT p.deleted
    AND NOT COALESCE(h.bot OR h.bot_word OR (h.bot_word IS NULL AND h.bot_score >= 0.8), FALSE)
)
"""


def fill(apps, schema_editor):
    """What is known of the accounts so far; from now on it is kept with every post."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(FILL)


def estimate(apps, schema_editor):
    """SQLite: dropping an index dropped what its planner knew of it."""
    if schema_editor.connection.vendor == "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        for table, index, rows in SHAPES:
            cursor.execute("DELETE FROM sqlite_stat1 WHERE tbl = %s AND idx = %s", [table, index])
            cursor.execute("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (%s, %s, %s)", [table, index, rows])


class Migration(migrations.Migration):
    dependencies = [("store", "0016_team_models")]

    operations = [
        migrations.AddField("conversation", "automated", models.BooleanField(blank=True, null=True)),
        migrations.AddField("moodhour", "automated", models.PositiveIntegerField(blank=True, null=True)),
        migrations.AddField("moodhour", "automated_negative", models.PositiveIntegerField(blank=True, null=True)),
        migrations.AddIndex(
            "handle",
            models.Index(
                condition=models.Q(("bot", True), ("bot_word", True), ("bot_score__gte", 0.8), _connector="OR"),
                fields=["workspace"],
                name="automated_handle",
            ),
        ),
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
                    "automated",
                ],
                include=["id"],
                name="listed",
            ),
        ),
        migrations.AddIndex(
            "conversation",
            models.Index(
                fields=["workspace", "state", "basket", "waiting_since", "assignee", "mood", "intents", "automated"],
                include=["id"],
                name="waiting",
            ),
        ),
        migrations.RunPython(estimate, migrations.RunPython.noop),
    ]
