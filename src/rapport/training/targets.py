"""Labelled texts for the mood toward one target: who is meant stands in the text as `MARK`, one sign.

Two sets, both for research use: Dong and others, ACL 2014 (tweets on people, firms and devices) and Sanders' tweets on
four brands. Neither has two targets of opposite mood in more than a handful of texts, so `joined` makes such texts
out of two of the first set. No target stands on both sides of the split by its text: the part goes by the words of
the whole text, with the target's name in it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rapport.core.understand.target import MARK
from rapport.training.examples import (
    SENTIMENT,
    TRAIN,
    VALIDATION,
    Example,
    Missing,
    clean,
    key,
    part_of,
    read_rows,
)

#: What these examples teach; classes as in `SENTIMENT`.
TASK = "target"
#: How two texts come to stand in one.
JOINTS = (" but ", ", but ", ". ", ". ", "; ", " while ", ", whereas ", " and ", "! ", ". However, ")
#: The longest text, in words, that is put together with another.
SHORT = 18

_UNTOKENISED = (
    (re.compile(r"-LRB-|-LSB-"), "("),
    (re.compile(r"-RRB-|-RSB-"), ")"),
    (re.compile(r"``|''"), '"'),
    (re.compile(r" ` (?=\w)"), "'"),
    (re.compile(r" (?=n't\b|'(?:s|m|re|ve|ll|d)\b)", re.IGNORECASE), ""),
    (re.compile(r"< 3\b"), "<3"),
    (re.compile(r" (?=[.,!?;)]|:(?![-()DPdp]))"), ""),
    (re.compile(r"(?<=\() "), ""),
)


def read_targets(folder: Path, sources: Sequence[str] = ()) -> list[Example]:
    """The examples of the named sets ("acl14", "acl14-joined", "sanders-toward"; all where none is named), in a fixed
    order; none twice, and no training text that also stands in a validation part. Raises `Missing` where a set is not
    in the folder.
    """
    found: list[Example] = []
    for name in sources or tuple(SETS):
        try:
            found.extend(SETS[name](folder))
        except FileNotFoundError as error:
            raise Missing(f"The set {name} is not in {folder}: {Path(error.filename).name} is missing.") from error
    kept_back = {_words(one) for one in found if one.part == VALIDATION}
    seen: set[str] = set()
    kept = []
    for one in found:
        words = _words(one)
        if one.part == VALIDATION or words not in kept_back:
            if words not in seen:
                kept.append(one)
            seen.add(words)
    return kept


def _words(one: Example) -> str:
    return key(one.text.replace(MARK, "\u00b7target\u00b7"))


def _records(folder: Path) -> Iterator[tuple[str, str, int]]:
    """Text with $T$ where the target stands, the target, the label as a place in `SENTIMENT`."""
    path = folder / "01d_target_sentiment" / "acl14_train.raw"
    lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    for start in range(0, len(lines), 3):
        text = lines[start]
        for found, meant in _UNTOKENISED:
            text = found.sub(meant, text)
        yield clean(text.replace(MARK, " ")), lines[start + 1], int(lines[start + 2]) + 1


def _acl14(folder: Path) -> Iterator[Example]:
    for text, target, label in _records(folder):
        part = part_of(text.replace("$T$", target))
        yield Example(text.replace("$T$", MARK), TASK, label, "acl14", part, group=target.lower())


def _joined(folder: Path) -> Iterator[Example]:
    """Each short text with a mood beside one of another mood about another target, of the same part: first or second,
    and the mood of its own target stays what it was.
    """
    for part in (TRAIN, VALIDATION):
        short = [
            (text, target, label)
            for text, target, label in _records(folder)
            if part_of(text.replace("$T$", target)) == part and len(text.split()) <= SHORT
        ]
        dice = random.Random(part)  # noqa: S311 (no secret: which texts come together)
        others = [[one for one in short if one[2] != label] for label in range(len(SENTIMENT))]
        for text, target, label in short:
            beside, name, _ = dice.choice(others[label])
            if (label == 1 and dice.random() < 0.5) or name.lower() == target.lower():
                continue
            parts = [text.replace("$T$", MARK), beside.replace("$T$", name.title())]
            if dice.random() < 0.5:
                parts.reverse()
            joined = parts[0].rstrip(".,!;: ") + dice.choice(JOINTS) + parts[1]
            yield Example(joined, TASK, label, "acl14-joined", part, group=target.lower())


def _sanders(folder: Path) -> Iterator[Example]:
    """The mood of these tweets was labelled toward the brand that they were found by."""
    for row in read_rows(folder / "04_intent" / "sanders_brand_tweets.csv"):
        text = clean(row["TweetText"]).replace(MARK, " ")
        marked = re.sub(rf"[@#]?\b{re.escape(row['Topic'])}\b", MARK, text, flags=re.IGNORECASE)
        if row["Sentiment"] in SENTIMENT and MARK in marked:
            label = SENTIMENT.index(row["Sentiment"])
            yield Example(marked, TASK, label, "sanders-toward", part_of(text), group=row["Topic"])


#: name -> how it is read
SETS: dict[str, Callable[[Path], Iterator[Example]]] = {
    "acl14": _acl14,
    "acl14-joined": _joined,
    "sanders-toward": _sanders,
}
