"""Who is meant in the posts that a topic found, and what is felt toward them.

Nothing is read where only one can be meant: a text that names nobody beside the brand has one mood. A post that answers
no topic costs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from rapport.core.errors import InvalidQuery
from rapport.core.post import Post
from rapport.core.query import Query, highlight, parse
from rapport.core.query.nodes import Handle, Node, Phrase, Tag, Word
from rapport.core.query.parse import positive_parts
from rapport.core.reading import Reading, Toward
from rapport.core.understand.features import extract
from rapport.core.understand.scope import Scope, Span, look_from
from rapport.core.understand.target import TargetReader
from rapport.core.understand.vocabulary import Vocabulary

#: Topics of one post that are looked from, our own first.
MOST_TOPICS = 4
#: Shorter texts hold no two opinions.
SHORTEST = 20
#: Languages in which every noun has a capital, so that capitals tell no names.
CAPITALS_SAY_NOTHING = frozenset({"de", "lb"})
#: A word that may be a name: with a capital, or a handle or a hashtag.
_NAMED = re.compile(r"(?<!\w)(?:[@#]\w|[^\W\d_a-z]\w)")


class Aim(NamedTuple):
    """What a topic points at."""

    query: Query
    #: it asks for one of our own handles
    ours: bool


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
        asked: list[tuple[int, str, Aim, str, Scope, str]] = []
        for place, (post, slugs, reading) in enumerate(zip(posts, topics, readings, strict=True)):
            if slugs and not post.author.ours and len(post.text) >= SHORTEST and may_name_two(post.text):
                for slug, aim, name, scope in self._look(post, slugs, reading.language):
                    asked.append((place, slug, aim, name, scope, reading.language))
        found: list[tuple[Toward, ...]] = [()] * len(posts)
        if not asked:
            return found
        felt = reader.read([each[4] for each in asked], [each[5] for each in asked])
        for (place, slug, aim, name, _, _), one in zip(asked, felt, strict=True):
            found[place] = (*found[place], Toward(slug, name, one.sentiment, one.words, aim.ours))
        return found

    def _look(self, post: Post, slugs: Sequence[str], language: str) -> list[tuple[str, Aim, str, Scope]]:
        """How the text looks from each of the first topics, as far as it names somebody else beside it."""
        aims = [(slug, aim) for slug in slugs if (aim := self._aim(slug)) is not None]
        aims.sort(key=lambda each: not each[1].ours)
        vocabulary = self._vocabularies.get(language, self._vocabularies[""])
        places = [(slug, aim, point_at(aim.query, post.text, vocabulary)) for slug, aim in aims[:MOST_TOPICS]]
        looks = []
        for slug, aim, spans in places:
            others = [span for other, _, its in places if other != slug for span in its if not _meets(span, spans)]
            if spans:
                scope = look_from(post.text, spans, others, language not in CAPITALS_SAY_NOTHING)
                if scope.side or (scope.others and scope.rest):
                    looks.append((slug, aim, post.text[slice(*spans[0])], scope))
        return looks

    def _aim(self, slug: str) -> Aim | None:
        if slug not in self._aims:
            self._aims[slug] = self._read(self._queries.get(slug, ""))
        return self._aims[slug]

    def _read(self, text: str) -> Aim | None:
        try:
            query = parse(text)
        except InvalidQuery:
            return None
        names = {_name(part).lstrip("@#").partition("@")[0].partition(".")[0] for part in positive_parts(query.root)}
        return Aim(query, bool(names & self._handles))


def _name(part: Node) -> str:
    """The word, tag or handle that a term asks for; a phrase as one word, as handles are written."""
    if isinstance(part, Phrase):
        return "".join(map(_name, part.parts))
    return part.text if isinstance(part, Word | Tag | Handle) else ""


def may_name_two(text: str) -> bool:
    """Whether it is worth a look: false only where no two names can be told in the text."""
    first = _NAMED.search(text)
    return first is not None and _NAMED.search(text, first.end()) is not None


def point_at(query: Query, text: str, vocabulary: Vocabulary) -> list[Span]:
    """Where a text names what a query listens for: the finds of its positive terms that look like a name or, where none
    does, those that say nothing else ("late" and "refund" beside a brand are no names).
    """
    found = [(start, end) for start, end in highlight(query, text) if not vocabulary.find(extract(text[start:end]))]
    names = [(start, end) for start, end in found if text[start] in "@#" or text[start].isupper()]
    return names or found


def _meets(span: Span, spans: Sequence[Span]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in spans)
