"""Who is meant in the posts that a topic found, and what is felt toward them.

A text has two moods where it compares, where it names the brands of two topics, or where what is about the brand and
what is about somebody else feel the opposite; in any other it is one. A post that answers no topic costs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import NamedTuple

from rapport.core.errors import InvalidQuery
from rapport.core.post import Post
from rapport.core.query import Highlighter, Query, parse
from rapport.core.query.nodes import Handle, Node, Phrase, Tag, Word
from rapport.core.query.parse import positive_parts
from rapport.core.reading import Reading, Toward
from rapport.core.understand.features import extract, fold
from rapport.core.understand.scope import Names, Scope, Span, is_ordinary, look_from
from rapport.core.understand.target import TargetReader
from rapport.core.understand.vocabulary import Vocabulary

#: Topics of one post that are looked from, our own first.
MOST_TOPICS = 4
#: Shorter texts hold no two opinions; what is longer than a page has more than clauses can tell apart, and one mood.
SHORTEST, LONGEST = 20, 4_000
#: Languages in which every noun has a capital, so that capitals tell no names.
CAPITALS_SAY_NOTHING = frozenset({"de", "lb"})
#: A word that may be a name: with a capital, or a handle or a hashtag.
_NAMED = re.compile(r"(?<!\w)(?:[@#]\w|[^\W\d_a-z]\w)")
_WORD = re.compile(r"\w+")
#: A word that is written as a name, in ASCII.
_WRITTEN = re.compile(r"(?:(?<=[@#])|(?<!\w)(?=[A-Z]))\w+")
#: A word with a capital in a query; operators are no names.
_CAPITAL = re.compile(r"\b(?!(?:AND|OR|NOT|O?NEAR)\b)[A-Z]\w+")


class Aim(NamedTuple):
    """What a topic points at."""

    query: Query
    #: folded words that name it even where they are written without a capital
    names: frozenset[str]
    #: it asks for one of our own handles
    ours: bool
    #: folded words that stand in all that it can find; None where that cannot be told (wildcards and the like)
    words: frozenset[str] | None


class _Look(NamedTuple):
    """One text from one topic."""

    post: int
    slug: str
    ours: bool
    #: as the author wrote it
    name: str
    scope: Scope
    #: somebody else whom a topic knows is named; else it is a guess that a word with a capital is somebody
    known: bool


class Aims:
    """What the topics of a workspace point at; a query is read when a post first answers it."""

    def __init__(
        self, topics: Iterable[tuple[str, str]], handles: frozenset[str], vocabularies: Mapping[str, Vocabulary]
    ) -> None:
        """`topics` are (slug, query), `handles` our own in lower case without @."""
        self._queries = dict(topics)
        self._handles = frozenset(handle.partition("@")[0].partition(".")[0] for handle in handles)
        self._vocabularies = vocabularies
        self._aims: dict[str, Aim | None] = {}

    def feel(
        self,
        posts: Sequence[Post],
        topics: Sequence[tuple[str, ...]],
        readings: Sequence[Reading],
        reader: TargetReader,
    ) -> list[tuple[Toward, ...]]:
        """For each post the mood toward what its topics point at, where that can differ from the mood of the whole."""
        looks: list[_Look] = []
        for place, (post, slugs, reading) in enumerate(zip(posts, topics, readings, strict=True)):
            if slugs and not post.author.ours and SHORTEST <= len(post.text) <= LONGEST and may_name_two(post.text):
                looks += self._look(place, post.text, slugs, reading.language, reader.ordinary)
        found: list[tuple[Toward, ...]] = [()] * len(posts)
        if not looks:
            return found
        # several topics may point at the same words
        asked = list({(look.post, look.scope): None for look in looks})
        read = reader.read([scope for _, scope in asked], [readings[place].language for place, _ in asked])
        felt = dict(zip(asked, read, strict=True))
        for look in looks:
            one = felt[look.post, look.scope]
            # that nothing is felt toward a brand, or a doubtful feeling, is a weaker word than that of the whole text
            if not (one.clear and (one.apart or look.known)):
                continue
            made = Toward(look.slug, look.name, one.sentiment, one.words, look.ours)
            found[look.post] = (*found[look.post], made)
        return found

    def _look(
        self, place: int, text: str, slugs: Sequence[str], language: str, ordinary: Container[str]
    ) -> list[_Look]:
        """How the text looks from each of the first topics, as far as it names somebody else beside it."""
        aims = [(slug, aim) for slug in slugs if (aim := self._aim(slug)) is not None]
        aims.sort(key=lambda each: not each[1].ours)
        aims = [(slug, aim) for slug, aim in aims[:MOST_TOPICS] if may_name(aim, text)]
        if not aims:
            return []
        vocabulary = self._vocabularies.get(language, self._vocabularies[""])
        seen = Highlighter(text)
        places = [(slug, aim, point_at(aim, text, seen, vocabulary)) for slug, aim in aims]
        looks = []
        for slug, aim, spans in places:
            others = [span for other, _, its in places if other != slug for span in its if not _meets(span, spans)]
            if spans:
                names: Names = "none" if language in CAPITALS_SAY_NOTHING else "subjects"
                scope = look_from(text, spans, others, names, ordinary)
                if scope.side or (scope.others and scope.rest):
                    looks.append(_Look(place, slug, aim.ours, text[slice(*spans[0])], scope, bool(others)))
        return looks

    def _aim(self, slug: str) -> Aim | None:
        if slug not in self._aims:
            self._aims[slug] = self._read(slug, self._queries.get(slug, ""))
        return self._aims[slug]

    def _read(self, slug: str, text: str) -> Aim | None:
        try:
            query = parse(text)
        except InvalidQuery:
            return None
        parts = positive_parts(query.root)
        names = {_name(part).lstrip("@#").partition("@")[0].partition(".")[0] for part in parts}
        told = {_name(part).lstrip("@#") for part in parts if isinstance(part, Tag | Handle)}
        told |= {fold(word) for word in _CAPITAL.findall(text)} | set(_WORD.findall(fold(slug)))
        plain = [piece for part in parts for piece in (part.parts if isinstance(part, Phrase) else (part,))]
        known = all(isinstance(piece, Word | Tag | Handle) for piece in plain)
        words = {word for piece in plain for word in _WORD.findall(fold(_name(piece)))} if known else None
        return Aim(
            query,
            frozenset(told | (names & self._handles)),
            bool(names & self._handles),
            frozenset(words) if words else None,
        )


def _name(part: Node) -> str:
    """The word, tag or handle that a term asks for; a phrase as one word, as handles are written."""
    if isinstance(part, Phrase):
        return "".join(map(_name, part.parts))
    return part.text if isinstance(part, Word | Tag | Handle) else ""


def may_name_two(text: str) -> bool:
    """Whether it is worth a look: false only where no two names can be told in the text."""
    first = _NAMED.search(text)
    return first is not None and _NAMED.search(text, first.end()) is not None


def may_name(aim: Aim, text: str) -> bool:
    """Whether it is worth a closer look: false only where the text surely names nothing that the topic points at."""
    if aim.words is None or not text.isascii():
        return True
    if not aim.words.isdisjoint(map(str.lower, _WRITTEN.findall(text))):
        return True
    return not aim.names.isdisjoint(_WORD.findall(text.lower()))


def point_at(aim: Aim, text: str, seen: Highlighter, vocabulary: Vocabulary) -> list[Span]:
    """Where a text, which `seen` has read, names what a topic listens for: the finds of its positive terms that are
    written as names, and those of the topic's own names in whatever letters. "late" beside a brand is no name.
    """
    found = []
    for start, end in seen.mark(aim.query):
        word = fold(text[start:end])
        is_written = text[start] in "@#" or (text[start].isupper() and not is_ordinary(word))
        if (is_written or aim.names.issuperset(_WORD.findall(word))) and not vocabulary.find(extract(word)):
            found.append((start, end))
    return found


def _meets(span: Span, spans: Sequence[Span]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in spans)
