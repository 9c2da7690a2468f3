"""`rapport train`: makes the readings from labelled texts, with a model card. Needs the extra `rapport[train]`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from rapport.cli.train_team import train_team
from rapport.core.errors import InvalidInput

Log = Callable[[str], None]

#: Name of what is made; a reading tells it, so it changes with every change that changes readings.
VERSION = "heads-2026.11.2"


#: What can be made, in the order in which it is.
MODELS = ("heads", "target", "deep", "deep_many")


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.description = (
        "Learn how the customers of a workspace write, from what its people corrected; or, with --data and no "
        "--workspace, learn the readings that ship from labelled texts and write the model with its card."
    )
    parser.add_argument("--workspace", metavar="SLUG", help="whose corrections; needed only where there are several")
    parser.add_argument(
        "--use", action=argparse.BooleanOptionalAction, default=True,
        help="put the model of a workspace in force where it is better (--no-use: a person does it on the page)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="the figures of a workspace's model as one JSON object")
    parser.add_argument(
        "--data", type=Path, metavar="DIR",
        help="folder of the labelled texts; with --workspace, as everywhere, the data folder",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, default=Path("trained"), metavar="DIR", help="where the model goes (trained)"
    )
    parser.add_argument(
        "--only", choices=MODELS, metavar="MODEL",
        help="one of the models: heads, target (the mood toward one of several brands), deep (the second look in "
        "English), deep_many (in eight languages); all where none is named, which takes some hours of one core",
    )  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Exit status 0. Raises InvalidInput when the extra is not installed or a set of texts is not there."""
    if arguments.workspace or arguments.data is None:
        return train_team(arguments)
    began = time.monotonic()

    def log(line: str) -> None:
        print(f"{time.monotonic() - began:5.0f} s  {line}", file=sys.stderr, flush=True)

    for model in [arguments.only] if arguments.only else MODELS:
        log(f"{model}:")
        for line in _TRAIN[model](arguments.data, arguments.out, log):
            sys.stdout.write(line)
    log(f"written to {arguments.out}")
    return 0


def _train_heads(data: Path, out: Path, log: Log) -> list[str]:
    _require("sklearn", "scikit-learn")
    from rapport.training.examples import read_examples
    from rapport.training.heads import train
    from rapport.training.measure import line_of, read_airline

    examples = read_examples(data)
    log(f"{len(examples)} labelled texts")
    return [line_of(score) for score in train(examples, out, VERSION, log, unseen=read_airline(data))]


def _train_target(data: Path, out: Path, log: Log) -> list[str]:
    _require("sklearn", "scikit-learn")
    from rapport.training.measure import line_of
    from rapport.training.target import train

    return [line_of(score) for score in train(data, out, log)]


def _train_deep(data: Path, out: Path, log: Log) -> list[str]:
    _require("torch", "PyTorch")
    _require("onnx", "onnx")
    from rapport.training.deep import train_english
    from rapport.training.measure import line_of

    return [line_of(score) for score in train_english(data, out / "deep", log)]


def _train_deep_many(data: Path, out: Path, log: Log) -> list[str]:
    _require("torch", "PyTorch")
    _require("onnx", "onnx")
    from rapport.training.deep_many import train_many
    from rapport.training.measure import line_of

    return [line_of(score) for score in train_many(data, out / "deep_many", log)]


def _require(module: str, name: str) -> None:
    if find_spec(module) is None:
        raise InvalidInput(f"Training needs {name}: pip install 'rapport[train]'.")


#: model -> what makes it; the names are those of the files and folders that are shipped
_TRAIN: dict[str, Callable[[Path, Path, Log], list[str]]] = {
    "heads": _train_heads,
    "target": _train_target,
    "deep": _train_deep,
    "deep_many": _train_deep_many,
}
