"""Fine-tuning: the recipe, the loss over all readings at once, and the loop."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from rapport.training.encoder import Heads
from rapport.training.tokens import Text

Log = Callable[[str], object]
Floats = NDArray[np.float32]
Weights = dict[str, Tensor]


class Recipe(msgspec.Struct, frozen=True):
    """What one training does."""

    epochs: int = 3
    #: what ships is the mean of the weights at the ends of so many last epochs
    averaged: int = 3
    #: learning rate of the last layer; each layer below learns `decay` times as fast
    rate: float = 1.2e-4
    decay: float = 0.9
    head_rate: float = 1e-3
    weight_decay: float = 0.01
    warm_up: float = 0.06
    #: padded tokens in one step
    step_tokens: int = 1536
    dropout: float = 0.1
    smoothing: float = 0.05
    #: share of the tokens that are hidden behind [MASK]
    hidden: float = 0.05
    #: how strongly rare classes are lifted: 0 = as they come, 1 = all alike
    balance: float = 0.5
    #: texts of one source that an epoch sees at most, where there are more
    caps: dict[str, int] = msgspec.field(default_factory=lambda: {"banking": 500, "clinc": 1000})
    #: share of hate's training texts whose hashtags are left out: its tests have other ones
    drop_tags: float = 0.5


def batches(texts: Sequence[Text], recipe: Recipe, dice: random.Random) -> Iterator[list[Text]]:
    """One epoch: every text once but for `caps`, in batches of texts of about one length, in random order."""
    by_source: dict[str, list[Text]] = {}
    for text in texts:
        by_source.setdefault(text.source, []).append(text)
    chosen = [
        text
        for name, some in by_source.items()
        for text in dice.sample(some, min(len(some), recipe.caps.get(name, len(some))))
    ]
    dice.shuffle(chosen)
    made: list[list[Text]] = []
    for start in range(0, len(chosen), 2000):
        batch: list[Text] = []
        for text in sorted(chosen[start : start + 2000], key=lambda one: len(one.ids)):
            if batch and (len(batch) + 1) * len(text.ids) > recipe.step_tokens:
                made.append(batch)
                batch = []
            batch.append(text)
        made.append(batch)
    dice.shuffle(made)
    yield from made


def tasks_of(model: Heads) -> dict[str, int]:
    """Task -> number of columns, of a model's heads."""
    return {task: head.out_features for task, head in model.heads.items()}


def lift(texts: Sequence[Text], tasks: dict[str, int], balance: float) -> dict[str, Tensor]:
    """Weight of each class of each task: rare ones weigh more, the mean over all texts is 1."""
    weights = {}
    for task, classes in tasks.items():
        seen = Counter(text.labels[task] for text in texts if task in text.labels)
        count = np.array([max(seen[label], 1) for label in range(max(classes, 2))], dtype=float)
        weight = (count.sum() / count) ** balance
        weights[task] = torch.tensor(weight * count.sum() / (weight * count).sum(), dtype=torch.float32)
    return weights


def loss_of(logits: dict[str, Tensor], batch: Sequence[Text], weights: dict[str, Tensor], smoothing: float) -> Tensor:
    """Mean over all labels of the batch of the cross entropy, rare classes lifted."""
    total, count = torch.zeros(()), 0
    for task, answers in logits.items():
        rows = [place for place, text in enumerate(batch) if task in text.labels]
        if not rows:
            continue
        labels = torch.tensor([batch[place].labels[task] for place in rows])
        weight = weights[task]
        scores = answers[rows]
        if scores.shape[1] == 1:
            wanted = labels.float() * (1 - smoothing) + smoothing / 2
            each = functional.binary_cross_entropy_with_logits(scores[:, 0], wanted, reduction="none")
        else:
            each = functional.cross_entropy(scores, labels, reduction="none", label_smoothing=smoothing)
        total = total + (each * weight[labels]).sum()
        count += len(rows)
    return total / count


def groups_of(model: Heads, recipe: Recipe) -> list[dict[str, object]]:
    """The parameters with their learning rates; the words apart, whose gradients are sparse."""
    groups: list[dict[str, object]] = [
        {"params": list(model.heads.parameters()), "lr": recipe.head_rate, "weight_decay": recipe.weight_decay}
    ]
    layers = list(model.encoder.layers)
    for number, layer in enumerate(layers):
        rate = recipe.rate * recipe.decay ** (len(layers) - 1 - number)
        groups.append({"params": list(layer.parameters()), "lr": rate, "weight_decay": recipe.weight_decay})
    rest = [model.encoder.positions.weight, model.encoder.kind, *model.encoder.norm.parameters()]
    groups.append({"params": rest, "lr": recipe.rate * recipe.decay ** len(layers), "weight_decay": 0.0})
    return groups


def read_rows(batch: Sequence[Text], recipe: Recipe, dice: random.Random, hide: int) -> list[list[int]]:
    """The token numbers of a batch with some hidden, and hashtags left out of some texts on hate."""
    rows = []
    for text in batch:
        ids = text.plain if "hate" in text.labels and dice.random() < recipe.drop_tags else text.ids
        rows.append([ids[0], *(hide if dice.random() < recipe.hidden else one for one in ids[1:-1]), ids[-1]])
    return rows


def fit(
    model: Heads,
    texts: Sequence[Text],
    recipe: Recipe,
    seed: int,
    hide: int,
    log: Log,
    each_epoch: Callable[[Weights], object] = lambda _: None,
) -> None:
    """Train in place; `each_epoch` gets a copy of the weights. The same seed gives the same ones."""
    torch.manual_seed(seed)
    dice = random.Random(seed)  # noqa: S311 (no secret: the order of texts)
    weights = lift(texts, tasks_of(model), recipe.balance)
    epochs = [list(batches(texts, recipe, dice)) for _ in range(recipe.epochs)]
    steps = sum(map(len, epochs))
    dense = torch.optim.AdamW(groups_of(model, recipe), betas=(0.9, 0.98), fused=True)
    sparse = torch.optim.SparseAdam([model.encoder.words.weight], lr=recipe.rate * recipe.decay**7, betas=(0.9, 0.98))
    clipped = [one for one in model.parameters() if one is not model.encoder.words.weight]
    first = max(1, round(recipe.warm_up * steps))
    plans = [
        torch.optim.lr_scheduler.LambdaLR(
            one, lambda step: min((step + 1) / first, max(0.0, (steps - step) / (steps - first)))
        )
        for one in (dense, sparse)
    ]
    began, done, mean = time.monotonic(), 0, 0.0
    for made in epochs:
        model.train()
        for batch in made:
            logits = ask(model, read_rows(batch, recipe, dice, hide))
            loss = loss_of(logits, batch, weights, recipe.smoothing)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(clipped, 1.0)
            for one in (dense, sparse):
                one.step()
                one.zero_grad()
            for plan in plans:
                plan.step()
            mean += 0.01 * (loss.item() - mean) if done else loss.item()
            done += 1
            if done % 100 == 0:
                log(f"step {done}/{steps} loss {mean:.3f} {(time.monotonic() - began) / done:.2f} s/step")
        each_epoch({name: value.detach().float().cpu().clone() for name, value in model.state_dict().items()})


def pad(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Token numbers and mask, rows x the longest."""
    ids = np.zeros((len(rows), max(map(len, rows))), dtype=np.int64)
    mask = np.zeros_like(ids)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = row
        mask[place, : len(row)] = 1
    return torch.from_numpy(ids), torch.from_numpy(mask)


def ask(model: Heads, rows: Sequence[Sequence[int]]) -> dict[str, Tensor]:
    """Logits (float32, on the processor) of token rows, computed where the model lies, in bfloat16."""
    device = model.encoder.words.weight.device
    ids, mask = pad(rows)
    with torch.autocast(device.type, torch.bfloat16):
        logits = model(ids.to(device), mask.to(device))
    return {task: scores.float().cpu() for task, scores in logits.items()}


def answer(model: Heads, rows: Sequence[Sequence[int]]) -> dict[str, np.ndarray]:
    """Logits of every task for token rows, in the order of the rows."""
    model.eval()
    order = sorted(range(len(rows)), key=lambda place: len(rows[place]))
    out = {task: np.zeros((len(rows), classes), dtype=np.float32) for task, classes in tasks_of(model).items()}
    for start in range(0, len(order), 64):
        places = order[start : start + 64]
        with torch.no_grad():
            logits = ask(model, [rows[place] for place in places])
        for task, scores in logits.items():
            out[task][places] = scores.numpy()
    return out
