"""The parts of `rapport up`, one by one: `work`, `send`, `listen`, `web`."""

from __future__ import annotations

import argparse
import gc
import signal
import socket
import threading
import warnings
from collections.abc import Callable

from rapport.cli.desk import add_data_option, load_django, require_tables
from rapport.cli.leash import add_leash_option, hold_leash
from rapport.cli.ports import DEFAULT_HOST, DEFAULT_PORT, add_address_options, bind

#: seconds that open event streams and requests get when the web part stops
WEB_GRACE = 3


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the parts."""
    add_data_option(parser)
    add_leash_option(parser)
    if parser.prog.endswith(" web"):
        add_address_options(parser)
        parser.add_argument("--socket", type=int, default=None, help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    """Run one part until Ctrl-C or SIGTERM."""
    load_django(arguments.data)
    require_tables(make=False)
    if arguments.command == "web":
        return _run_web(arguments)
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    hold_leash(arguments.leash, stop.set)
    loops = _loops(arguments.command)
    calm_collector()
    return _run_loops(loops, stop)


def calm_collector() -> None:
    """Make Python's search for unreachable circles rare: what was loaded is never looked at again, and posts hold none.

    As it comes, the search costs the line a tenth of its time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


Loop = Callable[[threading.Event], None]


def _loops(command: str) -> list[Loop]:
    """The loops of a part; each runs until its event is set."""
    from rapport import wiring

    if command == "work":
        return [wiring.make_worker().run_forever]
    if command == "send":
        return [wiring.make_sender().run_forever, wiring.make_caller().run_forever, wiring.make_drafter().run_forever]
    return [
        wiring.make_clock().run_forever,
        wiring.make_listener().run_forever,
        wiring.make_notifier().run_forever,
    ]


def _run_loops(loops: list[Loop], stop: threading.Event) -> int:
    """Run the loops side by side. One that ends before it was asked to takes the part down, and the status says so."""
    if len(loops) == 1:
        loops[0](stop)
        return 0 if stop.is_set() else 1
    ended_early = threading.Event()

    def keep(loop: Loop) -> None:
        try:
            loop(stop)
        finally:
            if not stop.is_set():
                ended_early.set()
                stop.set()

    threads = [threading.Thread(target=keep, args=(loop,), name=loop.__qualname__) for loop in loops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return 1 if ended_early.is_set() else 0


def _run_web(arguments: argparse.Namespace) -> int:
    import uvicorn

    # files of the look are handed out by whitenoise, piece by piece from the disk; nothing waits for them
    warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")
    if arguments.socket is not None:
        listening = socket.socket(fileno=arguments.socket)
    else:
        listening = bind(arguments.host or DEFAULT_HOST, DEFAULT_PORT if arguments.port is None else arguments.port)
    config = uvicorn.Config(
        "rapport.config.asgi:application",
        lifespan="off",
        ws="none",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        # who stands before us is a setting of ours (trusted_proxies); nobody else's header is believed
        proxy_headers=False,
        timeout_graceful_shutdown=WEB_GRACE,
    )
    server = uvicorn.Server(config)
    config.load()  # what is loaded now, the search for unreachable circles leaves alone
    calm_collector()

    def stop() -> None:
        server.should_exit = True

    hold_leash(arguments.leash, stop)
    server.run(sockets=[listening])
    return 0 if server.started else 1
