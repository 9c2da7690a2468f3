"""The composition root: settings become a bus, a session, networks, and those who work with them."""

from __future__ import annotations

import datetime as dt
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from rapport.actions.ledger_heads import heads_file
from rapport.bus.table import TableBus
from rapport.networks.folder.network import Folder
from rapport.networks.folder.places import read_roots
from rapport.networks.http import GuardedSession, Limits
from rapport.networks.registry import NETWORKS
from rapport.pipeline.clock import Clock
from rapport.pipeline.drafting import Drafter
from rapport.pipeline.heads import HeadKeeper
from rapport.pipeline.listener import Listener
from rapport.pipeline.notices import Notifier, Ways
from rapport.pipeline.recheck import Rechecker
from rapport.pipeline.sender import Sender
from rapport.pipeline.webhooks import Caller
from rapport.pipeline.worker import Worker

if TYPE_CHECKING:
    from rapport.bus.base import Bus
    from rapport.settings import Settings


def now() -> dt.datetime:
    """The time, aware, in UTC."""
    return dt.datetime.now(dt.UTC)


def current_settings() -> Settings:
    """The typed settings of this deployment."""
    found: Settings = settings.RAPPORT
    return found


def watched_roots() -> tuple[Path, ...]:
    """The folders of this deployment that may be watched."""
    return read_roots(current_settings().watch_dirs)


# the one network that depends on a setting; as it is registered it may read nothing
NETWORKS[Folder.name] = Folder(watched_roots)


@cache
def make_bus() -> Bus:
    """The bus of this deployment: a table in the same database."""
    return TableBus(current_settings().batch)


def make_session(limits: Limits | None = None) -> GuardedSession:
    """A guarded HTTP session that may also call the private servers that the settings name."""
    allowed = [pair.strip() for pair in current_settings().allow_private.split(",") if pair.strip()]
    return GuardedSession(allow=allowed, limits=limits)


def lease() -> dt.timedelta:
    """How long a claim is held."""
    return dt.timedelta(seconds=current_settings().lease_seconds)


def make_worker() -> Worker:
    """A worker on this deployment's bus."""
    return Worker(make_bus(), now, lease(), current_settings().deep_share)


def make_caller() -> Caller:
    """Who calls the webhooks of rules."""
    return Caller(make_session, now, lease())


def make_drafter() -> Drafter:
    """Who asks a service for drafts, where a workspace has one."""
    return Drafter(make_session, now)


def make_sender() -> Sender:
    """A sender over every network that is registered."""
    rechecker = Rechecker(NETWORKS, make_session, make_bus(), now, current_settings().recheck_days)
    return Sender(NETWORKS, make_session, make_bus(), now, lease(), rechecker.look_before_reply)


def make_listener() -> Listener:
    """A listener over every network that is registered."""
    every = dt.timedelta(seconds=current_settings().poll_seconds)
    return Listener(NETWORKS, make_session, make_bus(), now, every, current_settings().recheck_days)


def make_notifier() -> Notifier:
    """Whoever tells colleagues by mail and push what they have not looked at."""
    known = current_settings()
    contact = known.base_url if known.secure else f"mailto:{known.mail_from}"
    ways = Ways(known.base_url, bool(known.mail_url), settings.PUSH_KEY, contact)
    return Notifier(ways, make_session, now)


def make_clock() -> Clock:
    """The clock of this deployment."""
    return Clock(now, HeadKeeper(heads_file(), current_settings().ledger_heads_to, make_session))
