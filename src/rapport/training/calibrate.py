"""Calibration: what turns logits into probabilities that mean what they say."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from rapport.training.fine_tune import Floats

Numbers = NDArray[np.int64]


def fit_scale(logits: Floats, labels: Numbers, prior: float = 4.0) -> tuple[float, list[float]]:
    """Scale and shift of a task's logits: the most likely on the given texts (true or false: Platt 1999; several
    classes: a scale alone, Guo 2017, so that what is most probable stays so). `prior` pulls them to 1 and 0 as if so
    many texts said so, for few texts say little.
    """
    scores, wanted = torch.from_numpy(logits).double(), torch.from_numpy(labels)
    loud = torch.zeros((), dtype=torch.float64, requires_grad=True)
    shift = torch.zeros(scores.shape[1], dtype=torch.float64, requires_grad=True)
    moving = [loud, shift] if scores.shape[1] == 1 else [loud]
    search = torch.optim.LBFGS(moving, max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        search.zero_grad()
        moved = scores * loud.exp() + shift
        if moved.shape[1] == 1:
            value = functional.binary_cross_entropy_with_logits(moved[:, 0], wanted.double(), reduction="sum")
        else:
            value = functional.cross_entropy(moved, wanted, reduction="sum")
        value = value + prior * (loud.square() + shift.square().sum() / 2)
        value.backward()
        return value

    search.step(loss)
    return float(loud.detach().exp()), [float(one) for one in shift.detach()]
