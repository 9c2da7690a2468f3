"""The peers of matching: the same queries put together from regular expressions, as an engineer would today."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence

import re2

from rapport.cli.benchmarks.queries import Standing

#: Text in lower case -> ids of the queries that it answers, in the order of the queries.
Match = Callable[[str], list[str]]
_LEFT, _RIGHT = r"(?<![@\w'])", r"(?![\w'])"


def naive(queries: Sequence[Standing]) -> Match:
    """Every query is tried on every text: one compiled pattern for a word, a phrase or an OR; several for the rest."""
    tests = [(query.id, compile_test(query)) for query in queries]
    return lambda text: [id_ for id_, test in tests if test(text)]


def prefiltered(queries: Sequence[Standing]) -> Match:
    """One alternation of a word of every query finds which queries can hold at all; only those are tried."""
    tests = [(query.id, compile_test(query)) for query in queries]
    by_word: dict[str, list[int]] = defaultdict(list)
    for number, query in enumerate(queries):
        for word in query.anchors():
            by_word[word].append(number)
    find = _words(sorted(by_word, key=len, reverse=True)).findall

    def match(text: str) -> list[str]:
        candidates = sorted({number for word in set(find(text)) for number in by_word[word]})
        return [tests[number][0] for number in candidates if tests[number][1](text)]

    return match


def re2_set(queries: Sequence[Standing]) -> Match:
    """As `prefiltered`, with an RE2 set of one pattern for each query in front."""
    tests = [(query.id, compile_test(query)) for query in queries]
    anchors = re2.Set.SearchSet()
    for query in queries:
        anchors.Add(rf"(?:^|[^@\w'])(?:{'|'.join(query.anchors())})(?:$|[^\w'])")
    anchors.Compile()

    def match(text: str) -> list[str]:
        return [tests[number][0] for number in sorted(anchors.Match(text) or ()) if tests[number][1](text)]

    return match


def compile_test(query: Standing) -> Callable[[str], object]:
    """One query -> a function that is true for the texts (in lower case) which it matches."""
    if query.form == "phrase":
        return re.compile(_LEFT + r"[\W_]+".join(query.terms) + _RIGHT).search
    if query.form in {"word", "any"}:
        return _words(query.terms).search
    first, *others = [_words([term]).search for term in query.terms]
    if query.form == "without":
        unwanted = others[0]
        return lambda text: first(text) and not unwanted(text)
    return lambda text: first(text) and all(other(text) for other in others)


def _words(terms: Sequence[str]) -> re.Pattern[str]:
    return re.compile(f"{_LEFT}(?:{'|'.join(terms)}){_RIGHT}")
