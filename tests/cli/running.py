"""Running the real command in a process of its own, on a data folder of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def environment(data: Path, **settings: str) -> dict[str, str]:
    """The environment of a newcomer: nothing set but the data folder."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("RAPPORT_", "DJANGO_"))}
    return clean | {"RAPPORT_DATA": str(data)} | settings


def command(*words: object) -> list[str]:
    """The words of a command line."""
    return [sys.executable, "-m", "rapport.cli.main", *map(str, words)]


def rapport(
    data: Path, *words: object, folder: Path | None = None, typed: str = "", **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        command(*words), env=environment(data, **settings), cwd=folder or data.parent, input=typed,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def tally(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The JSON object that `rapport import` ends with."""
    return dict(json.loads(done.stdout.splitlines()[-1]))
