"""How somebody wants to be told, on which devices, and what is due to them by mail or by push."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Mapping, Sequence
from urllib.parse import urlsplit

import msgspec
from django.db import models, transaction

from rapport.actions.audit import write_audit
from rapport.core.errors import InvalidInput
from rapport.core.notices import EVENTS, LONGEST_REST, REST, TOO_LATE, WAYS, Quiet, end_of_quiet, read_quiet, read_ways
from rapport.store.models import Membership, Notification, NotificationSettings, PushSubscription
from rapport.store.queries.notices import list_devices, quiet_of, read_sight, read_wishes, zone_of

#: browsers that one person lets us wake
MOST_DEVICES = 20
#: a device whose push service refused so many times in a row is forgotten
MOST_FAILURES = 20
#: a push that was claimed so long ago and not gone on with belongs to a process that is no more
LEASE = dt.timedelta(minutes=1)


# ------------------------------------------------------------------ how somebody wants to be told


def save_wishes(
    member: Membership, ways: Mapping[str, Collection[str]], quiet: Quiet, *, now: dt.datetime
) -> NotificationSettings:
    """A member's own choice of ways for each event, and their quiet hours. What waits to be sent follows it at once."""
    chosen = {event: [way for way in WAYS if way in ways.get(event, ())] for event in EVENTS}
    stored = msgspec.to_builtins(quiet)
    read_quiet(stored)
    with transaction.atomic():
        wishes, _ = NotificationSettings.objects.update_or_create(
            membership=member,
            defaults={"workspace": member.workspace, "ways": chosen, "quiet": stored, "changed_at": now},
        )
        write_audit(member.workspace_id, member, "notices.settings", member, now, ways=chosen, quiet=stored)
    return wishes


def turn_off(member: Membership, way: str, *, now: dt.datetime) -> NotificationSettings:
    """No more mail, or no more push, for anything; the other ways stay as they are."""
    if way not in ("mail", "push"):
        raise InvalidInput("Mail and push can be turned off here.")
    wish = read_wishes([member.pk]).get(member.pk)
    chosen = wish.ways if wish else {}
    ways = {event: read_ways(event, chosen) - {way} for event in EVENTS}
    return save_wishes(member, ways, quiet_of(wish), now=now)


def add_device(
    member: Membership, endpoint: str, p256dh: str, auth: str, device: str, *, now: dt.datetime
) -> PushSubscription:
    """Let the desk wake a browser of the member's. The same browser again replaces its keys."""
    parts = urlsplit(endpoint)
    if parts.scheme != "https" or not parts.hostname or len(endpoint) > 2_000:
        raise InvalidInput("This browser named no push service that can be reached over https.")
    if not (0 < len(p256dh) <= 128 and 0 < len(auth) <= 64):
        raise InvalidInput("The keys of this browser cannot be used; load the page again and try once more.")
    digest = hashlib.sha256(endpoint.encode()).hexdigest()
    with transaction.atomic():
        own = PushSubscription.objects.of(member.workspace_id).filter(membership=member)
        if own.exclude(digest=digest).count() >= MOST_DEVICES:
            raise InvalidInput(f"You have {MOST_DEVICES} devices already; remove one that you do not use any more.")
        row, _ = PushSubscription.objects.update_or_create(
            membership=member,
            digest=digest,
            defaults={
                "workspace": member.workspace, "endpoint": endpoint, "p256dh": p256dh, "auth": auth,
                "device": device.replace("\x00", "").strip()[:120], "created_at": now, "failures": 0,
            },
        )  # fmt: skip
        write_audit(member.workspace_id, member, "notices.device_add", row, now, device=row.device)
    return row


def remove_device(member: Membership | None, row: PushSubscription, *, now: dt.datetime) -> None:
    """Wake this browser no more: its owner says so, or its push service does (`member` None)."""
    with transaction.atomic():
        write_audit(row.workspace_id, member, "notices.device_remove", row, now, device=row.device)
        row.delete()


def note_failure(row: PushSubscription, *, now: dt.datetime) -> None:
    """Its push service refused or could not be reached; one that does so again and again is forgotten."""
    PushSubscription.objects.filter(pk=row.pk).update(failures=models.F("failures") + 1)
    row.refresh_from_db(fields=["failures"])
    if row.failures >= MOST_FAILURES:
        remove_device(None, row, now=now)


# ------------------------------------------------------------------ what is due


class Claimed(msgspec.Struct, frozen=True):
    """Notices of one member that nobody else sends any more."""

    member: Membership
    way: str
    notices: tuple[Notification, ...]


def claim_due(way: str, *, now: dt.datetime) -> Claimed | None:
    """Take everything that is due to one member by mail or by push; None when nothing is.

    Claimed before it is sent: who dies in between loses a mail and never sends two, and of a push the one device that
    was being told; the others are told once `LEASE` is over. The notice stands at the desk in
    any case; a mail is only the nudge to look, and one too many teaches people to look away.
    What the person does not want any more, may not see any more, or what is too old is taken away unsent; what falls
    into quiet hours by now waits for their end.
    """
    due, done = f"{way}_at", f"{way}ed_at"
    # looked for first: this is asked every few seconds, and a transaction of its own would hold up others
    first = Notification.objects.filter(**{f"{due}__lte": now}).order_by(due, "pk").first()
    if first is None:
        return None
    with transaction.atomic():
        rows = list(
            Notification.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(membership=first.membership_id, **{f"{due}__lte": now})
            .select_related("membership__user", "membership__workspace", "conversation")
            .order_by("-last_at", "-pk")
        )
        if not rows:  # another one has them at this moment
            return None
        member = rows[0].membership
        wanted, later = _still_wanted(member, way, rows, now)
        for row, at in later:
            Notification.objects.filter(pk=row.pk).update(**{due: at})
        gone = [row.pk for row in rows if row not in wanted and row.pk not in {each.pk for each, _ in later}]
        Notification.objects.filter(pk__in=gone).update(**{due: None})
        if way == "push":
            _begin_push(member, wanted, now)
        else:
            Notification.objects.filter(pk__in=[row.pk for row in wanted]).update(**{due: None, done: now})
        if wanted:
            write_audit(member.workspace_id, None, f"notices.{way}", member, now, notices=[row.pk for row in wanted])
    return Claimed(member, way, tuple(wanted))


def _begin_push(member: Membership, wanted: Sequence[Notification], now: dt.datetime) -> None:
    """Write on each notice which devices are to be told; one that there is no device for is done."""
    devices = [device.pk for device in list_devices(member)]
    for row in wanted:
        left = [pk for pk in devices if row.push_left is None or pk in row.push_left]
        # while some are behind, it stays the moment when the first were told
        row.pushed_at = now if row.push_left is None or row.pushed_at is None else row.pushed_at
        row.push_left, row.push_at = (left, now + LEASE) if left else (None, None)
        Notification.objects.filter(pk=row.pk).update(
            push_left=row.push_left, push_at=row.push_at, pushed_at=row.pushed_at
        )


class PushClaim:
    """A notice that is being pushed: each device is taken off its list just before it is told."""

    def __init__(self, row: Notification) -> None:
        self._row = row
        self._told = self.left

    @property
    def left(self) -> list[int]:
        """Ids of the devices that are still to be told."""
        return list(self._row.push_left or ())

    def take(self, device: int, *, now: dt.datetime) -> bool:
        """False: the claim was lost, or the member has looked meanwhile."""
        return self._hold([pk for pk in self.left if pk != device], now + LEASE)

    def put_back(self, device: int, *, now: dt.datetime) -> bool:
        """The device was certainly not told."""
        return self._hold([*self.left, device], now + LEASE)

    def settle(self, again: dt.datetime, *, now: dt.datetime) -> None:
        """Devices that are left are told at `again`. Where none is, it is done, but for what came to it meanwhile."""
        began = self._row.pushed_at
        if self.left or began is None:
            self._hold(self.left, again)
        elif not self._mine().filter(last_at__lte=began).update(push_at=None, push_left=None):
            self._tell_the_others(began, now)

    def _tell_the_others(self, began: dt.datetime, now: dt.datetime) -> None:
        """More came since the first were told: those who have not heard of it do when their rest is over."""
        behind = [device.pk for device in list_devices(self._row.membership)]
        if self._row.last_at > began:  # those of this round heard of it
            behind = [pk for pk in behind if pk not in self._told]
        due = max(now, began + REST["push"]) if behind else None
        self._mine().update(push_at=due, push_left=behind or None, pushed_at=now)

    def _hold(self, left: list[int], until: dt.datetime) -> bool:
        if not self._mine().update(push_left=left, push_at=until):
            return False
        self._row.push_left, self._row.push_at = left, until
        return True

    def _mine(self) -> models.QuerySet[Notification]:
        # the end of the claim is its fence: whoever takes it over, or looks at the notice, writes another one
        return Notification.objects.filter(pk=self._row.pk, push_at=self._row.push_at, read_at__isnull=True)


def _still_wanted(
    member: Membership, way: str, rows: Sequence[Notification], now: dt.datetime
) -> tuple[list[Notification], list[tuple[Notification, dt.datetime]]]:
    """Those to send now, and those that wait for the end of quiet hours, with when that is."""
    wish = read_wishes([member.pk]).get(member.pk)
    quiet, zone = quiet_of(wish), zone_of(member)
    sight = read_sight(member.workspace_id, [member], {row.conversation_id for row in rows if row.conversation_id})
    until = end_of_quiet(now, quiet, zone)
    wanted, later = [], []
    for row in rows:
        # quiet hours may be longer than that: what came in them, or rested into them, is told when they are over
        ended = end_of_quiet(row.last_at + LONGEST_REST, quiet, zone) - LONGEST_REST
        if member.may("read") is not True or row.read_at is not None or ended < now - TOO_LATE:
            continue
        if way not in read_ways(row.event, wish.ways if wish else {}):
            continue
        if row.conversation_id is not None and not sight.sees(member.pk, row.conversation_id):
            continue
        passes = EVENTS[row.event].urgent and quiet.urgent
        if until > now and not passes:
            later.append((row, until))
        else:
            wanted.append(row)
    return wanted, later


def give_back(claimed: Claimed, at: dt.datetime, *, now: dt.datetime) -> None:
    """It certainly did not leave: due again at `at`, as far as nobody looked at it meanwhile."""
    due = f"{claimed.way}_at"
    with transaction.atomic():
        rows = Notification.objects.filter(pk__in=[row.pk for row in claimed.notices], read_at__isnull=True)
        rows.update(**{due: at, f"{claimed.way}ed_at": None})
        write_audit(claimed.member.workspace_id, None, f"notices.{claimed.way}_later", claimed.member, now)


def sweep_notices(*, now: dt.datetime, kept: dt.timedelta = dt.timedelta(days=30)) -> int:
    """Forget notices that were read long ago; returns how many."""
    old = Notification.objects.filter(read_at__lt=now - kept).values("pk")[:5_000]
    return Notification.objects.filter(pk__in=list(old.values_list("pk", flat=True))).delete()[0]
