"""Many open pages at once: each listens, reads its list again as the page's script does, and must show every change.

`python tests/load/live_clients.py SECONDS [CLIENTS]` prints one JSON line; it ends with 1 where a change was missed.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import tables

HERE = Path(__file__).parent
CLIENTS = 50
PACE = 2.0  # changes a second
SETTLE = 60.0  # seconds after the last change within which every page has to show it


class Page:
    """One open list: what it shows, and how it went."""

    def __init__(self, port: int, seat: dict[str, Any], number: int) -> None:
        self.port, self.seat, self.chance = port, seat, random.Random(number)
        self.shown = ""
        self.tag = ""
        #: seconds of each look at the list as the page waits for it, and milliseconds as the server counts them
        self.times: list[float] = []
        self.inside: list[float] = []
        self.same = 0
        self.events = 0
        self._asked = 0.0
        self._waits = False
        #: looks that wait or are on their way
        self.looks: set[asyncio.Task[None]] = set()
        self._took = 0.0

    async def ask(self, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
        """One GET on a connection of its own."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", f"Cookie: sessionid={self.seat['session']}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        try:
            writer.write(("\r\n".join([*lines, "Connection: close", "", ""])).encode())
            answer = await reader.read()
        finally:
            writer.close()
        head, _, body = answer.partition(b"\r\n\r\n")
        first, *rest = head.decode("latin-1").split("\r\n")
        found = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
        return int(first.split()[1]), found, body.decode("utf-8", "replace")

    async def read_list(self) -> None:
        """As desk/live.js reads it."""
        began = time.perf_counter()
        same = {"If-None-Match": self.tag} if self.tag else {}
        path = f"/w/fernway/b/{self.seat['basket']}/"
        status, headers, body = await self.ask(path, **{"HX-Request": "true", "HX-Target": "list", **same})
        self._took = time.perf_counter() - began
        self.times.append(self._took)
        self.inside.append(float(headers["server-timing"].removeprefix("app;dur=")))
        if status == 304:
            self.same += 1
            return
        assert status == 200, (status, body[:300])
        self.shown, self.tag = body, headers.get("etag", "")

    async def listen(self) -> None:
        """Follow the stream until the task is cancelled; reads anew whenever it begins."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = f"GET /w/fernway/events?since=0 HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
        writer.write(f"{head}Cookie: sessionid={self.seat['session']}\r\n\r\n".encode())
        try:
            async for line in reader:
                if line.startswith(b"data: "):
                    self.hear(json.loads(line[6:]))
        finally:
            writer.close()

    def hear(self, told: dict[str, Any]) -> None:
        """Whether and when to read again: `refreshSoon` of desk/live.js."""
        self.events += 1
        if not told.get("all") and "baskets" in told and self.seat["id"] not in told["baskets"]:
            return
        if self._waits:
            return
        least = max(told.get("every", 1500) / 1000, min(4 * self._took, 6.0))
        jitter = self.chance.random() * min(least / 3, 1.5)
        wait = max(0.08, self._asked + least - time.monotonic()) + jitter
        self._waits = True
        look = asyncio.create_task(self._soon(wait))
        self.looks.add(look)
        look.add_done_callback(self.looks.discard)

    async def _soon(self, wait: float) -> None:
        await asyncio.sleep(wait)
        self._waits = False
        self._asked = time.monotonic()
        await asyncio.gather(self.read_list(), self.ask("/w/fernway/counts", **{"HX-Request": "true"}))


async def run(
    port: int, seats: list[dict[str, Any]], work: subprocess.Popen[str], clients: int, server: int
) -> dict[str, Any]:
    """Open the pages, let the work begin, and wait until all of them show everything."""
    pages = [Page(port, seats[number % len(seats)], number) for number in range(clients)]
    listening = [asyncio.create_task(page.listen()) for page in pages]
    await asyncio.gather(*(page.read_list() for page in pages))
    for page in pages:
        page.times.clear()
        page.inside.clear()
    busy = seconds_of(server)
    assert work.stdin is not None
    assert work.stdout is not None
    work.stdin.write("go\n")
    work.stdin.flush()
    changes: dict[str, list[str]] = {"care": [], "sales": []}
    loop = asyncio.get_running_loop()
    while change := json.loads(await loop.run_in_executor(None, work.stdout.readline) or "{}"):
        changes[change["basket"]].append(change["tag"])
    ended = time.monotonic()

    def missing() -> list[tuple[int, str]]:
        return [
            (at, tag)
            for at, page in enumerate(pages)
            for tag in changes[page.seat["basket"]]
            if f">{tag}</span>" not in page.shown
        ]

    while missing() and time.monotonic() - ended < SETTLE:
        await asyncio.sleep(0.1)
    settled = time.monotonic() - ended
    busy = seconds_of(server) - busy
    while (held := open_databases(server)) > clients // 2 and time.monotonic() - ended < SETTLE:
        await asyncio.sleep(0.2)
    looking = [look for page in pages for look in page.looks]
    for task in (*listening, *looking):
        task.cancel()
    await asyncio.gather(*listening, *looking, return_exceptions=True)
    times = sorted(each for page in pages for each in page.times)
    inside = sorted(each for page in pages for each in page.inside)
    return {
        "clients": clients,
        "changes": sum(map(len, changes.values())),
        "missed": len(missing()),
        "settled_s": round(settled, 2),
        "lists": len(times),
        "unchanged": sum(page.same for page in pages),
        "p50_ms": round(times[len(times) // 2] * 1000, 1),
        "p95_ms": round(times[int(len(times) * 0.95)] * 1000, 1),
        "max_ms": round(times[-1] * 1000, 1),
        # between the server's taking the request and its answer: without this program and its way to the server
        "server_p50_ms": round(inside[len(inside) // 2], 1),
        "server_p95_ms": round(inside[int(len(inside) * 0.95)], 1),
        # of everything that the server did, for each look: a list and the counts beside it
        "cpu_ms_per_look": round(busy * 1000 / len(times), 1),
        "connections": held,
    }


def seconds_of(process: int) -> float:
    """Seconds of CPU time that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def open_databases(process: int) -> int:
    """How many times a process has the database open."""
    found = 0
    for each in Path(f"/proc/{process}/fd").iterdir():
        with suppress(OSError):
            found += each.readlink().name == "rapport.sqlite3"
    return found


def measure(seconds: float, clients: int = CLIENTS, pace: float = PACE) -> dict[str, Any]:
    """A desk of its own with its own server, `clients` pages on it, and what came of them."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        tables.lay(Path(folder))
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("RAPPORT_", "DJANGO_"))}
        env = {**clean, "RAPPORT_DATA": folder, "RAPPORT_BASE_URL": f"http://127.0.0.1:{port}"}
        serve = [sys.executable, "-m", "uvicorn", "--app-dir", str(HERE), "timed:application", "--port", str(port)]
        worker = [sys.executable, str(HERE / "live_desk.py"), str(seconds), str(pace)]
        work = subprocess.Popen(worker, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        server = subprocess.Popen([*serve, "--log-level", "error"], env=env)
        try:
            assert work.stdout is not None
            seats = json.loads(work.stdout.readline())
            wait_for(port)
            return asyncio.run(run(port, seats, work, clients, server.pid))
        finally:
            for process in (work, server):
                process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=5)
                process.kill()
                process.wait()
                for pipe in (process.stdin, process.stdout):
                    if pipe is not None:
                        pipe.close()


def wait_for(port: int) -> None:
    """Until the server takes connections."""
    for _ in range(150):
        with suppress(OSError), closing(socket.create_connection(("127.0.0.1", port), timeout=1)):
            return
        time.sleep(0.1)
    raise AssertionError("the server does not answer")


if __name__ == "__main__":
    found = measure(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else CLIENTS)
    print(json.dumps(found))
    sys.exit(1 if found["missed"] else 0)
