"""The outline of a query's text: what a form with boxes can show of it, and which words an index can look for.

It reads the same text as `core.query.parse`, which decides what is valid and what it means, and keeps what `parse`
throws away: how each part was written and where. Text that `parse` refuses has no outline worth anything.

    read_outline('delay (train OR bus) NOT refund')     the tree
    parts_of(...)  <->  compose(...)                     the boxes of a form, and the text that they stand for
    words_needed(...)                                    words of which a matching text must hold some
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from rapport.core.text import fold, is_spaceless

_LEXEME = re.compile(
    r"""(?P<open>[(（])|(?P<close>[)）])
    |(?P<term>(?:[^\W\d]\w*:)?(?:"(?:[^"\\]|\\.)*"|[“„](?:[^"”“\\]|\\.)*["”“])|[^\s()（）"“”„]+)""",
    re.VERBOSE | re.DOTALL,
)
_NEAR = re.compile(r"(O?)NEAR/([0-9]{1,4})")
_FIELD = re.compile(r"([^\W\d]\w*):(.*)", re.DOTALL)
_QUOTES = '"“”„'
_ESCAPED = re.compile(r"\\([\"\\])")
_LOOKS_LIKE_OPERATOR = re.compile(r"AND|OR|NOT|O?NEAR(/.*)?|[&|!-]+", re.IGNORECASE | re.DOTALL)

Kind = Literal["term", "and", "or", "not", "near"]


class Node(msgspec.Struct, frozen=True):
    """One part of a query, with its place in the text: `text[start:end]`."""

    kind: Kind
    start: int
    end: int
    parts: tuple[Node, ...] = ()
    #: of a term: as it was written, quotes and field included
    text: str = ""
    #: of a NEAR
    distance: int = 0
    ordered: bool = False


class NearPair(msgspec.Struct, frozen=True):
    """The box "near each other": any of the left terms at most `distance` words from any of the right ones."""

    left: tuple[str, ...]
    right: tuple[str, ...]
    distance: int = 5
    ordered: bool = False


class Parts(msgspec.Struct, frozen=True, omit_defaults=True):
    """A query as the boxes of a form; terms are written as in the query language."""

    #: all of these
    every: tuple[str, ...] = ()
    #: any of the first group, and any of the second, ...
    groups: tuple[tuple[str, ...], ...] = ()
    #: exact phrases, without their quotes; all of them
    phrases: tuple[str, ...] = ()
    #: none of these
    none: tuple[str, ...] = ()
    near: NearPair | None = None
    #: any of these values of the fields lang, network and kind
    languages: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


class BeyondForm(Exception):
    """Boxes cannot show this query. `start` and `end`: the part of the text that they have no place for."""

    def __init__(self, node: Node) -> None:
        super().__init__(f"characters {node.start} to {node.end}")
        self.start, self.end = node.start, node.end


# ---------------------------------------------------------------- text -> tree


def read_outline(text: str) -> Node:
    """The tree of a query that `core.query.parse` accepts. Raises `ValueError` for text that has none."""
    reader = _Reader(text)
    node = reader.any()
    if reader.at < len(reader.lexemes):
        raise ValueError("more closes than opens")
    return node


class _Reader:
    def __init__(self, text: str) -> None:
        self.lexemes = [(match.lastgroup, match[0], match.start(), match.end()) for match in _LEXEME.finditer(text)]
        self.at = 0

    def _next(self) -> str:
        """What stands next: "(", ")", an operator in capitals, "term", or "" at the end."""
        if self.at == len(self.lexemes):
            return ""
        group, written, _, _ = self.lexemes[self.at]
        if group == "open":
            return "("
        if group == "close":
            return ")"
        if written in {"AND", "OR", "NOT"}:
            return written
        return "NEAR" if _NEAR.fullmatch(written) else "term"

    def any(self) -> Node:
        parts = [self.all()]
        while self._next() == "OR":
            self.at += 1
            parts.append(self.all())
        return _joined("or", parts)

    def all(self) -> Node:
        parts = [self.near()]
        while self._next() not in {"", ")", "OR"}:
            self.at += self._next() == "AND"
            parts.append(self.near())
        return _joined("and", parts)

    def near(self) -> Node:
        left = self.negation()
        if self._next() != "NEAR":
            return left
        sign = _NEAR.fullmatch(self.lexemes[self.at][1])
        assert sign is not None
        self.at += 1
        right = self.negation()
        return Node(
            "near", left.start, right.end, (left, right), distance=int(sign[2]), ordered=sign[1] == "O"
        )  # fmt: skip

    def negation(self) -> Node:
        if self._next() != "NOT":
            return self.atom()
        start = self.lexemes[self.at][2]
        self.at += 1
        part = self.negation()
        if part.kind == "not":
            return part.parts[0]
        return Node("not", start, part.end, (part,))

    def atom(self) -> Node:
        if self._next() not in {"(", "term"}:
            raise ValueError("a term is missing")
        group, written, start, end = self.lexemes[self.at]
        self.at += 1
        if group == "term":
            return Node("term", start, end, text=written)
        inner = self.any()
        if self._next() != ")":
            raise ValueError("a group is never closed")
        end = self.lexemes[self.at][3]
        self.at += 1
        return msgspec.structs.replace(inner, start=start, end=end)


def _joined(kind: Literal["and", "or"], parts: list[Node]) -> Node:
    if len(parts) == 1:
        return parts[0]
    flat = [inner for part in parts for inner in (part.parts if part.kind == kind else (part,))]
    return Node(kind, parts[0].start, parts[-1].end, tuple(flat))


# ---------------------------------------------------------------- tree <-> boxes


def parts_of(text: str) -> Parts:
    """The boxes that stand for a valid query. Raises `BeyondForm` where they cannot, `ValueError` without outline."""
    root = read_outline(text)
    boxes: dict[str, list[str]] = {name: [] for name in ("every", "phrases", "none", "lang", "network", "kind")}
    groups: list[tuple[str, ...]] = []
    near: NearPair | None = None
    for node in root.parts if root.kind == "and" else (root,):
        if node.kind == "near" and near is None:
            left, right = node.parts
            near = NearPair(_terms(left), _terms(right), node.distance, node.ordered)
        elif node.kind == "not":
            boxes["none"] += _terms(node.parts[0])
        elif node.kind in {"term", "or"}:
            _put(node, boxes, groups)
        else:
            raise BeyondForm(node)
    return Parts(
        tuple(boxes["every"]), tuple(groups), tuple(boxes["phrases"]), tuple(boxes["none"]), near,
        tuple(boxes["lang"]), tuple(boxes["network"]), tuple(boxes["kind"]),
    )  # fmt: skip


def _put(node: Node, boxes: dict[str, list[str]], groups: list[tuple[str, ...]]) -> None:
    """One required term or group into its box."""
    terms = _terms(node)
    fields = {match[1].lower() if (match := _FIELD.fullmatch(term)) else "" for term in terms}
    field = fields.pop() if len(fields) == 1 else ""
    if field in {"lang", "network", "kind"} and not boxes[field] and not any(c in t for t in terms for c in _QUOTES):
        boxes[field] += [term.partition(":")[2].lower() for term in terms]
    elif len(terms) > 1:
        groups.append(terms)
    elif terms[0][0] in _QUOTES:
        boxes["phrases"].append(_ESCAPED.sub(r"\1", terms[0][1:-1]))
    else:
        boxes["every"].append(terms[0])


def _terms(node: Node) -> tuple[str, ...]:
    """A term, or terms of which any will do."""
    parts = node.parts if node.kind == "or" else (node,)
    for part in parts:
        if part.kind != "term":
            raise BeyondForm(node)
    return tuple(part.text for part in parts)


def compose(parts: Parts) -> str:
    """The text that the boxes stand for; "" when all are empty. Terms are taken as they are: see `split_box`."""
    every = [*parts.every, *map(_quoted, parts.phrases)]
    groups = [group for group in parts.groups if group]
    groups += [
        tuple(f"{name}:{value}" for value in values)
        for name, values in (("lang", parts.languages), ("network", parts.networks), ("kind", parts.kinds))
        if values
    ]
    near = []
    if parts.near and parts.near.left and parts.near.right:
        sign = f"{'O' if parts.near.ordered else ''}NEAR/{parts.near.distance}"
        near = [f"{_any(parts.near.left)} {sign} {_any(parts.near.right)}"]
    if len(groups) == 1 and not (every or near or parts.none):
        return " OR ".join(groups[0])
    return " ".join([*every, *map(_any, groups), *near, *(f"NOT {term}" for term in parts.none)])


def _any(terms: Sequence[str]) -> str:
    return terms[0] if len(terms) == 1 else f"({' OR '.join(terms)})"


def _quoted(words: str) -> str:
    return '"' + words.replace("\\", "\\\\").replace('"', '\\"') + '"'


def split_box(typed: str) -> tuple[str, ...]:
    """What somebody typed into a box for terms, as terms: at blanks and commas, but not inside quotes.

    A quotation that is still open reaches to the end; what would be an operator or a parenthesis is put into quotes.
    """
    if sum(typed.count(sign) for sign in _QUOTES) % 2:
        typed += '"'
    found = []
    for match in re.finditer(r'(?:[^\W\d]\w*:)?["“„](?:[^"”“\\]|\\.)*["”“]|[^\s,;，、"“”„]+', typed):
        term = match[0]
        if term.endswith(('""', "“”", "„“")) or term in _QUOTES:
            continue
        if term[-1] not in _QUOTES and (_LOOKS_LIKE_OPERATOR.fullmatch(term) or any(c in "()（）" for c in term)):
            term = _quoted(term)
        found.append(term)
    return tuple(found)


# ---------------------------------------------------------------- tree -> words for an index


class Need(msgspec.Struct, frozen=True):
    """What a matching text must hold: a word ("word", "beginning"), all ("and") or one ("or") of `parts`."""

    kind: Literal["word", "beginning", "and", "or"]
    word: str = ""
    parts: tuple[Need, ...] = ()


#: folded letters, and what a text may have in their place that an index of words does not fold
_SPELT = {
    "o": "ø", "l": "ł", "d": "đ", "i": "ı", "h": "ħ", "t": "ŧ", "ae": "æ", "oe": "œ", "ss": "ß",
}  # fmt: skip
#: spellings of one word that are looked for
SPELLINGS = 24
#: words of a query that are looked for; a longer one is read through instead
WORDS = 400


def words_needed(text: str) -> Need | None:
    """Words of which a text that matches this valid query must hold some; None where no word can be named.

    Words are those of a search index: letters and digits in lower case, accents as they come. Every matching *text* has
    them, but for characters that only NFKC makes letters (full-width ones) and for invisible joiners inside a word; a
    hashtag that a network lists without its standing in the text is not in the text.
    """
    try:
        need = _need(read_outline(text))
    except ValueError:
        return None
    return need if need is not None and _count(need) <= WORDS * SPELLINGS else None


def _need(node: Node) -> Need | None:
    if node.kind == "not":
        return None
    if node.kind == "term":
        return _need_of_term(node.text)
    needs = [_need(part) for part in node.parts]
    if node.kind == "or":
        known = [need for need in needs if need is not None]
        return _one_need("or", known) if len(known) == len(needs) else None
    return _one_need("and", [need for need in needs if need is not None])


def _one_need(kind: Literal["and", "or"], needs: Sequence[Need]) -> Need | None:
    if not needs:
        return None
    return needs[0] if len(needs) == 1 else Need(kind, parts=tuple(needs))


def _count(need: Need) -> int:
    return 1 + sum(map(_count, need.parts))


def _need_of_term(term: str) -> Need | None:
    quoted = term[-1] in _QUOTES
    if _FIELD.fullmatch(term) and not (quoted and term[0] in _QUOTES):
        return None
    content = _ESCAPED.sub(r"\1", term[1:-1]) if quoted else term
    needs = []
    for piece in content.split():
        handle, words = piece[0] in "@＠", list(_index_words(piece, "?" in piece and not quoted))
        # a handle may stand in the text without its server
        needs += [_spelt(word, kind) for word, kind in (words[:1] if handle else words)]
    return _one_need("and", needs)


def _index_words(piece: str, marks: bool) -> Iterator[tuple[str, Literal["word", "beginning"]]]:
    """The words of a piece that an index knows; what a wildcard touches counts by its beginning, if it has one."""
    wild = "*?" if marks else "*"
    folded = fold(piece)
    for touching, run in itertools.groupby(folded, lambda c: c in wild or _in_word(c)):
        word = "".join(run)
        if not touching or any(is_spaceless(c) for c in word):
            continue
        stem = re.split(r"[*?]", word, maxsplit=1)[0] if marks else word.partition("*")[0]
        if stem == word:
            yield word, "word"
        elif len(stem) >= 2:
            yield stem, "beginning"


def _in_word(character: str) -> bool:
    """Whether both databases take this character for a part of a word."""
    return unicodedata.category(character)[0] in "LN" or "\u0300" <= character <= "\u0331"


def _spelt(word: str, kind: Literal["word", "beginning"]) -> Need:
    """The word in each of its spellings, those with the fewest unusual letters first."""
    places = [
        (at, plain, odd) for plain, odd in _SPELT.items() for at in range(len(word)) if word.startswith(plain, at)
    ]
    spellings = {word: None}
    for count in range(1, len(places) + 1):
        for chosen in itertools.combinations(places, count):
            if len(spellings) == SPELLINGS:
                break
            spelling, end = list(word), -1
            for at, plain, odd in sorted(chosen):
                if at < end:
                    break
                spelling[at : at + len(plain)] = [odd, *[""] * (len(plain) - 1)]
                end = at + len(plain)
            spellings["".join(spelling)] = None
        if len(spellings) == SPELLINGS:
            break
    needs = [Need(kind, spelling) for spelling in spellings]
    return needs[0] if len(needs) == 1 else Need("or", parts=tuple(needs))
