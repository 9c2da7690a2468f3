"""`rapport doctor`: looks at everything that can be wrong with a deployment, one plain line per problem."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from rapport.cli.desk import add_data_option, load_django, pending_migrations, typed_settings

#: free space below which we complain
ENOUGH_DISK = 1024**3  # bytes
#: how long work may wait before it is likely that nobody does it
PATIENCE = dt.timedelta(minutes=5)
#: how far two clocks may be apart
SKEW = dt.timedelta(seconds=30)


class Problem(NamedTuple):
    """One thing that is wrong, and how to mend it."""

    check: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.check}: {self.what} {self.remedy}"


Check = Callable[[dt.datetime], Iterator[Problem]]


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `rapport doctor`."""
    parser.epilog = "Exit status: 0 all is well, 1 there are problems (one line each)."
    parser.add_argument("--json", action="store_true", help="the problems as a JSON list")
    add_data_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run every check; prints the problems."""
    problems = list(examine(arguments.data, dt.datetime.now(dt.UTC)))
    if arguments.json:
        print(json.dumps([problem._asdict() for problem in problems]))
    elif problems:
        print("\n".join(map(str, problems)))
    else:
        print("All is well: settings, files, disk, database, bus, clock, channels, replies.")
    return 1 if problems else 0


def examine(data: str | None, now: dt.datetime) -> Iterator[Problem]:
    """Every problem there is. Without settings or a database the checks that need them are left out."""
    from django.db import DatabaseError

    try:
        load_django(data)
    except SystemExit as error:
        yield Problem("settings", f"{str(error).removeprefix('settings: ')}.", "See docs/reference/settings.md.")
        return
    yield from check_files(now)
    yield from check_disk(now)
    try:
        missing = pending_migrations()
    except DatabaseError as error:
        yield Problem(
            "database", f"it does not answer: {_one_line(error)}.", "Check RAPPORT_DATABASE_URL, or the disk."
        )
        return
    if missing:
        yield Problem("database", f"{len(missing)} changes to the tables are due.", "Start `rapport up` once.")
        return
    for check in (check_clock, check_bus, check_channels, check_deliveries):
        yield from check(now)


def check_files(_now: dt.datetime) -> Iterator[Problem]:
    """The data folder and the keys belong to their owner alone."""
    folder: Path = typed_settings().data_dir
    if not folder.exists():
        yield Problem("files", f"{folder} does not exist yet.", "`rapport up` makes it.")
        return
    for path in (folder, *(folder / name for name in ("secret.key", "token.keys", "rapport.sqlite3"))):
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077 and (path == folder or "key" in path.name):
            mode = "700" if path.is_dir() else "600"
            yield Problem("files", f"{path} can be read by others on this machine.", f"Run: chmod {mode} {path}")


def check_disk(_now: dt.datetime) -> Iterator[Problem]:
    """There is room to write."""
    folder: Path = typed_settings().data_dir
    if folder.exists() and (free := shutil.disk_usage(folder).free) < ENOUGH_DISK:
        yield Problem(
            "disk", f"{free / 1024**2:,.0f} MB are free at {folder}.", "Make room: when it is full, nothing comes in."
        )


def check_clock(now: dt.datetime) -> Iterator[Problem]:
    """This machine's clock agrees with the database's, and has not gone back."""
    from django.db import connection

    from rapport.store.models import AuditEntry

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            apart = abs(cursor.fetchone()[0] - dt.datetime.now(dt.UTC))
        if apart > SKEW:
            yield Problem("clock", f"it is {apart.total_seconds():.0f} s away from the database's.", "Set both by NTP.")
    newest = AuditEntry.objects.order_by("-pk").values_list("at", flat=True).first()
    if newest is not None and newest > now + SKEW:
        yield Problem(
            "clock", f"it shows {now:%F %T} UTC, earlier than the last record ({newest:%F %T}).", "Set it by NTP."
        )


def check_bus(now: dt.datetime) -> Iterator[Problem]:
    """What came in is being worked on."""
    from rapport.store.models import BusMessage

    aside = BusMessage.objects.filter(state=BusMessage.State.QUARANTINED)
    if count := aside.count():
        error = (aside.order_by("pk").values_list("error", flat=True).first() or "").strip().splitlines()
        cause = f" The first one: {error[-1][:200]}." if error else ""
        yield Problem("bus", f"{count} posts were set aside after five tries.{cause}", "See the quarantine page.")
    waiting = BusMessage.objects.filter(state=BusMessage.State.READY, created_at__lt=now - PATIENCE).count()
    stuck = BusMessage.objects.filter(state=BusMessage.State.CLAIMED, lease_until__lt=now - PATIENCE).count()
    if waiting or stuck:
        yield Problem(
            "bus", f"{waiting + stuck} batches of posts wait for more than 5 minutes.", "Is `rapport work` running?"
        )


def check_channels(now: dt.datetime) -> Iterator[Problem]:
    """Every connected account is read, and its token opens."""
    from rapport.core.errors import Reauthorise
    from rapport.store.models import Channel
    from rapport.store.secrets import unseal

    late = now - max(PATIENCE, 10 * dt.timedelta(seconds=typed_settings().poll_seconds))
    for channel in Channel.objects.exclude(state=Channel.State.OFF).select_related("workspace").order_by("pk"):
        name = f"{channel.name} ({channel.workspace.slug}/{channel.slug})"
        if channel.state == Channel.State.REAUTHORISE:
            yield Problem(
                "channel",
                f"{name} must be connected again: {channel.state_reason or 'its token is dead'}.",
                "Open Sources on the desk.",
            )
            continue
        try:
            unseal(channel.token)
        except Reauthorise as error:
            yield Problem(
                "channel", f"{name}: {error}.", "Was token.keys replaced? Put the old key back, or connect again."
            )
            continue
        if channel.paused_until and channel.paused_until > now:
            continue  # the network asked for it
        if (channel.last_pull_at or channel.state_at) < late:
            seen = f"{channel.last_pull_at:%F %H:%M} UTC" if channel.last_pull_at else "never"
            yield Problem("channel", f"{name} was last read: {seen}.", "Is `rapport listen` running?")


def check_deliveries(now: dt.datetime) -> Iterator[Problem]:
    """Approved replies are on their way."""
    from rapport.store.models import Delivery

    rows = Delivery.objects.all()
    if count := rows.filter(state=Delivery.State.FAILED).count():
        yield Problem(
            "replies",
            f"{count} could not be sent.",
            "Each says why in its conversation; retry it or take it back there.",
        )
    if count := rows.filter(unknown_at__isnull=False).exclude(held_by="x-handover").count():
        yield Problem(
            "replies", f"Of {count} nobody can tell whether the network took them.",
            "A colleague says in the conversation: it is there, or send it again.",
        )  # fmt: skip
    unconfirmed = rows.filter(state=Delivery.State.UNCONFIRMED, unknown_at__isnull=True)
    if count := unconfirmed.filter(queued_at__lt=now - PATIENCE).count():
        yield Problem("replies", f"{count} are unconfirmed for more than 5 minutes.", "Is `rapport send` running?")
    overdue = rows.filter(state=Delivery.State.QUEUED, next_try_at__lt=now - PATIENCE)
    stuck = rows.filter(state=Delivery.State.SENDING, lease_until__lt=now - PATIENCE)
    if count := overdue.count() + stuck.count():
        yield Problem("replies", f"{count} wait for more than 5 minutes.", "Is `rapport send` running?")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
