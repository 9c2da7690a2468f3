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
FOUND = 500
#: posts that hold the words and are looked at for one search, at most, newest first
EXAMINED = 20_000
#: people whose conversations are found by their name, at most
PEOPLE = 500
#: posts that are read through for words that no index holds
NEWEST = 30_000
#: posts looked at together
STEP = 1_000
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
    whole = not _may_go_on(terms[-1])
    people = {row for (row,) in _matching("store_person", "id", workspace, terms, PEOPLE, whole)}
    people |= {person for (person,) in _matching("store_handle", "person_id", workspace, terms, PEOPLE, whole)}
    if people:
        # by the person alone: without statistics, SQLite would walk the workspace instead
        rows = Conversation.objects.filter(person_id__in=people).order_by("-last_post_at", "-pk")
        yield list(rows.values_list("pk", flat=True)[:EXAMINED])


def _by_post(workspace: int, terms: list[str]) -> Iterator[list[int]]:
    """Conversations of posts that hold the words, newest posts first, `STEP` posts at a time.

    The last word as it stands comes before the words that begin with it: there are many of those, and putting them
    together costs time that a common word does not need.
    """
    for whole in (True, False) if _may_go_on(terms[-1]) else (True,):
        floor: int | None = None
        for _ in range(0, EXAMINED, STEP):
            rows = _matching("store_post", "id, conversation_id, deleted", workspace, terms, STEP, whole, floor)
            yield [conversation for _, conversation, deleted in rows if conversation is not None and not deleted]
            if len(rows) < STEP:
                break
            floor = rows[-1][0]


def _matching(
    table: str, columns: str, workspace: int, terms: list[str], most: int, whole: bool, below: int | None = None
) -> list[tuple[Any, ...]]:
    """`columns` of at most `most` rows of the workspace that hold the words, newest row first, below the id `below`.

    `whole`: the last word has to be whole, too.
    """
    if connection.vendor == "postgresql":
        return _matching_on_server(table, columns, workspace, terms, most, whole, below)
    query = " AND ".join(f'"{term}"' for term in terms) + ("" if whole else "*")
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
    table: str, columns: str, workspace: int, terms: list[str], most: int, whole: bool, below: int | None
) -> list[tuple[Any, ...]]:
    """As `_matching`. Its index knows no order: what a common word finds is narrowed by id, newest first."""
    text = {"store_post": "text", "store_handle": "handle || ' ' || name", "store_person": "name"}[table]
    query = " || ' & ' || ".join(["rapport_fold(%s)"] * len(terms)) + ("" if whole else " || ':*'")
    statement = (
        f"WITH matching AS MATERIALIZED (SELECT {columns}, id AS place FROM {table} "  # noqa: S608  (our names)
        f"WHERE rapport_words({text}) @@ to_tsquery('simple', {query}) AND workspace_id = %s AND id >= %s AND id < %s"
        ") SELECT * FROM matching ORDER BY place DESC LIMIT %s"
    )
    with connection.cursor() as cursor:
        if below is None:
            cursor.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {table}")  # noqa: S608  (our names)
            below = cursor.fetchone()[0]
        rows: list[tuple[Any, ...]] = []
        for floor in (below - NEWEST, below - 10 * NEWEST, 0):
            cursor.execute(statement, [*terms, workspace, floor, below, most - len(rows)])
            rows += [row[:-1] for row in cursor.fetchall()]
            if len(rows) == most:
                break
            below = floor
        return rows


def _read_through(words: str) -> Iterator[list[int]]:
    """Conversations of the newest posts whose text holds the words just so."""
    # whose they are is seen to by `Sight`: a condition more, and SQLite reads every post of the workspace instead
    newest = Post.objects.aggregate(newest=Max("pk"))["newest"] or 0
    rows = Post.objects.filter(pk__gt=newest - NEWEST, text__icontains=words, deleted=False)
    found = rows.order_by("-pk").values_list("conversation_id", flat=True)
    yield [each for each in found if each is not None]
