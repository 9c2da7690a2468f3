"""`rapport train`: makes the readings from labelled texts, with a model card. Needs the extra `rapport[train]`."""

from __future__ import annotations

import argparse
import sys
import time
from importlib.util import find_spec
from pathlib import Path

from rapport.core.errors import InvalidInput

#: Name of what is made; a reading tells it, so it changes with every change that changes readings.
VERSION = "heads-2026.11"


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.description = "Learn the readings from labelled texts and write the model with its card."
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of the labelled texts")
    parser.add_argument(
        "--out", type=Path, default=Path("trained"), metavar="DIR", help="where the model goes (trained)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Exit status 0. Raises InvalidInput when the extra is not installed or a set of texts is not there."""
    if find_spec("sklearn") is None:
        raise InvalidInput("Training needs scikit-learn: pip install 'rapport[train]'.")
    from rapport.training.examples import read_examples
    from rapport.training.heads import train
    from rapport.training.measure import line_of, read_airline

    began = time.monotonic()

    def log(line: str) -> None:
        print(f"{time.monotonic() - began:5.0f} s  {line}", file=sys.stderr, flush=True)

    examples = read_examples(arguments.data)
    log(f"{len(examples)} labelled texts")
    scores = train(examples, arguments.out, VERSION, log, unseen=read_airline(arguments.data))
    for score in scores:
        sys.stdout.write(line_of(score))
    log(f"written to {arguments.out}")
    return 0
