"""What the second look costs on this machine: measured once a process, on a few texts."""

from __future__ import annotations

from functools import cache
from time import perf_counter

from rapport.core.understand.deep import load_deep

#: texts as customers write them, of usual lengths; the first ones are not counted, while everything is cold
_TEXTS = (
    "My order still has not arrived and nobody answers.",
    "Thanks, that was quick!",
    "Is the app down again? I cannot log in since this morning, and I have a train to catch at nine.",
    "The new colour is lovely.",
    "Third time this month that my meter was read wrongly. Whom do I write to so that somebody really looks at it?",
    "When do you open on Sunday?",
    "@fernway your driver left the parcel in the rain, the books inside are ruined. What now?",
    "ok, got it, will try tomorrow",
)
_COLD = 2


@cache
def measure_look() -> float | None:
    """Seconds that one text takes the transformer, the middle one of a few; None where the extra is not installed.

    Loads the model for the moment, which takes about half a second.
    """
    reader = load_deep()
    if reader is None:
        return None
    took = []
    for text in (*_TEXTS[:_COLD], *_TEXTS):
        began = perf_counter()
        reader.read([text])
        took.append(perf_counter() - began)
    return sorted(took[_COLD:])[len(_TEXTS) // 2]
