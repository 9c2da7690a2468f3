"""The sentences that the desk looks up to say them in the reader's language, as tests/messages.py found them."""

from __future__ import annotations

import json
from importlib import resources

_FOUND: dict[str, list[str]] = json.loads(
    resources.files("rapport.web").joinpath("error_words.json").read_text(encoding="utf-8")
)
#: of errors that actions raise
TEMPLATES = tuple(_FOUND["templates"])
#: of mistakes in rules, queries and searches
FAULTS = tuple(_FOUND["faults"])
#: of networks and connections
NETWORKS = tuple(_FOUND["networks"])
