"""One run of one side of the line; prints `Done`: `python -m rapport.cli.benchmarks SIDE JOB ORDER`."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import msgspec

from rapport.cli.benchmarks.order import Order

side, job, file = sys.argv[1:]
order = msgspec.json.decode(Path(file).read_bytes(), type=Order)
# imported, not run as a program: the clocks of `stages` find the module that does the work
done = import_module(f"rapport.cli.benchmarks.{side}").JOBS[job](order)
print(msgspec.json.encode(done).decode())
