"""The leash: a pipe that tells a child of `rapport up` that its parent is gone, however it went.

The parent holds the writing end and never writes. When it dies, even by SIGKILL, the kernel closes that end, and the
child reads the end of the file.
"""

from __future__ import annotations

import argparse
import os
import threading
import time
from collections.abc import Callable

#: seconds that a part has to end by itself after its parent is gone
GRACE = 8.0


def add_leash_option(parser: argparse.ArgumentParser) -> None:
    """The option by which `rapport up` hands the reading end to a child. Not for people."""
    parser.add_argument("--leash", type=int, default=None, help=argparse.SUPPRESS)


def hold_leash(descriptor: int | None, stop: Callable[[], object]) -> None:
    """Call `stop` when the parent is gone, and end the process for good `GRACE` seconds later. None: no parent."""
    if descriptor is None:
        return

    def watch() -> None:
        while os.read(descriptor, 1):
            pass
        stop()
        time.sleep(GRACE)
        os._exit(1)

    threading.Thread(target=watch, name="leash", daemon=True).start()
