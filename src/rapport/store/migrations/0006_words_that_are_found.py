"""Indexes of the words of posts, handles and people, each in the form of its database. `store.queries.search` reads
them; nothing else names them, and no write has to know of them: SQLite keeps them by triggers, PostgreSQL by itself.

A later migration that makes one of these tables anew on SQLite (`AlterField` does) loses its triggers, and has to run
`create_triggers` again; tests/store/test_desk_queries.py fails when one forgets.
"""

import string

from django.db import migrations

#: table -> the text that is found, of the row {row}
FOUND = {
    "store_post": "{row}.text",
    "store_handle": "{row}.handle || ' ' || {row}.name",
    "store_person": "{row}.name",
}
COLUMNS = {"store_post": "text", "store_handle": "handle, name", "store_person": "name"}

# Letters only, in lower case, without the accents of Latin: what unicode61 makes of a text on SQLite. The parser of
# PostgreSQL would take addresses, numbers with points and words with hyphens for one word each. Built for speed, because
# every post pays for it: ASCII has no accents, and translate() takes four times as long as thirty replace().
_FOLDED = (
    "lower(CASE WHEN octet_length(given) = length(given) THEN given "
    "ELSE normalize(regexp_replace(normalize(given, NFD), U&'[\\0300-\\0331]+', '', 'g'), NFC) END)"
)
for sign in string.punctuation:
    _FOLDED = f"replace({_FOLDED}, chr({ord(sign)}), ' ')"
FOLD = f"CREATE FUNCTION rapport_fold(given text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT {_FOLDED} $$"
# Dear, so that the planner asks the index instead of cutting thousands of texts into words on its way. It calls no
# function of ours: while an index is built, PostgreSQL looks for functions among its own alone.
CUT = f"""
CREATE FUNCTION rapport_words(given text) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 10000
AS $$ BEGIN RETURN to_tsvector('simple', {_FOLDED}); END $$
"""
# About what ANALYZE finds on a desk of a year (rapport bench desk.list): rows, then rows for each value of the first
# column, of the first two, and so on. A database that is new, or was never analysed, knows nothing: then SQLite takes
# every index for equally narrow, and reads all posts of a workspace where it could read those of one person.
YEAR = (
    ("store_post", "(workspace_id,network,external_id)", "1000000 500000 100000 1"),
    ("store_post", "(handle_id,sort_at)", "1000000 5 1"),
    ("store_post", "(conversation_id,sort_at)", "1000000 3 1"),
    ("store_post", "(channel_id)", "1000000 100000"),
    ("store_handle", "(workspace_id,network,external_id)", "200000 100000 50000 1"),
    ("store_handle", "(person_id)", "200000 2"),
    ("store_person", "(workspace_id)", "200000 100000"),
    ("store_conversation", "listed", "400000 200000 60000 3000 1 1 1 1 1"),
    ("store_conversation", "waiting", "400000 200000 30000 5000 2 1"),
    ("store_conversation", "assigned", "400000 200000 40000 10000"),
    ("store_conversation", "snoozed", "400000 80000 20"),
    ("store_conversation", "(person_id)", "400000 2"),
    ("store_conversation", "(channel_id)", "400000 100000"),
    ("store_outcome", "(post_id)", "1000000 1"),
)


def estimate(schema_editor):
    """SQLite: let the planner know what a desk looks like; ANALYZE replaces it by what this one looks like."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("PRAGMA analysis_limit=1000")
        cursor.execute("ANALYZE")
        # what a database that has just been made would say of its other tables is not worth keeping
        cursor.execute("DELETE FROM sqlite_stat1")
        for table, index, rows in YEAR:
            cursor.execute("SELECT name FROM pragma_index_list(%s)", [table])
            for (name,) in cursor.fetchall():
                cursor.execute("SELECT group_concat(name) FROM pragma_index_info(%s)", [name])
                columns = f"({cursor.fetchone()[0]})"
                if index in (name, columns):
                    cursor.execute("DELETE FROM sqlite_stat1 WHERE tbl = %s AND idx = %s", [table, name])
                    cursor.execute("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (%s, %s, %s)", [table, name, rows])


def create_triggers(schema_editor):
    """SQLite: keep the words of a row beside it, whoever writes it and however."""
    for table, text in FOUND.items():
        # the word of the workspace narrows what the others find; that it cannot be forged matters to nobody, because
        # the rows themselves are looked at again
        new = f"{text} || ' zzworkspace' || {{row}}.workspace_id".format(row="new")
        old = f"{text} || ' zzworkspace' || {{row}}.workspace_id".format(row="old")
        insert = f"INSERT INTO {table}_words(rowid, words) VALUES (new.id, {new});"  # noqa: S608  (our names)
        remove = f"INSERT INTO {table}_words({table}_words, rowid, words) VALUES ('delete', old.id, {old});"  # noqa: S608
        changed = f"({new}) IS NOT ({old})"
        for name, event, body in (
            ("added", "AFTER INSERT ON {table}", insert),
            ("removed", "AFTER DELETE ON {table}", remove),
            ("changed", f"AFTER UPDATE OF {COLUMNS[table]} ON {{table}} WHEN {changed}", remove + insert),
        ):
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_{name}")
            schema_editor.execute(f"CREATE TRIGGER {table}_{name} {event.format(table=table)} BEGIN {body} END")


def create(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(FOLD, params=None)
        schema_editor.execute(CUT, params=None)
        for table, text in FOUND.items():
            words = f"rapport_words({text.format(row=table)})"
            schema_editor.execute(f"CREATE INDEX {table}_words ON {table} USING gin (({words}))")
        return
    for table, text in FOUND.items():
        # neither the texts nor the places of words are kept a second time: a search asks which rows hold them all
        schema_editor.execute(
            f"CREATE VIRTUAL TABLE {table}_words USING fts5("
            "words, content='', columnsize=0, detail=none, tokenize='unicode61 remove_diacritics 2')"
        )
        words = f"{text} || ' zzworkspace' || {{row}}.workspace_id".format(row=table)
        fill = f"INSERT INTO {table}_words(rowid, words) SELECT id, {words} FROM {table} ORDER BY id"  # noqa: S608
        schema_editor.execute(fill)
    create_triggers(schema_editor)
    estimate(schema_editor)


def drop(apps, schema_editor):
    on_server = schema_editor.connection.vendor == "postgresql"
    for table in FOUND:
        if on_server:
            schema_editor.execute(f"DROP INDEX {table}_words")
            continue
        for name in ("added", "removed", "changed"):
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_{name}")
        schema_editor.execute(f"DROP TABLE {table}_words")
    if on_server:
        schema_editor.execute("DROP FUNCTION rapport_words(text)")
        schema_editor.execute("DROP FUNCTION rapport_fold(text)")


class Migration(migrations.Migration):
    dependencies = [("store", "0005_the_desk_at_size")]

    operations = [migrations.RunPython(create, drop)]
