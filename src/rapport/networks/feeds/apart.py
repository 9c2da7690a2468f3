"""Reading a feed in a process of its own, with a limit on its time and its memory.

Readers of markup have corners where time grows with the square of the input: feedparser 6.0.14 takes 157 seconds for
an author's name of 200 kB, and 26 for a megabyte of comments that nobody closed. A feed is written by strangers, so
what is larger than a page of text is read where it can be stopped.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Mapping

import msgspec

from rapport.core.errors import InvalidInput
from rapport.networks.feeds.document import Document
from rapport.networks.feeds.read import read_document

SMALL = 16_000  # bytes; at this size the worst known input takes a second
SECONDS = 10  # of processor time
_PATIENCE = 60.0  # seconds by the clock, on a machine that is busy with other work
_MEMORY = 1_000_000_000  # bytes
_NEEDED = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "LANG", "LC_ALL")


class _Order(msgspec.Struct):
    headers: dict[str, str]
    address: str
    body: bytes


class _Result(msgspec.Struct):
    document: Document | None = None
    #: why there is none
    reason: str = ""


def read_apart(body: bytes, headers: Mapping[str, str], address: str) -> Document:
    """As `read_document`; in a process of its own when the body is large. Raises `InvalidInput`."""
    if len(body) <= SMALL:
        return read_document(body, headers, address)
    known = {name.lower(): value for name, value in headers.items()}
    kept: dict[str, str] = {
        name: known[name] for name in ("content-type", "content-language", "content-location") if name in known
    }
    order = msgspec.msgpack.encode(_Order(kept, address, body))
    command = [sys.executable, "-P", "-m", "rapport.networks.feeds.apart"]
    environment = {name: os.environ[name] for name in _NEEDED if name in os.environ}  # and none of our secrets
    try:
        done = subprocess.run(  # noqa: S603  # our own module, nothing from outside on its command line
            command, input=order, capture_output=True, timeout=_PATIENCE, check=False, env=environment
        )
        result = msgspec.msgpack.decode(done.stdout, type=_Result)
    except subprocess.TimeoutExpired:
        raise InvalidInput(f"it takes more than {_PATIENCE:.0f} seconds to read") from None
    except msgspec.MsgspecError:
        reason = f"it takes more than {SECONDS} seconds, or too much memory, to read"
        raise InvalidInput(f"{reason}: no honest feed does") from None
    if result.document is None:
        raise InvalidInput(result.reason)
    return result.document


def _main() -> None:
    """The other process: an `_Order` from standard input, a `_Result` to standard output."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    order = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=_Order)
    try:
        result = _Result(read_document(order.body, order.headers, order.address))
    except InvalidInput as error:
        result = _Result(reason=str(error))
    sys.stdout.buffer.write(msgspec.msgpack.encode(result))


if __name__ == "__main__":
    _main()
