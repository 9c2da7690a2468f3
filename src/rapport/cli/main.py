"""The `rapport` command: finds the module of a command, runs it, and turns errors into one plain line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NamedTuple, Protocol, cast

from rapport import __version__
from rapport.core.errors import RapportError

#: exit statuses that every command shares; 1 is for what the command itself found wrong
OK, FOUND, CANNOT_START, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 130, 141


class Command(NamedTuple):
    """Where a command lives, and what it does in one line."""

    module: str
    summary: str


class CommandModule(Protocol):
    """What the module of a command offers."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the arguments."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it; returns the exit status."""


#: every command, in the order of `rapport --help`
COMMANDS: dict[str, Command] = {
    "up": Command("rapport.cli.up", "start the whole desk: web, worker, sender, listener, clock"),
    "import": Command("rapport.cli.import_posts", "bring in posts from a file"),
    "replay": Command("rapport.cli.replay", "feed a file as if it were live"),
    "understand": Command("rapport.cli.understand", "read posts and write what is understood of each"),
    "match": Command("rapport.cli.match", "hold standing queries against posts"),
    "decide": Command("rapport.cli.decide", "hold rules against posts"),
    "backtest": Command("rapport.cli.backtest", "hold rules against what was heard: what would have been different"),
    "rules": Command("rapport.cli.rules", "print the rules in force, or check a file"),
    "train": Command("rapport.cli.train", "learn the readings from labelled texts, with a model card"),
    "work": Command("rapport.cli.parts", "run the worker alone: read, score and route what came in"),
    "send": Command("rapport.cli.parts", "run the sender alone: bring approved replies to their networks"),
    "listen": Command("rapport.cli.parts", "run the listener and the clock alone: read the networks"),
    "web": Command("rapport.cli.parts", "run the web pages alone"),
    "doctor": Command("rapport.cli.doctor", "check settings, database, bus, channels, clock, disk, keys"),
    "token": Command("rapport.cli.token", "make, list and revoke the tokens of programs"),
    "keys": Command("rapport.cli.keys", "put everything that is encrypted under a new key"),
    "hold": Command("rapport.cli.hold", "stop everything going out at once, and let it go again"),
    "person": Command("rapport.cli.person", "everything of a person as a file, or taken away for good"),
    "ledger": Command("rapport.cli.ledger", "check that every approval is still what a person approved"),
    "bench": Command("rapport.cli.bench", "measure ours beside others, on this machine"),
}


def build_parser(chosen: str | None) -> argparse.ArgumentParser:
    """The parser, with the arguments of the `chosen` command only: the others are not loaded."""
    parser = argparse.ArgumentParser(
        prog="rapport",
        description="Hybrid social engagement: machines listen and sort, people answer.",
        epilog="`rapport COMMAND --help` explains a command. Reference: docs/reference/commands.md",
    )
    parser.add_argument("--version", action="version", version=f"rapport {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        each = commands.add_parser(name, help=command.summary, description=f"{command.summary.capitalize()}.")
        if name == chosen:
            load(name).configure(each)
    return parser


def load(name: str) -> CommandModule:
    """The module of a command."""
    return cast("CommandModule", import_module(COMMANDS[name].module))


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status. Never a traceback for what a person can mend."""
    words = sys.argv[1:] if argv is None else list(argv)
    chosen = next((word for word in words if not word.startswith("-")), None)
    try:
        arguments = build_parser(chosen if chosen in COMMANDS else None).parse_args(words)
        status = load(arguments.command).run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        status = INTERRUPTED
    except BrokenPipeError:
        # whoever read our output has left; keep Python from complaining about it at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = PIPE_CLOSED
    except SystemExit as stop:
        # a text is a setting that cannot be used; a number comes from the parser of the arguments
        status = _complain(stop.code) if isinstance(stop.code, str) else stop.code or OK
    except (RapportError, OSError) as error:
        status = _complain(_in_words(error))
    except Exception as error:
        if not _is_database_error(error):
            raise
        status = _complain(f"the database refused: {str(error).strip()}. `rapport doctor` looks for the cause.")
    return status


def _in_words(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


def _is_database_error(error: Exception) -> bool:
    if "django.db" not in sys.modules:
        return False
    from django.db import DatabaseError

    return isinstance(error, DatabaseError)


def _complain(message: str) -> int:
    print(f"rapport: {message}", file=sys.stderr)
    return CANNOT_START


if __name__ == "__main__":
    sys.exit(main())
