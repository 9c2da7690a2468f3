"""Which conversations hold the words of a search, through the indexes of words of migration 0006.

Every word must begin at the beginning of a word; the last one, which may still be being typed, need not be whole. Case
and the accents of Latin do not matter. All words stand in one post, or in one handle with its name, or in one name.
Where a search cannot be cut into words (Chinese, Japanese, Thai, signs), the newest `NEWEST` posts are read through.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.db import OperationalError, connection
from django.db.models import Max

from rapport.core.text import fold, is_spaceless
from rapport.store.models import Conversation, Post

#: conversations that one search finds at most; the newest ones by the posts that hold the words
FOUND = 1_000
#: posts that hold the words and are looked at for one search, at most, newest first
EXAMINED = 20_000
#: people whose conversations are found by their name, at most
PEOPLE = 500
#: posts that are read through for words that no index holds
NEWEST = 30_000
#: posts looked at together
STEP = 2_000
#: letters of the last word from which on it may be the beginning of a longer one
BEGINNING = 3
#: words of a search that count
MAX_TERMS = 12
#: narrows conversations (row ids) to those that somebody sees, in the same order
Sight = Callable[[Sequence[int]], list[int]]


def find_conversations(workspace: int, words: str, sight: Sight) -> list[int]:
    """Row ids of at most `FOUND` conversations in sight: those of people so called, then by the newest post."""
    terms = split_terms(words)
    found: dict[int, None] = {}
    sources = [_by_person(workspace, terms), _by_post(workspace, terms)] if terms else []
    if not terms or any(is_spaceless(letter) for letter in fold(words)):
        sources.append(_read_through(words))
    for source in sources:
        for conversations in source:
            fresh = [each for each in dict.fromkeys(conversations) if each not in found]
            found.update(dict.fromkeys(sight(fresh)))
            if len(found) >= FOUND:
                return list(found)[:FOUND]
    return list(found)


def split_terms(words: str) -> list[str]:
    """The words of a search, cut where both databases cut texts: at everything but letters, digits and accents."""
    kept = "".join(c if _belongs(c) else " " for c in unicodedata.normalize("NFC", words).lower())
    *whole, last = [term for term in kept.split() if any(c.isalnum() for c in term)][:MAX_TERMS] or [""]
    return [*dict.fromkeys(whole), last] if last else []  # the last stays last, said before or not


def _belongs(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "LN" or "\u0300" <= letter <= "\u0331"


def _may_go_on(term: str) -> bool:
    """Whether a last word stands for those that begin with it: "re" would stand for a tenth of all posts."""
    return len(term) >= BEGINNING or not term.isascii()


def _by_person(workspace: int, terms: list[str]) -> Iterator[list[int]]:
    """Conversations of people whose name, or one of whose handles with its name, holds the words."""
    people = {row for (row,) in _matching("store_person", "id", workspace, terms, PEOPLE)}
    people |= {person for (person,) in _matching("store_handle", "person_id", workspace, terms, PEOPLE)}
    if people:
        # by the person alone: without statistics, SQLite would walk the workspace instead
        rows = Conversation.objects.filter(person_id__in=people).order_by("-last_post_at", "-pk")
        yield list(rows.values_list("pk", flat=True)[:EXAMINED])


def _by_post(workspace: int, terms: list[str]) -> Iterator[list[int]]:
    """Conversations of posts that hold the words, newest posts first, `STEP` posts at a time."""
    floor: int | None = None
    examined = 0
    while examined < EXAMINED:
        rows = _matching("store_post", "id, conversation_id, deleted", workspace, terms, STEP, floor)
        yield [conversation for _, conversation, deleted in rows if conversation is not None and not deleted]
        if len(rows) < STEP:
            return
        floor, examined = rows[-1][0], examined + len(rows)


def _matching(
    table: str, columns: str, workspace: int, terms: list[str], most: int, below: int | None = None
) -> list[tuple[Any, ...]]:
    """`columns` of at most `most` rows of the workspace that hold the words, newest row first, below the id `below`."""
    if connection.vendor == "postgresql":
        return _matching_on_server(table, columns, workspace, terms, most, below)
    query = " AND ".join(f'"{term}"' for term in terms) + ("*" if _may_go_on(terms[-1]) else "")
    bound = "AND rowid < %s" if below is not None else ""
    statement = (
        f"SELECT {columns} FROM (SELECT rowid AS found FROM {table}_words WHERE {table}_words MATCH %s {bound} "  # noqa: S608  (our names)
        f"ORDER BY rowid DESC LIMIT %s) CROSS JOIN {table} ON id = found WHERE workspace_id = %s"
    )
    match = f"zzworkspace{workspace} AND {query}"
    with connection.cursor() as cursor:
        try:
            cursor.execute(statement, [match, *([below] if below is not None else []), most, workspace])
        except OperationalError:
            # a letter that SQLite's tables of Unicode cut where ours do not: no word holds it
            return []
        return list(cursor.fetchall())


def _matching_on_server(
    table: str, columns: str, workspace: int, terms: list[str], most: int, below: int | None
) -> list[tuple[Any, ...]]:
    text = {"store_post": "text", "store_handle": "handle || ' ' || name", "store_person": "name"}[table]
    query = " || ' & ' || ".join(["rapport_fold(%s)"] * len(terms)) + (" || ':*'" if _may_go_on(terms[-1]) else "")
    bound = "AND id < %s" if below is not None else ""
    # kept apart, or the planner walks the table from its end and cuts every text into words on the way
    statement = (
        f"WITH matching AS MATERIALIZED (SELECT {columns}, id AS place FROM {table} "  # noqa: S608  (our names)
        f"WHERE to_tsvector('simple', rapport_fold({text})) @@ to_tsquery('simple', {query}) "
        f"AND workspace_id = %s {bound}) SELECT * FROM matching ORDER BY place DESC LIMIT %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [*terms, workspace, *([below] if below is not None else []), most])
        return [row[:-1] for row in cursor.fetchall()]


def _read_through(words: str) -> Iterator[list[int]]:
    """Conversations of the newest posts whose text holds the words just so."""
    # whose they are is seen to by `Sight`: a condition more, and SQLite reads every post of the workspace instead
    newest = Post.objects.aggregate(newest=Max("pk"))["newest"] or 0
    rows = Post.objects.filter(pk__gt=newest - NEWEST, text__icontains=words, deleted=False)
    found = rows.order_by("-pk").values_list("conversation_id", flat=True)
    yield [each for each in found if each is not None]
