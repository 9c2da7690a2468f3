"""The parent of the process tree: starts the parts, starts them again when they fall over, stops them all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

#: seconds that the parts get to end by themselves; what is left then is killed
STOP_WITHIN = 8.0
#: seconds before a part that fell over is started again, by how often it did so in a row
BACK_OFF = (1.0, 2.0, 5.0, 10.0, 30.0)
#: a part that ran for so many seconds has recovered
RECOVERED = 60.0
_TICK = 0.2


class Part:
    """One child: a `rapport` command with its arguments."""

    def __init__(
        self, title: str, words: Sequence[str], *, once: bool = False, descriptors: Sequence[int] = ()
    ) -> None:
        self.title = title
        self.words = list(words)
        #: not started again when it ends
        self.once = once
        #: open files that it inherits
        self.descriptors = tuple(descriptors)
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0
        self.falls = 0
        #: when to start it (monotonic); None: never again
        self.due: float | None = 0.0


class Supervisor:
    """Keeps parts running until `stop` is set."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = parts
        self.stop = threading.Event()
        # the writing end stays with us alone; children see the other end close when we are gone
        self._leash, self._hand = os.pipe()

    def run(self) -> None:
        """Start the parts and watch over them; returns when they have all ended."""
        try:
            while not self.stop.is_set():
                for part in self.parts:
                    self._look_after(part)
                self.stop.wait(_TICK)
        finally:
            self._stop_all()
            os.close(self._hand)
            os.close(self._leash)

    def _look_after(self, part: Part) -> None:
        if part.process is None:
            if part.due is not None and time.monotonic() >= part.due:
                self._start(part)
            return
        status = part.process.poll()
        if status is None:
            return
        part.process = None
        if part.once:
            part.due = None
            if status:
                _say(f"The {part.title} ended {_in_words(status)}.")
            return
        part.falls = 0 if time.monotonic() - part.started > RECOVERED else part.falls
        wait = BACK_OFF[min(part.falls, len(BACK_OFF) - 1)]
        part.falls += 1
        part.due = time.monotonic() + wait
        _say(f"The {part.title} ended {_in_words(status)}; it is started again in {wait:g} s.")

    def _start(self, part: Part) -> None:
        part.started = time.monotonic()
        part.process = subprocess.Popen(  # noqa: S603  (our own program, our own words)
            [sys.executable, "-P", "-m", "rapport.cli.main", *part.words, "--leash", str(self._leash)],
            pass_fds=(self._leash, *part.descriptors),
            stdin=subprocess.DEVNULL,
            # a Ctrl-C in the terminal reaches us alone, so that the stop is one orderly one
            start_new_session=True,
        )

    def _stop_all(self) -> None:
        running = [part.process for part in self.parts if part.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + STOP_WITHIN
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
        for process in running:
            process.wait()


def _in_words(status: int) -> str:
    if status < 0:
        return f"by {signal.Signals(-status).name}"
    return f"with status {status}"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
