"""`rapport up`: the whole desk in one process tree."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import signal
import socket

from rapport.cli.desk import (
    add_data_option,
    data_dir,
    first_admin,
    first_sign_in_path,
    load_django,
    make_workspace,
    migrate,
    only_one,
    typed_settings,
)
from rapport.cli.ports import DEFAULT_HOST, DEFAULT_PORT, EVERYWHERE, add_address_options, bind
from rapport.cli.replay import read_sorted, speed
from rapport.cli.supervise import Part, Supervisor

RUNNING = "another `rapport up` runs on this data folder; stop it, or choose another folder with --data"


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `rapport up`."""
    parser.epilog = (
        "The first start makes the data folder, keys, tables and the first admin: RAPPORT_ADMIN_EMAIL and "
        "RAPPORT_ADMIN_PASSWORD, or a one-time sign-in link on the terminal. Ctrl-C stops everything."
    )
    add_data_option(parser)
    add_address_options(parser)
    parser.add_argument("--demo", action="store_true", help="add a workspace with an invented brand and its posts")
    parser.add_argument("--replay", metavar="FILE", help="feed this file as if it were live (see `rapport replay`)")
    parser.add_argument("--speed", type=speed, default=1.0, metavar="N", help="replay N times as fast (default 1)")


def run(arguments: argparse.Namespace) -> int:
    """Prepare everything, start the parts, and watch over them until Ctrl-C or SIGTERM."""
    if arguments.replay:
        read_sorted(arguments.replay)  # a file that cannot be read is said now, not after the start
    supervisor = _supervisor_with_signals()
    host = arguments.host or DEFAULT_HOST
    with bind(host, DEFAULT_PORT if arguments.port is None else arguments.port) as listening:
        _set_base_url(host, listening)
        load_django(arguments.data)
        with only_one("up.lock", RUNNING):
            workspace = _prepare(arguments)
            _greet(host)
            supervisor.parts = _parts(arguments, listening, workspace)
            supervisor.run()
    print("Rapport has stopped.", flush=True)
    return 0


def _supervisor_with_signals() -> Supervisor:
    """A supervisor that the signals stop, from the very beginning of the start."""
    supervisor = Supervisor([])
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(name, lambda *_: supervisor.stop.set())
    return supervisor


def _set_base_url(host: str, listening: socket.socket) -> None:
    """Without RAPPORT_BASE_URL, people reach the desk where it listens."""
    if "RAPPORT_BASE_URL" in os.environ or "RAPPORT_BASE_URL_FILE" in os.environ:
        return
    name = DEFAULT_HOST if host in EVERYWHERE else host
    name = f"[{name}]" if ":" in name else name
    os.environ["RAPPORT_BASE_URL"] = f"http://{name}:{listening.getsockname()[1]}"


def _prepare(arguments: argparse.Namespace) -> str:
    """Tables, first workspace, demo; returns the slug of the workspace that a replay goes to."""
    from django.db import connection

    from rapport.store.models import Workspace

    migrate()
    now = dt.datetime.now(dt.UTC)
    if arguments.demo:
        from rapport.cli.demo import load_demo

        slug = load_demo(first_admin(now), now).slug
    else:
        oldest = Workspace.objects.order_by("pk").first() or make_workspace("Default", "default", now)
        slug = oldest.slug
    connection.close()
    return str(slug)


def _parts(arguments: argparse.Namespace, listening: socket.socket, workspace: str) -> list[Part]:
    data = ["--data", str(data_dir())]
    web = ["web", "--socket", str(listening.fileno()), *data]
    parts = [
        Part("web part", web, descriptors=[listening.fileno()]),
        Part("worker", ["work", *data]),
        Part("sender", ["send", *data]),
        Part("listener", ["listen", *data]),
    ]
    if arguments.replay:
        words = ["replay", arguments.replay, "--speed", f"{arguments.speed:g}", "--workspace", workspace, *data]
        parts.append(Part("replay", words, once=True))
    return parts


def _greet(host: str) -> None:
    from django.db import connection

    now = dt.datetime.now(dt.UTC)
    settings = typed_settings()
    link = first_sign_in_path(now)
    lines = ["", f"Rapport is at {settings.base_url}", f"Data folder: {settings.data_dir}"]
    if link:
        lines += [
            "",
            "Nobody has signed in yet. This link signs you in, once, within 24 hours:",
            f"  {settings.base_url}{link}",
        ]
    else:
        lines.append(f"Sign in as {first_admin(now).email}, or as a member of your team.")
    if host in EVERYWHERE:
        lines.append("It listens on every address, and answers to the names in RAPPORT_BASE_URL and RAPPORT_HOSTS.")
    print("\n".join([*lines, "", "Ctrl-C stops it.", ""]), flush=True)
    connection.close()
