"""Many fixed strings sought in one text at once, while strings come and go."""

from __future__ import annotations

#: characters by which longer strings are found
_GRAM = 5
#: longer strings are found by so many of their characters, and then sought in full
_HEAD = 64
#: up to so many are tried one by one, which is quicker
_FEW = 48


class Needles:
    """A set of strings, each as often as it was added. A text is searched in time linear in its length."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        #: the string, or the beginning of a long one -> the strings
        self._by_head: dict[str, list[str]] = {}
        #: first characters of a head -> its length -> how many heads have both
        self._lengths: dict[str, dict[int, int]] = {}
        #: number of these first characters -> how many there are of them
        self._sizes: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._counts)

    def add(self, needle: str) -> None:
        """Seek this string, too. It must not be empty."""
        self._counts[needle] = self._counts.get(needle, 0) + 1
        if self._counts[needle] > 1:
            return
        head = needle[:_HEAD]
        if head not in self._by_head:
            gram = head[:_GRAM]
            if gram not in self._lengths:
                self._sizes[len(gram)] = self._sizes.get(len(gram), 0) + 1
            lengths = self._lengths.setdefault(gram, {})
            lengths[len(head)] = lengths.get(len(head), 0) + 1
        self._by_head.setdefault(head, []).append(needle)

    def remove(self, needle: str) -> None:
        """Take back one `add`."""
        self._counts[needle] -= 1
        if self._counts[needle]:
            return
        del self._counts[needle]
        head = needle[:_HEAD]
        self._by_head[head].remove(needle)
        if self._by_head[head]:
            return
        del self._by_head[head]
        gram = head[:_GRAM]
        lengths = self._lengths[gram]
        lengths[len(head)] -= 1
        if not lengths[len(head)]:
            del lengths[len(head)]
        if not lengths:
            del self._lengths[gram]
            self._sizes[len(gram)] -= 1
            if not self._sizes[len(gram)]:
                del self._sizes[len(gram)]

    def found_in(self, text: str) -> list[str]:
        """Those that `text` contains, each once."""
        if len(self._counts) <= _FEW:
            return [needle for needle in self._counts if needle in text]
        heads: set[str] = set()
        for size in self._sizes:
            grams = self._lengths.keys() & {text[at : at + size] for at in range(len(text) - size + 1)}
            if size < _GRAM:
                heads |= grams  # so short a head is the whole string
            else:
                for gram in grams:
                    self._find_longer(gram, text, heads)
        return [needle for head in heads for needle in self._by_head[head] if len(needle) <= _HEAD or needle in text]

    def _find_longer(self, gram: str, text: str, heads: set[str]) -> None:
        lengths = list(self._lengths[gram])
        at = text.find(gram)
        while at >= 0:
            heads.update([head for length in lengths if (head := text[at : at + length]) in self._by_head])
            at = text.find(gram, at + 1)


class Beginnings:
    """A set of strings, each as often as it was added, of which those are found that a word begins with."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._lengths: dict[int, int] = {}

    def add(self, beginning: str) -> None:
        """Seek this beginning, too."""
        self._counts[beginning] = self._counts.get(beginning, 0) + 1
        if self._counts[beginning] == 1:
            self._lengths[len(beginning)] = self._lengths.get(len(beginning), 0) + 1

    def remove(self, beginning: str) -> None:
        """Take back one `add`."""
        self._counts[beginning] -= 1
        if self._counts[beginning]:
            return
        del self._counts[beginning]
        self._lengths[len(beginning)] -= 1
        if not self._lengths[len(beginning)]:
            del self._lengths[len(beginning)]

    def found_in(self, word: str) -> list[str]:
        """Those that `word` begins with, each once."""
        return [
            beginning
            for length in self._lengths
            if length <= len(word) and (beginning := word[:length]) in self._counts
        ]
