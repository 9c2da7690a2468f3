"""Whether a text of somebody else names a person or repeats their words: what an erasure looks for. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

#: so many words in a row that are the same are no chance
RUN = 4
#: a name, or a whole short text, with fewer letters is everybody's
SHORTEST = 3
#: a part of a name with fewer letters ("van", "der") says nothing
PART = 4
# letters and digits of one script; where a script puts no space between words, each sign is one
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\U00020000-\U0002ffff]|[^\W\u3040-\u30ff\u3400-\u9fff]+")


class Traces:
    """The names that somebody goes by and the words that they said."""

    def __init__(self, names: Iterable[str], texts: Iterable[str], *, parts: bool = True) -> None:
        """`names`: of a person and of their accounts, with or without @; `texts`: what they said. `parts`: a part of a
        name gives them away too.
        """
        #: so many words -> the phrases of that length that give them away
        self._phrases: dict[int, set[tuple[str, ...]]] = {}
        for name in names:
            self._keep(_words(name))
            # "Nadia called" is about Nadia Haddad, where she is among those who speak
            for part in _words(name) if parts else ():
                self._keep((part,), PART)
        for text in texts:
            words = _words(text)
            for phrase in [words] if len(words) < RUN else _runs(words, RUN):
                self._keep(phrase)

    def _keep(self, phrase: tuple[str, ...], shortest: int = SHORTEST) -> None:
        if sum(map(len, phrase)) >= shortest:
            self._phrases.setdefault(len(phrase), set()).add(phrase)

    def are_in(self, text: str | None) -> bool:
        """Whether `text` has one of the names or a part of one, a run of `RUN` of their words, or a shorter text of
        theirs as a whole.

        Case, punctuation and what is between words make no difference.
        """
        if not text or not self._phrases:
            return False
        words = _words(text)
        return any(phrase in known for length, known in self._phrases.items() for phrase in _runs(words, length))


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(text.casefold()))


def _runs(words: tuple[str, ...], length: int) -> Iterator[tuple[str, ...]]:
    return (words[start : start + length] for start in range(len(words) - length + 1))


def without_words(detail: object) -> object:
    """A note of the audit as it may stay when its words go: numbers, flags and the digests of the ledger (64 hex)."""
    if isinstance(detail, dict):
        return {
            key: without_words(value) for key, value in detail.items() if not isinstance(value, str) or _told(value)
        }
    if isinstance(detail, (list, tuple)):
        return [without_words(each) for each in detail if not isinstance(each, str) or _told(each)]
    return detail


def _told(value: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{64}", value) is not None
