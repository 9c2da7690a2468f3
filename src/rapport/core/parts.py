"""A reply that is too long for one post, as a thread of several: where it is cut, and how it stands in the composer.

In the composer a thread is one text in which a line with scissors begins each new post, so that it is kept, proposed
and edited as any other draft.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from rapport.core.errors import InvalidInput

#: the line between two posts, as it is put there; any line of scissors and dashes is one
CUT = "--- ✂ ---"
#: posts of one thread
MOST = 20
_CUT_LINE = re.compile(r"^[ \t]*[-–—]*[ \t]*✂[ \t]*[-–—]*[ \t]*$", re.MULTILINE)
_SENTENCE = re.compile(r"(?<=[.!?…。！？])[\"'”’»)\]]*\s+|(?<=[。！？])")

Fits = Callable[[str], bool]


def cut_apart(text: str) -> tuple[str, ...]:
    """The posts of a text with lines of scissors, one where it has none; blank ones fall away."""
    pieces = [piece.strip() for piece in _CUT_LINE.split(text)]
    return tuple(piece for piece in pieces if piece) or ("",)


def is_cut(text: str) -> bool:
    """Whether it is meant as several posts."""
    return _CUT_LINE.search(text) is not None


def put_together(parts: Sequence[str]) -> str:
    """The text of the composer: what `cut_apart` takes apart again."""
    return f"\n{CUT}\n".join(parts)


def whole(parts: Sequence[str], text: str) -> str:
    """All that is said: `parts` of a thread one after the other, or `text` where there are none."""
    return "\n\n".join(parts) if parts else text


def make_thread(text: str, fits: Fits, opening: str = "") -> tuple[str, ...]:
    """Cut a text into posts that fit: between paragraphs and sentences, else between words, else anywhere.

    `fits` says of a text whether the network takes it as one post; it must hold for every beginning of one that fits.
    `opening`: what each post but the first begins with. Raises `InvalidInput` where more than `MOST` would come of it.
    """
    parts: list[str] = []
    held = ""  # the post that is being filled, with its opening
    for joint, piece in _pieces(" ".join(cut_apart(text)) if is_cut(text) else text.strip()):
        longer = f"{held}{joint}{piece}" if held else f"{opening}{piece}" if parts else piece
        if fits(longer):
            held = longer
            continue
        if held:
            parts.append(held)
            held = f"{opening}{piece}"
        else:
            held = longer
        while not fits(held):
            head, tail = _split(held, fits, len(opening) if parts else 0)
            parts.append(head)
            held = f"{opening}{tail}"
            if len(parts) >= MOST:
                break
        if len(parts) >= MOST:
            raise InvalidInput(f"This is too long for a thread of {MOST} posts: shorten it.")
    return (*parts, held) if held else tuple(parts)


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """Sentences, each with what stands between it and the one before."""
    joint = ""
    for paragraph in re.split(r"(\n\s*\n|\n)", text):
        if not paragraph.strip():
            joint = "\n\n" if paragraph.count("\n") > 1 else "\n"
            continue
        start = 0
        for end in [found.end() for found in _SENTENCE.finditer(paragraph)] + [len(paragraph)]:
            sentence = paragraph[start:end].strip()
            if sentence:
                yield joint, sentence
                joint = " " if end < len(paragraph) and paragraph[end - 1].isspace() else ""
            start = end


def _split(text: str, fits: Fits, begin: int) -> tuple[str, str]:
    """The longest beginning that fits and ends with a word, and the rest; in the middle of a word where one is longer.

    `begin`: characters that stay together at the front.
    """
    low, high = begin + 1, len(text)  # text[:low] is taken even where it does not fit, so that this ends
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(text[:middle].rstrip()) else (low, middle - 1)
    words = text.rfind(" ", begin, low + 1)
    end = words if words > begin else low
    return text[:end].rstrip(), text[end:].strip()
