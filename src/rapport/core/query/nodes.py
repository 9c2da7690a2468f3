"""The parts of a query. Each tells whether it holds for a post, and what a post must contain for it to hold.

    Node
    ├── Placed          has a place in the text, so that phrases and NEAR can use it: `spans`
    │   ├── Word  Wildcard  Tag  Handle
    │   ├── Phrase          these next to each other
    │   └── Either          an OR of placed nodes
    ├── Near            two placed nodes at most so far apart
    ├── Raw  and the conditions of `fields`
    └── And  Or  Not

`holds` is the meaning of the language, written to be read. Property tests hold the index (see `clauses`) against it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache

import msgspec

from rapport.core.query.view import View

#: first and last position of a find, both included
Span = tuple[int, int]


class Node(msgspec.Struct, frozen=True, gc=False):
    """A part of a query."""

    def holds(self, view: View) -> bool:
        """Whether this part is true of the post."""
        raise NotImplementedError


class Placed(Node, frozen=True, gc=False):
    """A part that stands somewhere in the text."""

    def spans(self, view: View) -> list[Span]:
        """Where it stands, in the order of first positions."""
        raise NotImplementedError


class Word(Placed, frozen=True, gc=False):
    """A word in the text or as a hashtag; a run in a spaceless script, anywhere inside a longer run."""

    #: folded
    text: str
    #: one character of the text is one position (see `core.text`)
    spaceless: bool = False

    def holds(self, view: View) -> bool:
        if self.spaceless and len(self.text) > 2:
            return self.text[:2] in view.known and self.text in view.runs
        return self.text in view.known

    def spans(self, view: View) -> list[Span]:
        if not self.spaceless:
            return [(position, position) for position in _positions(self.text, view.words)]
        found: list[Span] = []
        for first in _positions(self.text[0], view.words):
            last = first + len(self.text) - 1
            inside = range(first + 1, last + 1)
            if view.glued.issuperset(inside) and view.words[first : last + 1] == list(self.text):
                found.append((first, last))
        return found


class Wildcard(Placed, frozen=True, gc=False):
    """A word, hashtag (leading #) or handle (leading @) with * for any characters and ? for one."""

    #: folded
    pattern: str

    def holds(self, view: View) -> bool:
        return glob(self.pattern).search(view.lines) is not None

    def spans(self, view: View) -> list[Span]:
        fits = glob(self.pattern).search
        if self.pattern[0] == "#":
            return [(first, last) for tag, first, last in view.tags if fits(tag)]
        wanted = {word for word in set(view.words) if fits(word)}
        return [(position, position) for position, word in enumerate(view.words) if word in wanted]


class Tag(Placed, frozen=True, gc=False):
    """Exactly this hashtag, in the text or in the network's list."""

    #: folded, with #
    text: str

    def holds(self, view: View) -> bool:
        return self.text in view.known

    def spans(self, view: View) -> list[Span]:
        return [(first, last) for tag, first, last in view.tags if tag == self.text]


class Handle(Placed, frozen=True, gc=False):
    """This handle, in the text or in the network's list of mentions."""

    #: folded, with @
    text: str
    #: its tokens: "@ann.example.social" reads as @ann, example, social
    parts: tuple[str, ...]

    def holds(self, view: View) -> bool:
        return self.text in view.known or (len(self.parts) > 1 and bool(self.spans(view)))

    def spans(self, view: View) -> list[Span]:
        count = len(self.parts)
        wanted = list(self.parts)
        firsts = _positions(wanted[0], view.words)
        return [(first, first + count - 1) for first in firsts if view.words[first : first + count] == wanted]


class Phrase(Placed, frozen=True, gc=False):
    """Its parts next to each other, in order."""

    parts: tuple[Placed, ...]

    def holds(self, view: View) -> bool:
        return all(part.holds(view) for part in self.parts) and bool(self.spans(view))

    def spans(self, view: View) -> list[Span]:
        found = self.parts[0].spans(view)
        for part in self.parts[1:]:
            if not found:
                break
            last_by_first = dict(part.spans(view))
            found = [(first, last_by_first[last + 1]) for first, last in found if last + 1 in last_by_first]
        return found


class Either(Placed, frozen=True, gc=False):
    """One of several words or phrases: an OR group as an operand of NEAR."""

    parts: tuple[Placed, ...]

    def holds(self, view: View) -> bool:
        return any(part.holds(view) for part in self.parts)

    def spans(self, view: View) -> list[Span]:
        return sorted({span for part in self.parts for span in part.spans(view)})


class Near(Node, frozen=True, gc=False):
    """Two parts at most `distance` positions apart, counted between their nearer ends; they must not overlap."""

    left: Placed
    right: Placed
    distance: int
    #: left before right
    ordered: bool

    def holds(self, view: View) -> bool:
        left, right = self.left.spans(view), self.right.spans(view)
        if not left or not right:
            return False
        return _follows(left, right, self.distance) or (not self.ordered and _follows(right, left, self.distance))


class Raw(Node, frozen=True, gc=False):
    """Exact characters anywhere in the text, case kept."""

    text: str

    def holds(self, view: View) -> bool:
        return self.text in view.post.text


class And(Node, frozen=True, gc=False):
    """All of its parts."""

    parts: tuple[Node, ...]

    def holds(self, view: View) -> bool:
        for part in self.parts:  # noqa: SIM110  a generator costs more than the whole test
            if not part.holds(view):
                return False
        return True


class Or(Node, frozen=True, gc=False):
    """At least one of its parts."""

    parts: tuple[Node, ...]

    def holds(self, view: View) -> bool:
        for part in self.parts:  # noqa: SIM110  a generator costs more than the whole test
            if part.holds(view):
                return True
        return False


class Not(Node, frozen=True, gc=False):
    """What its part is not."""

    part: Node

    def holds(self, view: View) -> bool:
        return not self.part.holds(view)


def _positions(word: str, among: list[str]) -> list[int]:
    found: list[int] = []
    position = -1
    try:
        while True:
            position = among.index(word, position + 1)
            found.append(position)
    except ValueError:
        return found


def _follows(left: list[Span], right: list[Span], distance: int) -> bool:
    """Whether something on the right begins after something on the left ends, at most `distance` positions later."""
    firsts = [first for first, _ in right]
    for _, last in left:
        index = bisect_right(firsts, last)
        if index < len(firsts) and firsts[index] - last <= distance:
            return True
    return False


@lru_cache(maxsize=1 << 12)
def glob(pattern: str) -> re.Pattern[str]:
    """A wildcard as an expression over lines. Between stars the first find is kept (atomic), so time stays linear."""
    sign = "" if pattern[0] in "#@" else "(?![#@])"
    pieces = ["".join("[^\\n]" if c == "?" else re.escape(c) for c in piece) for piece in pattern.split("*")]
    if len(pieces) == 1:
        return re.compile(f"^{sign}{pieces[0]}$", re.MULTILINE)
    middle = "".join(f"(?>[^\\n]*?{piece})" for piece in pieces[1:-1] if piece)
    return re.compile(f"^{sign}{pieces[0]}{middle}[^\\n]*{pieces[-1]}$", re.MULTILINE)
