"""Labelled texts as token numbers, each text once with the labels of all its tasks."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec
from tokenizers import Tokenizer

from rapport.core.understand.deep import EMOJI, TOKENS, prepare
from rapport.training.examples import Example, key

#: One text in so many of the training part is kept back from the weights, for the calibration alone.
KEEP_BACK = 16


class Text(msgspec.Struct):
    """One prepared text with all that is known of it."""

    ids: list[int]
    #: the tokens without its hashtags
    plain: list[int]
    labels: dict[str, int]
    source: str
    group: str
    #: ISO 639-1
    language: str = "en"


def teach_emoji(tokenizer: Path, texts: Sequence[str], least: int = 3) -> tuple[Tokenizer, dict[str, int]]:
    """The tokenizer with the emoji that stand in `least` texts put on the unused places of its vocabulary."""
    stored = json.loads(tokenizer.read_text(encoding="utf-8"))
    words: dict[str, int] = stored["model"]["vocab"]
    seen = Counter(sign for text in texts for sign in set(EMOJI.findall(text)))
    free = [word for word in words if word.startswith("[unused")]
    frequent = sorted((-count, sign) for sign, count in seen.items() if count >= least and sign not in words)
    taught = {}
    for (_, sign), place in zip(frequent, free, strict=False):
        words[sign] = taught[sign] = words.pop(place)
    stored["truncation"] = {"max_length": TOKENS, "strategy": "LongestFirst", "stride": 0, "direction": "Right"}
    stored["padding"] = None
    return Tokenizer.from_str(json.dumps(stored, ensure_ascii=False)), taught


def known_emoji(tokenizer: Tokenizer) -> frozenset[str]:
    """The emoji that a tokenizer has a token for."""
    return frozenset(word for word in tokenizer.get_vocab() if EMOJI.fullmatch(word))


def tokenise(examples: Sequence[Example], tokenizer: Tokenizer) -> list[Text]:
    """Each text once, with the labels of all its tasks."""
    known = known_emoji(tokenizer)
    texts: dict[tuple[str, str], Text] = {}
    for one in examples:
        place = (one.text, one.source)
        if place not in texts:
            ids = tokenizer.encode(prepare(one.text, known)).ids
            bare = re.sub(r"#\w+", "", one.text)
            plain = ids if bare == one.text else tokenizer.encode(prepare(bare, known)).ids
            texts[place] = Text(ids, plain, {}, one.source, one.group, one.language)
        texts[place].labels[one.task] = one.label
    return list(texts.values())


def kept_back(text: str) -> bool:
    """Whether a training text is kept for the calibration."""
    draw = random.Random("calibration" + key(text))  # noqa: S311 (no secret: the same for the same text)
    return draw.random() < 1 / KEEP_BACK
