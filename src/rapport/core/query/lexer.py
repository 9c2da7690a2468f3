"""Cut a query into lexemes, with bounds on its size and the exact place of what is never closed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lark.lexer import Lexer, LexerState, Token

from rapport.core.errors import InvalidQuery

MAX_LENGTH = 20_000  # characters
MAX_DEPTH = 50  # groups inside groups
MAX_TERMS = 1_000  # words, phrases and fields

#: The quotes and parentheses that phones, word processors and Chinese keyboards produce count as the plain ones.
_LEXEME = re.compile(
    r"""(?P<space>\s+)
    |(?P<open>[(（])
    |(?P<close>[)）])
    |(?P<quoted>(?:[^\W\d]\w*:)?(?:"(?:[^"\\]|\\.)*"|[“„](?:[^"”“\\]|\\.)*["”“]))
    |(?P<unclosed>(?:[^\W\d]\w*:)?["“”„])
    |(?P<word>[^\s()（）"“”„]+)""",
    re.VERBOSE | re.DOTALL,
)
_NEAR = re.compile(r"O?NEAR/[0-9]{1,9}")
_ALMOST_NEAR = re.compile(r"O?NEAR(?:/.*)?|(?:o?near|O?Near)/[0-9]+", re.DOTALL)
_OPERATORS = {"AND", "OR", "NOT"}
_OTHER_LANGUAGES = {"&&": "AND", "||": "OR", "|": "OR", "&": "AND", "!": "NOT", "-": "NOT"}


class QueryLexer(Lexer):
    """The door by which lark asks for lexemes."""

    __future_interface__ = 1

    def __init__(self, lexer_conf: object) -> None:
        """lark hands over its configuration; we need none of it."""

    def lex(self, lexer_state: LexerState, parser_state: object) -> Iterator[Token]:
        return read_lexemes(lexer_state.text.text)


def read_lexemes(query: str) -> Iterator[Token]:
    """The lexemes of `query`, each with its `start_pos`. Raises `InvalidQuery`."""
    if len(query) > MAX_LENGTH:
        raise InvalidQuery(
            f"the query has {len(query):,} characters", MAX_LENGTH, f"at most {MAX_LENGTH:,}; split it in two"
        )
    opened: list[int] = []
    terms = 0
    for match in _LEXEME.finditer(query):
        kind, value, place = match.lastgroup, match[0], match.start()
        if kind == "open":
            opened.append(place)
            if len(opened) > MAX_DEPTH:
                raise InvalidQuery("too many groups inside groups", place, f"at most {MAX_DEPTH}")
            yield Token("LPAR", value, place)
        elif kind == "close":
            if not opened:
                raise InvalidQuery(f'this "{value}" closes no group', place, 'a "(" before it')
            opened.pop()
            yield Token("RPAR", value, place)
        elif kind == "unclosed":
            rest = query[match.end() :].strip()[:40]
            raise InvalidQuery("this quotation is never closed", match.end() - 1, f'a closing ", as in "{rest}"')
        elif kind in {"word", "quoted"}:
            token = _term_or_operator(kind, value, place)
            terms += token.type in {"WORD", "QUOTED"}
            if terms > MAX_TERMS:
                raise InvalidQuery("too many terms", place, f"at most {MAX_TERMS:,}; split the query in two")
            yield token
    if opened:
        raise InvalidQuery("this group is never closed", opened[-1], 'a ")", perhaps at the very end')


def is_special(word: str) -> bool:
    """Whether a word is more, or less, than a term: NEAR, or what only looks like an operator."""
    return word in _OTHER_LANGUAGES or _ALMOST_NEAR.fullmatch(word) is not None


def _term_or_operator(kind: str, value: str, place: int) -> Token:
    if kind == "quoted":
        return Token("QUOTED", value, place)
    if value in _OPERATORS:
        return Token(value, value, place)
    if _NEAR.fullmatch(value):
        return Token("NEAR", value, place)
    if _ALMOST_NEAR.fullmatch(value):
        raise InvalidQuery(
            f'"{value[:20]}" is no operator',
            place,
            "NEAR/5 or ONEAR/5 in capitals; for the word itself, quotes",
        )
    if value in _OTHER_LANGUAGES:
        raise InvalidQuery(f'"{value}" is no operator here', place, _OTHER_LANGUAGES[value])
    return Token("WORD", value, place)
