"""Spam under a video that was not seen: learnt from the other videos, short messages and tweets.

`FULL=1 pytest -s tests/quality/test_spam.py` prints the figures of docs/reference/model-card.md; without FULL only one
of the three videos is tried. The floor is well below.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from rapport.training.examples import TRAIN, read_examples
from rapport.training.measure import measure

pytest.importorskip("sklearn", reason="training needs the extra rapport[train]")

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
pytestmark = [
    pytest.mark.data,
    pytest.mark.slow,
    pytest.mark.skipif(not SHARED.exists(), reason="the real data is not beside the project (../shared/data)"),
]


def test_spam_is_found_under_a_video_that_was_not_seen() -> None:
    from rapport.training.heads import shares_of
    from rapport.training.sparse import TASKS, fit

    examples = [one for one in read_examples(SHARED, ("semeval", "sms", "youtube")) if one.task == "spam"]
    videos = sorted({one.group for one in examples if one.source == "youtube"})
    labels, chances = [], []
    for video in videos if os.environ.get("FULL") else videos[:1]:
        learnt = [one for one in examples if one.part == TRAIN and one.group != video]
        unseen = [one for one in examples if one.group == video]
        model = fit(learnt, "trial", [task for task in TASKS if task.head == "spam"], log=lambda _: None)
        labels.append(np.array([one.label for one in unseen]))
        chances.append(shares_of(model, unseen)["spam"])
        print(f"\n{video}: macro F1 {measure('macro F1', labels[-1], chances[-1]):.1f} of {len(unseen)}")
    whole = measure("macro F1", np.concatenate(labels), np.concatenate(chances))
    print(f"\nall: {whole:.1f}")
    assert whole > 80
