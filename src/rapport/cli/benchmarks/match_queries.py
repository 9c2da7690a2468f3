"""Standing queries for the benchmarks of matching: one to four terms, in all the forms that people use.

Sparse, as a product that many brands share sees it: nine of ten names never occur in the posts. Dense: every term is a
word that stands in more than 0.5 % of the posts, so that nothing can be left out early. They are always the same ones
for the same posts. Each query is kept as data, so that it can be written in our language and for every peer.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import msgspec

from rapport.core.post import Post

Form = Literal["word", "all", "any", "phrase", "without", "near", "prefix"]
Mix = Literal["sparse", "dense"]

#: how the forms share a hundred queries
SHARES: dict[Form, int] = {"word": 38, "all": 20, "any": 12, "phrase": 12, "without": 7, "near": 6, "prefix": 5}
#: share of the names in the sparse mix that are made up, and so never occur
MADE_UP = 0.9
#: positions by which the two words of a NEAR may differ
DISTANCE = 5

_WORD = re.compile(r"(?<![@#\w'’])[a-z]{3,20}(?![\w'’@])")
_OPERATORS = frozenset({"and", "not", "near", "onear"})
_SYLLABLES = (
    "ba be bo ca co da di do fa fe fi ga go ha he jo ka ki ko la le li lo ma me mi mo na ne ni no pa pe po ra re ri"
)
_ENDINGS = "ria nix tex via lon sys ora ium zen tas vik dor mex phy quo wex"


class Standing(msgspec.Struct, frozen=True):
    """One standing query."""

    #: its number, as text
    id: str
    form: Form
    #: one to four words of lower-case ASCII letters; the last one of "prefix" is the beginning of a word
    terms: tuple[str, ...]

    def written(self) -> str:
        """In our query language."""
        match self.form:
            case "any":
                return " OR ".join(self.terms)
            case "phrase":
                return f'"{" ".join(self.terms)}"'
            case "without":
                return f"{self.terms[0]} NOT {self.terms[1]}"
            case "near":
                return f"{self.terms[0]} NEAR/{DISTANCE} {self.terms[1]}"
            case "prefix":
                return " ".join([*self.terms[:-1], self.terms[-1] + "*"])
            case _:
                return " ".join(self.terms)


class Vocabulary(msgspec.Struct, frozen=True):
    """Words of the posts that queries are made of."""

    #: in two posts at least and in 0.2 % at most
    rare: list[str]
    #: in more than 0.5 % of the posts
    common: list[str]
    #: pairs of words that stand next to each other as often as the rare words, and as the common ones
    rare_pairs: list[tuple[str, str]]
    common_pairs: list[tuple[str, str]]
    #: every word that occurs at all
    all: frozenset[str]


def read_vocabulary(posts: Sequence[Post]) -> Vocabulary:
    """What the posts talk of."""
    texts = [_WORD.findall(post.text.lower()) for post in posts]
    found = Counter(word for words in texts for word in set(words) - _OPERATORS)
    pairs = Counter(pair for words in texts for pair in set(pairwise(words)) if not _OPERATORS.intersection(pair))
    few, many = max(2, len(posts) // 500), len(posts) // 200
    return Vocabulary(
        sorted(word for word, count in found.items() if 2 <= count <= few),
        sorted(word for word, count in found.items() if count > many),
        sorted(pair for pair, count in pairs.items() if 2 <= count <= few),
        sorted(pair for pair, count in pairs.items() if count > many),
        frozenset(found),
    )


def make_queries(vocabulary: Vocabulary, count: int, mix: Mix) -> list[Standing]:
    """`count` queries, always the same for the same vocabulary."""
    make = _Sparse(vocabulary) if mix == "sparse" else _Dense(vocabulary)
    chance = random.Random(f"{mix} {count}")  # noqa: S311  (the same queries every time)
    forms = chance.choices(list(SHARES), list(SHARES.values()), k=count)
    return [Standing(str(number), form, make.terms(form, chance)) for number, form in enumerate(forms)]


class _Dense:
    """All terms are frequent words, phrases frequent pairs."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary

    def name(self, chance: random.Random) -> str:
        """What a query is about."""
        return chance.choice(self.vocabulary.common)

    def context(self, chance: random.Random) -> str:
        """A word that stands beside it."""
        return chance.choice(self.vocabulary.common)

    def pair(self, chance: random.Random) -> tuple[str, ...]:
        """Two words next to each other."""
        return chance.choice(self.vocabulary.common_pairs)

    def terms(self, form: Form, chance: random.Random) -> tuple[str, ...]:
        """The terms of one query, each once."""
        if form == "phrase":
            return self.pair(chance)
        if form == "prefix":
            return (self.name(chance)[:6],) if chance.random() < 0.5 else (self.context(chance), self.name(chance)[:6])
        wanted = {"word": 1, "without": 2, "near": 2}.get(form) or chance.randint(2, 4)
        terms = {self.name(chance): None}
        while len(terms) < wanted:
            terms[self.name(chance) if form == "any" else self.context(chance)] = None
        return tuple(terms)


class _Sparse(_Dense):
    """Queries about names of which most never occur, beside words that people use."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        super().__init__(vocabulary)
        self.syllables, self.endings = _SYLLABLES.split(), _ENDINGS.split()

    def name(self, chance: random.Random) -> str:
        if chance.random() >= MADE_UP:
            return chance.choice(self.vocabulary.rare)
        while True:
            name = "".join(chance.choices(self.syllables, k=chance.randint(2, 3))) + chance.choice(self.endings)
            if name not in self.vocabulary.all:
                return name

    def context(self, chance: random.Random) -> str:
        return chance.choice(self.vocabulary.rare if chance.random() < 0.5 else self.vocabulary.common)

    def pair(self, chance: random.Random) -> tuple[str, ...]:
        if chance.random() < MADE_UP:
            return self.name(chance), self.context(chance)
        return chance.choice(self.vocabulary.rare_pairs)
