"""Standing queries for the benchmarks, made from the words of the posts: always the same ones for the same posts.

Each query is kept as data, so that it can be written in our language and, for a peer, as a regular expression.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import msgspec

from rapport.core.errors import InvalidInput
from rapport.core.post import Post

Form = Literal["word", "all", "any", "phrase", "without"]
Mix = Literal["sparse", "dense"]

#: how the forms share the queries: half are single words, the rest have two to four terms
_FORMS: tuple[Form, ...] = ("word", "word", "word", "word", "word", "all", "all", "any", "any", "phrase", "without")
_WORD = re.compile(r"(?<![@#\w'’])[a-z]{3,20}(?![\w'’@])")
_OPERATORS = frozenset({"and", "not", "near", "onear"})
#: terms of the longest query
MOST_TERMS = 4
#: share of rare words among the terms of the sparse mix
_RARE = 0.9


class Standing(msgspec.Struct, frozen=True):
    """One standing query."""

    id: str
    form: Form
    #: one to four words of lower-case ASCII letters
    terms: tuple[str, ...]

    def written(self) -> str:
        """In the query language."""
        match self.form:
            case "any":
                return " OR ".join(self.terms)
            case "phrase":
                return f'"{" ".join(self.terms)}"'
            case "without":
                return f"{self.terms[0]} NOT {self.terms[1]}"
            case _:
                return " ".join(self.terms)

    def anchors(self) -> tuple[str, ...]:
        """Words of which a matching text has at least one."""
        return self.terms if self.form == "any" else self.terms[:1]


def make_queries(posts: Sequence[Post], count: int, mix: Mix) -> list[Standing]:
    """`count` queries over the words of the posts.

    Sparse: nine of ten terms are rare (in two posts at least, in 0.2 % at most), as names and products are.
    Dense: all terms are common (in more than 0.5 % of the posts). Where posts have no words of a kind, any will do.
    Raises `InvalidInput` for posts with hardly any words.
    """
    chance = random.Random(f"{mix} {count}")  # noqa: S311  (the same queries every time)
    texts = [_WORD.findall(post.text.lower()) for post in posts]
    found = Counter(word for words in texts for word in set(words) if word not in _OPERATORS)
    ceiling = max(2, len(posts) // 500)
    rare = sorted(word for word, count in found.items() if 2 <= count <= ceiling)
    common = sorted(word for word, count in found.items() if count > len(posts) // 200)
    if len(found) < MOST_TERMS:
        raise InvalidInput(f"queries need posts with {MOST_TERMS} different words at least; these have {len(found)}")
    rare, common = (words if len(words) >= MOST_TERMS else sorted(found) for words in (rare, common))
    pairs = Counter(pair for words in texts for pair in pairwise(words) if not _OPERATORS.intersection(pair))
    if mix == "sparse":
        phrases = sorted(pair for pair, count in pairs.items() if 2 <= count <= ceiling)
        return [_make(number, chance, rare, common, phrases, _RARE) for number in range(count)]
    phrases = sorted(pair for pair, count in pairs.items() if count > len(posts) // 200)
    return [_make(number, chance, rare, common, phrases, 0) for number in range(count)]


def _make(
    number: int,
    chance: random.Random,
    rare: Sequence[str],
    common: Sequence[str],
    phrases: Sequence[tuple[str, str]],
    share: float,
) -> Standing:
    form = chance.choice(_FORMS)
    if form == "phrase" and phrases:
        return Standing(f"topic-{number}", form, chance.choice(phrases))
    wanted = {"word": 1, "without": 2}.get(form) or chance.randint(2, MOST_TERMS)
    terms: dict[str, None] = {}
    while len(terms) < wanted:
        terms[chance.choice(rare if chance.random() < share else common)] = None
    return Standing(f"topic-{number}", form, tuple(terms))
