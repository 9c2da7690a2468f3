"""How often words stand in posts: a guess to begin with, then learnt from the posts that go by."""

from __future__ import annotations

from collections.abc import Collection

#: posts after which what was learnt makes room: the last one to two windows count
WINDOW = 8_192
#: the guess counts as much as this many posts
_PRIOR = 64.0
#: posts with more words than this (long mails) teach nothing, nor do longer keys: they would fill the memory
_LONGEST = 400
_LONGEST_KEY = 60  # characters

#: Words that stand in a large share of all posts, the most frequent first.
_FREQUENT = """
    the to i a you and my for is it on in of me your at have that this with not so be no just are was we but can do if
    get from out what how up they all will now an our has when u one thanks there would don't i'm it's please hi help us
    or by more been time as back still any new like know go why am had too need about thank today who de la que en el es
    un los por con se le et les des pas pour une je der die und das ich nicht ist ein zu mit auf http https
""".split()  # noqa: SIM905  (as one text it can be read)
_SHARE_OF_FREQUENT = {word: 0.3 / (1 + rank / 6) for rank, word in reversed(list(enumerate(_FREQUENT)))}
#: by the number of characters of any other word: longer words are rarer
_SHARE_OF_LENGTH = (0.01, 0.01, 0.01, 0.006, 0.005, 0.003, 0.002, 0.0012, 0.0008)
_SHARE_OF_LONGER = 0.0004
#: by what a key asks for, where it is no word (see `keys`)
_SHARE_OF_CLASS = {"a": 0.0001, "h": 0.001, "r": 0.02}
#: many words begin, or end, alike
_WIDER = 4
_SHARE_OF_CONDITION = 0.5


def guessed_share(key: str) -> float:
    """The share of posts that have `key`, before any post was seen."""
    if key[:2] == " *":
        return min(1.0, _WIDER * _share_of_length(len(key) - 3))
    if key[0] == " ":
        return _SHARE_OF_CLASS.get(key[1], _SHARE_OF_CONDITION)
    if key[0] in "#@":
        return 0.0002
    known = _SHARE_OF_FREQUENT.get(key)
    if known is not None:
        return known
    return _share_of_length(len(key) if key.isascii() else 2 * len(key))


def _share_of_length(length: int) -> float:
    return _SHARE_OF_LENGTH[length] if length < len(_SHARE_OF_LENGTH) else _SHARE_OF_LONGER


class Frequencies:
    """Counts of the last one to two windows of posts. Forgetting is a change of dicts, so it never takes long."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._seen = 0
        self._counts_before: dict[str, int] = {}
        self._seen_before = 0

    def learn(self, keys: Collection[str]) -> bool:
        """Count one post with these keys. True when a window has just ended."""
        if len(keys) > _LONGEST:
            return False
        counts = self._counts
        for key in keys:
            if len(key) <= _LONGEST_KEY:
                counts[key] = counts.get(key, 0) + 1
        self._seen += 1
        if self._seen < WINDOW:
            return False
        self._counts_before, self._seen_before = counts, self._seen
        self._counts, self._seen = {}, 0
        return True

    def share(self, key: str) -> float:
        """The share of posts that have `key`, between 0 and 1."""
        seen = self._seen + self._seen_before
        count = self._counts.get(key, 0) + self._counts_before.get(key, 0) if seen else 0
        return (count + _PRIOR * guessed_share(key)) / (seen + _PRIOR)
