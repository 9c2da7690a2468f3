"""The peers of matching, each on the same queries and its own best way to ask them.

`naive-re` tries one expression for each query. The prefilters find which queries can hold at all, by one word of each
that must be there, and try the expressions of these alone. `mokaccino` gets words and pairs of words as the values of a
document; it knows no distances, so NEAR is tried with an expression on what it finds.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from rapport.cli.benchmarks.match_queries import DISTANCE, Standing

if TYPE_CHECKING:
    from mokaccino import Percolator, Query

#: A text in lower case -> numbers of the queries that it answers, ascending.
Match = Callable[[str], list[int]]
Test = Callable[[str], object]

_LEFT, _RIGHT = r"(?<![@\w'])", r"(?![\w'])"
_BETWEEN = r"[^\w@]+"
_TOKEN = re.compile(r"@?[a-z0-9_]+(?:'[a-z0-9_]+)*")
#: forms that one word at a boundary settles
_SETTLED = frozenset({"word", "any"})
#: memory that RE2 may take for its automaton, in bytes
_RE2_MEMORY = 1 << 30


def naive(queries: Sequence[Standing]) -> Match:
    """Every query is tried on every text."""
    tests = [compile_test(query) for query in queries]
    return lambda text: [number for number, test in enumerate(tests) if test(text)]


def prefiltered(queries: Sequence[Standing]) -> Match:
    """An Aho-Corasick automaton over the words of a text, each between blanks."""
    from ahocorasick_rs import AhoCorasick, Implementation

    by_anchor = _by_anchor(queries)
    anchors = list(by_anchor)
    numbers = [by_anchor[anchor] for anchor in anchors]
    automaton = AhoCorasick(
        [f" {anchor.rstrip('*')}" if anchor.endswith("*") else f" {anchor} " for anchor in anchors],
        implementation=Implementation.ContiguousNFA,
    )
    tests = _tests_on_demand(queries)

    def match(text: str) -> list[int]:
        padded = f" {'  '.join(_TOKEN.findall(text))} "
        found: set[int] = set()
        for place, _, _ in automaton.find_matches_as_indexes(padded, overlapping=True):
            found.update(numbers[place])
        return [number for number in sorted(found) if tests(number)(text)]

    return match


def re2_set(queries: Sequence[Standing]) -> Match:
    """An RE2 set of one expression for each query, of a word that must be there."""
    import re2

    options = re2.Options()
    options.max_mem = _RE2_MEMORY
    options.log_errors = False
    anchors = re2.Set.SearchSet(options)
    for query in queries:
        words = [re.escape(word).replace(r"\*", r"\w*") for word in _anchors(query)]
        anchors.Add(rf"(?:^|[^@\w'])(?:{'|'.join(words)})(?:$|[^\w'])")
    anchors.Compile()
    tests = _tests_on_demand(queries)
    return lambda text: [number for number in sorted(anchors.Match(text) or ()) if tests(number)(text)]


def mokaccino(queries: Sequence[Standing]) -> Match:
    """The Rust percolator through its Python package. Not `optimized()`: on these queries that makes it slower."""
    from mokaccino import Document

    percolate = _percolator(queries).percolate_list
    phrases = {" ".join(query.terms) for query in queries if query.form == "phrase"}
    tests = {number: compile_test(query) for number, query in enumerate(queries) if query.form == "near"}

    def match(text: str) -> list[int]:
        words = _TOKEN.findall(text)
        document = Document()
        for word in set(words):
            document.add_value("w", word)
        for left, right in pairwise(words):
            pair = f"{left} {right}"
            if pair in phrases:
                document.add_value("p", pair)
        found = percolate(document)
        return sorted([number for number in found if number not in tests or tests[number](text)])

    return match


def growing_mokaccino(queries: Sequence[Standing]) -> Callable[[Standing], object]:
    """A function that adds one query to a percolator that holds `queries`."""
    add = _percolator(queries).add_query
    return lambda query: add(_for_mokaccino(query))


def _percolator(queries: Sequence[Standing]) -> Percolator:
    from mokaccino import Percolator

    percolator = Percolator()
    for number, query in enumerate(queries):
        percolator.add_query_id(_for_mokaccino(query), number)
    return percolator


def _for_mokaccino(query: Standing) -> Query:
    from mokaccino import Query

    words = [Query.from_kv("w", term) for term in query.terms]
    match query.form:
        case "any":
            return Query.from_or(words)
        case "phrase":
            return Query.from_kv("p", " ".join(query.terms))
        case "without":
            return words[0] & ~words[1]
        case "prefix":
            words[-1] = Query.from_kprefix("w", query.terms[-1])
    return words[0] if len(words) == 1 else Query.from_and(words)


def compile_test(query: Standing) -> Test:
    """One query -> a function that is true for the texts (in lower case) which it matches."""
    match query.form:
        case "phrase":
            return re.compile(_LEFT + _BETWEEN.join(query.terms) + _RIGHT).search
        case "word" | "any":
            return _word(f"(?:{'|'.join(query.terms)})")
        case "near":
            left, right = query.terms
            gap = rf"(?:{_BETWEEN}@?[\w']+){{0,{DISTANCE - 1}}}?{_BETWEEN}"
            return re.compile(f"{_LEFT}(?:{left}{gap}{right}|{right}{gap}{left}){_RIGHT}").search
        case "without":
            wanted, unwanted = _word(query.terms[0]), _word(query.terms[1])
            return lambda text: wanted(text) and not unwanted(text)
        case "prefix":
            words = [*map(_word, query.terms[:-1]), _word(query.terms[-1] + r"[\w']*")]
            return lambda text: all(word(text) for word in words)
    words = [_word(term) for term in query.terms]
    return lambda text: all(word(text) for word in words)


def _word(expression: str) -> Test:
    return re.compile(_LEFT + expression + _RIGHT).search


def _tests_on_demand(queries: Sequence[Standing]) -> Callable[[int], Test]:
    """The tests of queries that an anchor was found for; compiled once, when first wanted."""
    return cache(lambda number: bool if queries[number].form in _SETTLED else compile_test(queries[number]))


def _anchors(query: Standing) -> tuple[str, ...]:
    """Words of which a matching text has at least one; the longest where all are needed."""
    match query.form:
        case "any":
            return query.terms
        case "without":
            return query.terms[:1]
        case "prefix":
            return (max([*query.terms[:-1], query.terms[-1] + "*"], key=len),)
        case _:
            return (max(query.terms, key=len),)


def _by_anchor(queries: Sequence[Standing]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for number, query in enumerate(queries):
        for anchor in _anchors(query):
            found[anchor].append(number)
    return found
