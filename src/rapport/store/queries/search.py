"""Which conversations hold the words of a search, through the indexes of words of migration 0006.

Every word must begin at the beginning of a word; the last one, which may still be being typed, need not be whole. Case
and the accents of Latin do not matter. All words stand in one post, or in one handle with its name, or in one name.
Where a search cannot be cut into words (Chinese, Japanese, Thai, signs), the newest `NEWEST` posts are read through.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec
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
#: what the index of a table is made of
_TEXTS = {"store_post": "text", "store_handle": "handle || ' ' || name", "store_person": "name"}
#: words of a search that count
MAX_TERMS = 12
#: narrows conversations (row ids) to those that somebody sees, in the same order
Sight = Callable[[Sequence[int]], list[int]]


class Sought(msgspec.Struct, frozen=True):
    """What the words of a search come to."""

    #: the last one may be the beginning of a longer word
    terms: list[str]
    #: words that stand side by side
    phrases: list[list[str]] = []
    #: words, or words side by side, that may not be there
    without: list[list[str]] = []

    @property
    def sequences(self) -> bool:
        """Whether texts have to be read: the index knows which words a text has, not where they stand."""
        return any(len(each) > 1 for each in (*self.phrases, *self.without))

    @property
    def needed(self) -> list[str]:
        """Every word that has to be there; the last one is the last of `terms`."""
        among = [word for each in self.phrases for word in each if word not in self.terms]
        return [*dict.fromkeys(among), *self.terms]

    @property
    def unwanted(self) -> list[str]:
        """Words whose sight alone is enough to leave a text out."""
        return [each[0] for each in self.without if len(each) == 1]

    def is_held_by(self, text: str) -> bool:
        """Whether the words of each phrase stand side by side in a text that has them, and no phrase to leave out."""
        said = [fold(word) for word in split_phrase(text, None)]
        return all(_side_by_side(each, said) for each in self.phrases if len(each) > 1) and not any(
            _side_by_side(each, said) for each in self.without if len(each) > 1
        )

    def stands_in(self, text: str) -> bool:
        """Whether a text has every word and none that is unwanted, as the index of words finds it."""
        said = [fold(word) for word in split_phrase(text, None)]
        words = set(said)
        *needed, last = [fold(word) for word in self.needed]
        ends = last in words or (self.may_go_on and any(word.startswith(last) for word in said))
        return (
            ends and words.issuperset(needed) and words.isdisjoint(map(fold, self.unwanted)) and self.is_held_by(text)
        )

    @property
    def may_go_on(self) -> bool:
        """Whether the last word stands for those that begin with it."""
        return bool(self.terms) and _may_go_on(self.terms[-1])


def find_conversations(
    workspace: int, words: str, sight: Sight, most: int | None = None, *,
    phrases: Sequence[str] = (), without: Sequence[str] = (),
) -> list[int]:  # fmt: skip
    """Row ids of at most `most` conversations in sight (None: `FOUND`): by people so called, then by newest post.

    `phrases`: words that stand side by side; `without`: words or phrases that what is found does not hold.
    """
    most = FOUND if most is None else most
    sought = _sought(words, phrases, without)
    sources = [_by_person(workspace, sought), _by_post(workspace, sought)] if sought.needed else []
    asked = [each for each in (words, *phrases) if each]
    if _to_be_read_through(sought, asked):
        sources.append(_read_through(asked, without))
    return gather(sources, sight, most)


def find_among(
    conversations: Sequence[int], words: str, *, phrases: Sequence[str] = (), without: Sequence[str] = ()
) -> list[int]:
    """Those of a few conversations that `find_conversations` would find, by reading what is said in them.

    Letters are folded as rules fold them, so "strasse" finds "Straße" here, which the index does not.
    """
    sought = _sought(words, phrases, without)
    asked = [each for each in (words, *phrases) if each]
    read_through = _to_be_read_through(sought, asked)
    posts = Post.objects.filter(conversation_id__in=conversations, deleted=False)
    found = {
        conversation
        for conversation, text in posts.values_list("conversation_id", "text")
        if (sought.needed and sought.stands_in(text)) or (read_through and _has_just_so(text, asked, without))
    }
    if sought.needed:
        people = Conversation.objects.filter(pk__in=conversations, person__isnull=False)
        handles = people.values_list("pk", "person__name", "person__handles__handle", "person__handles__name")
        found |= {
            conversation
            for conversation, name, handle, called in handles
            if sought.stands_in(name or "") or sought.stands_in(f"{handle or ''} {called or ''}")
        }
    return [each for each in conversations if each in found]


def _sought(words: str, phrases: Sequence[str], without: Sequence[str]) -> Sought:
    cut, left_out = ([split_phrase(each) for each in said] for said in (phrases, without))
    return Sought(split_terms(words), [each for each in cut if each], [each for each in left_out if each])


def _to_be_read_through(sought: Sought, asked: Sequence[str]) -> bool:
    """Whether no index, or not the index alone, finds these words."""
    return not sought.needed or any(is_spaceless(letter) for each in asked for letter in fold(each))


def _has_just_so(text: str, asked: Sequence[str], without: Sequence[str]) -> bool:
    said = text.lower()
    return all(each.lower() in said for each in asked) and not any(each.lower() in said for each in without)


def gather(sources: Iterable[Iterable[Sequence[int]]], sight: Sight, most: int = FOUND) -> list[int]:
    """At most `most` of what the sources bring and `sight` lets through, in their order, each once."""
    found: dict[int, None] = {}
    for source in sources:
        for conversations in source:
            fresh = [each for each in dict.fromkeys(conversations) if each not in found]
            found.update(dict.fromkeys(sight(fresh)))
            if len(found) >= most:
                return list(found)[:most]
    return list(found)


def find_people(workspace: int, words: str) -> list[int]:
    """Row ids of at most twice `PEOPLE` people whose name, or one of whose handles with its name, holds the words."""
    terms = split_terms(words)
    if not terms:
        return []
    return sorted(_people_called(workspace, Sought(terms)))


def conversations_holding(workspace: int, words: str, most: int = 5_000) -> list[int]:
    """Conversations of the newest `most` posts that hold the words side by side."""
    cut = split_phrase(words)
    rows = _matching("store_post", "id, conversation_id", workspace, Sought([], [cut]), most, True) if cut else []
    return [conversation for _, conversation, *_ in _held(rows, Sought([], [cut])) if conversation is not None]


def _held(rows: list[tuple[Any, ...]], sought: Sought) -> list[tuple[Any, ...]]:
    """The rows whose text, their last column, has the words where they have to stand."""
    return [row for row in rows if sought.is_held_by(row[-1])] if sought.sequences else rows


def _side_by_side(words: Sequence[str], said: Sequence[str]) -> bool:
    wanted = [fold(word) for word in words]
    return any(said[at : at + len(wanted)] == wanted for at in range(len(said) - len(wanted) + 1))


def _people_called(workspace: int, sought: Sought) -> set[int]:
    whole = not sought.may_go_on
    names = _matching("store_person", "id", workspace, sought, PEOPLE, whole)
    handles = _matching("store_handle", "person_id", workspace, sought, PEOPLE, whole)
    return {row[0] for row in _held([*names, *handles], sought)}


def split_terms(words: str) -> list[str]:
    """The words of a search, cut where both databases cut texts: at everything but letters, digits and accents."""
    kept = "".join(c if _belongs(c) else " " for c in unicodedata.normalize("NFC", words).lower())
    *whole, last = [term for term in kept.split() if any(c.isalnum() for c in term)][:MAX_TERMS] or [""]
    return [*dict.fromkeys(whole), last] if last else []  # the last stays last, said before or not


def split_phrase(words: str, most: int | None = MAX_TERMS) -> list[str]:
    """The first `most` words of a phrase in their order, cut as `split_terms` cuts, a word that comes twice twice."""
    kept = "".join(c if _belongs(c) else " " for c in unicodedata.normalize("NFC", words).lower())
    return [term for term in kept.split() if any(c.isalnum() for c in term)][:most]


def _belongs(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "LN" or "\u0300" <= letter <= "\u0331"


def _may_go_on(term: str) -> bool:
    """Whether a last word stands for those that begin with it: "re" would stand for a tenth of all posts."""
    return len(term) >= BEGINNING or not term.isascii()


def _by_person(workspace: int, sought: Sought) -> Iterator[list[int]]:
    """Conversations of people whose name, or one of whose handles with its name, holds the words."""
    people = _people_called(workspace, sought)
    if people:
        # by the person alone: without statistics, SQLite would walk the workspace instead
        rows = Conversation.objects.filter(person_id__in=people).order_by("-last_post_at", "-pk")
        yield list(rows.values_list("pk", flat=True)[:EXAMINED])


def _by_post(workspace: int, sought: Sought) -> Iterator[list[int]]:
    """Conversations of posts that hold the words, newest posts first, `STEP` posts at a time.

    The last word as it stands comes before the words that begin with it: there are many of those, and putting them
    together costs time that a common word does not need.
    """
    for whole in (True, False) if sought.may_go_on else (True,):
        floor: int | None = None
        for _ in range(0, EXAMINED, STEP):
            rows = _matching("store_post", "id, conversation_id, deleted", workspace, sought, STEP, whole, floor)
            held = _held(rows, sought)
            yield [conversation for _, conversation, deleted, *_ in held if conversation is not None and not deleted]
            if len(rows) < STEP:
                break
            floor = rows[-1][0]


def _matching(
    table: str, columns: str, workspace: int, sought: Sought, most: int, whole: bool, below: int | None = None
) -> list[tuple[Any, ...]]:
    """`columns` of at most `most` rows of the workspace that hold the words, newest row first, below the id `below`.

    `whole`: the last word has to be whole, too.
    """
    if connection.vendor == "postgresql":
        return _matching_on_server(table, columns, workspace, sought, most, whole, below)
    query = " AND ".join(f'"{term}"' for term in sought.needed) + ("" if whole or not sought.terms else "*")
    query += "".join(f' NOT "{word}"' for word in sought.unwanted)
    columns += f", {_TEXTS[table]}" if sought.sequences else ""
    bound = "AND rowid < %s" if below is not None else ""
    statement = (
        f"SELECT {columns} FROM (SELECT rowid AS found FROM {table}_words WHERE {table}_words MATCH %s {bound} "  # noqa: S608  (our names)
        f"ORDER BY rowid DESC LIMIT %s) CROSS JOIN {table} ON id = found WHERE workspace_id = %s"
    )
    match = f"zzworkspace{workspace} AND {query}"  # NOT binds closer than AND
    with connection.cursor() as cursor:
        try:
            cursor.execute(statement, [match, *([below] if below is not None else []), most, workspace])
        except OperationalError:
            # a letter that SQLite's tables of Unicode cut where ours do not: no word holds it
            return []
        return list(cursor.fetchall())


def _matching_on_server(
    table: str, columns: str, workspace: int, sought: Sought, most: int, whole: bool, below: int | None
) -> list[tuple[Any, ...]]:
    """As `_matching`. Its index knows no order: what a common word finds is narrowed by id, newest first."""
    left_out = sought.unwanted
    query = " || ' & ' || ".join(["rapport_fold(%s)"] * len(sought.needed))
    query += "" if whole or not sought.terms else " || ':*'"
    query += " || ' & !' || rapport_fold(%s)" * len(left_out)
    terms = [*sought.needed, *left_out]
    columns += f", {_TEXTS[table]}" if sought.sequences else ""
    statement = (
        f"WITH matching AS MATERIALIZED (SELECT {columns}, id AS place FROM {table} "  # noqa: S608  (our names)
        f"WHERE rapport_words({_TEXTS[table]}) @@ to_tsquery('simple', {query}) "
        "AND workspace_id = %s AND id >= %s AND id < %s"
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


def _read_through(words: Sequence[str], without: Sequence[str] = ()) -> Iterator[list[int]]:
    """Conversations of the newest posts whose text holds each of the words just so, and nothing of `without`."""
    # whose they are is seen to by `Sight`: a condition more, and SQLite reads every post of the workspace instead
    newest = Post.objects.aggregate(newest=Max("pk"))["newest"] or 0
    rows = Post.objects.filter(pk__gt=newest - NEWEST, deleted=False)
    for each in words:
        rows = rows.filter(text__icontains=each)
    for each in without:
        rows = rows.exclude(text__icontains=each)
    found = rows.order_by("-pk").values_list("conversation_id", flat=True)
    yield [each for each in found if each is not None]
