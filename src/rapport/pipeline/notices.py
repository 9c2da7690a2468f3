"""Sends what colleagues are told outside the desk: bundled mail, push to their browsers; and watches for a crisis."""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Callable
from threading import Event

import msgspec
from django.core import mail
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from rapport.actions.notice_ways import (
    Claimed,
    PushClaim,
    claim_due,
    give_back,
    note_failure,
    remove_device,
    sweep_notices,
)
from rapport.actions.notices import note_crisis
from rapport.core.errors import NetworkError, RetryLater, Unconfirmed
from rapport.core.rhythm import Rhythm
from rapport.networks.http import GuardedSession
from rapport.networks.web_push import Gone, Target, push
from rapport.pipeline.loop import keep_going
from rapport.pipeline.notice_words import line_of
from rapport.store.models import Notification, PushSubscription, Workspace
from rapport.store.queries.moods import read_crisis, read_usual_trouble
from rapport.store.queries.notices import list_devices, zone_of

log = logging.getLogger(__name__)

PAUSE = 3.0  # seconds between two looks at what is due
#: seconds that a mail server may take for one mail
MAIL_WITHIN = 20.0
#: when a mail server, or a push service, could not be reached
AGAIN = dt.timedelta(minutes=5)
#: notices in one mail; there may be more at the desk
MOST_LINES = 50
JUDGE, LEARN, SWEEP = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(hours=1)
#: a crisis is over when nothing was unusual for so long: trouble comes in waves
CALM = dt.timedelta(minutes=30)
_NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)


class Ways(msgspec.Struct, frozen=True):
    """What this deployment has for telling people elsewhere."""

    #: the address of the desk, for links: https://desk.example.com
    base_url: str
    #: it has a mail server
    mails: bool
    #: what push messages are signed with (`web_push.make_key`)
    push_key: str
    #: mailto: or https: address that push services may turn to
    contact: str


class Mood(msgspec.Struct):
    """What is usual in a workspace, and since when nothing was unusual."""

    learnt_at: dt.datetime
    usual: Rhythm | None
    calm_since: dt.datetime | None = None


class Notifier:
    """Sends what is due to whom, once."""

    def __init__(
        self, ways: Ways, make_session: Callable[[], GuardedSession], clock: Callable[[], dt.datetime]
    ) -> None:
        self.ways = ways
        self.clock = clock
        self._session = make_session()
        self._judged = self._swept = _NEVER
        self._moods: dict[int, Mood] = {}

    def run_forever(self, stop: Event) -> None:
        """Send until `stop` is set."""
        keep_going(stop, self.tick)

    def tick(self) -> float:
        """Send everything that is due; returns the seconds until the next look."""
        now = self.clock()
        if self.ways.mails:
            self._send_all("mail", self._mail)
        self._send_all("push", self._push)
        if now - self._judged >= JUDGE:
            for workspace in Workspace.objects.all():
                self.judge_trouble(workspace, now)
            self._judged = now
        if now - self._swept >= SWEEP:
            sweep_notices(now=now)
            self._swept = now
        return PAUSE

    def _send_all(self, way: str, send: Callable[[Claimed], None]) -> None:
        while (claimed := claim_due(way, now=self.clock())) is not None:
            if claimed.notices:
                send(claimed)

    # -------------------------------------------------------------- mail

    def _mail(self, claimed: Claimed) -> None:
        """One mail with everything that is due to this member."""
        message = self.write_mail(claimed)
        connection = mail.get_connection(timeout=MAIL_WITHIN)
        try:
            connection.open()
        except OSError as error:
            log.warning("The mail server cannot be reached, the mail waits: %s", error)
            give_back(claimed, self.clock() + AGAIN, now=self.clock())
            return
        try:
            connection.send_messages([message])
        except OSError as error:
            # a server that said no for now did not take it. Where it fell silent nobody knows, and two mails about the
            # same thing are worse than none: it stands at the desk
            if 400 <= _code_of(error) < 500:
                give_back(claimed, self.clock() + AGAIN, now=self.clock())
            log.warning("A mail to a colleague did not go out: %s", error)
        finally:
            connection.close()

    def write_mail(self, claimed: Claimed) -> mail.EmailMultiAlternatives:
        """The mail that tells of these notices, in the language of the member."""
        member = claimed.member
        root = f"{self.ways.base_url}/w/{member.workspace.slug}/"
        with translation.override(member.user.language), timezone.override(zone_of(member)):
            lines = [(line_of(row), f"{root}notices/{row.pk}/") for row in claimed.notices[:MOST_LINES]]
            shown = {
                "name": str(member.user),
                "workspace": member.workspace,
                "lines": lines,
                "more": len(claimed.notices) - len(lines),
                "desk": f"{root}notices/",
                "off": f"{root}notices/off/mail/",
            }
            subject = _subject(claimed, member.workspace)
            text = render_to_string("notices/mail.txt", shown)
            page = render_to_string("notices/mail.html", shown)
        message = mail.EmailMultiAlternatives(
            subject, text, to=[member.user.email],
            # answers of machines (out of office) stay away, and mail programs show the way out
            headers={
                "Auto-Submitted": "auto-generated",
                "X-Auto-Response-Suppress": "All",
                "List-Unsubscribe": f"<{root}notices/off/mail/>",
            },
        )  # fmt: skip
        message.attach_alternative(page, "text/html")
        return message

    # -------------------------------------------------------------- push

    def _push(self, claimed: Claimed) -> None:
        """One message for each notice to each device of the member; one with the same tag replaces the one before."""
        devices = {device.pk: device for device in list_devices(claimed.member)}
        silent: set[int] = set()
        for row in claimed.notices:
            if row.push_left:
                self._push_one(row, devices, silent)

    def _push_one(self, row: Notification, devices: dict[int, PushSubscription], silent: set[int]) -> None:
        """Tell the devices that are left of one notice. Those whose service does not answer become `silent`: what else
        there is for them waits.
        """
        payload, again, claim = self.payload_of(row), AGAIN, PushClaim(row)
        for pk in [pk for pk in claim.left if pk not in silent]:
            if not claim.take(pk, now=self.clock()):
                return
            device = devices.get(pk)
            if device is None:
                continue
            now = self.clock()
            target = Target(device.endpoint, device.p256dh, device.auth)
            try:
                push(self._session, target, payload, self.ways.push_key, self.ways.contact, now=now)
            except Gone:
                remove_device(None, devices.pop(pk), now=now)
            except RetryLater as error:
                log.warning("A push service could not be reached: %s", error)
                claim.put_back(pk, now=self.clock())
                silent.add(pk)
                again = max(again, dt.timedelta(seconds=error.after or 0))
            except Unconfirmed as error:  # it may have been told of this one, so not again
                log.warning("A push service gave no answer: %s", error)
                silent.add(pk)
            except NetworkError as error:
                log.warning("A push service refused: %s", error)
                note_failure(devices.pop(pk), now=now)
        now = self.clock()
        claim.settle(now + again, now=now)

    def payload_of(self, row: Notification) -> bytes:
        """What the service worker of the browser gets (`static/push-worker.js`)."""
        slug = row.workspace.slug
        with translation.override(row.membership.user.language), timezone.override(zone_of(row.membership)):
            told = {
                "title": row.workspace.name,
                "body": line_of(row),
                "url": f"/w/{slug}/notices/{row.pk}/",
                "tag": f"{slug}/{row.event}/{row.bundle}"[:200],
            }
        return json.dumps(told, ensure_ascii=False).encode()

    # -------------------------------------------------------------- crisis

    def judge_trouble(self, workspace: Workspace, now: dt.datetime) -> None:
        """Tell when a crisis begins, and when it has been over for a while."""
        mood = self._moods.get(workspace.pk)
        if mood is None or now - mood.learnt_at >= LEARN:
            calm = mood.calm_since if mood else None
            mood = self._moods[workspace.pk] = Mood(now, read_usual_trouble(workspace.pk, now), calm)
        crisis = read_crisis(workspace.pk, mood.usual, now) if mood.usual is not None else None
        if crisis is not None:
            mood.calm_since = None
            note_crisis(workspace, crisis, now=now)
            return
        mood.calm_since = mood.calm_since or now
        if now - mood.calm_since >= CALM:
            note_crisis(workspace, None, now=now)


def _code_of(error: OSError) -> int:
    """The code with which a mail server refused the one address of a mail, or the mail; 0 where it gave none."""
    refused: dict[str, tuple[int, bytes]] = getattr(error, "recipients", {})  # of `smtplib.SMTPRecipientsRefused`
    return next((code for code, _ in refused.values()), int(getattr(error, "smtp_code", 0)))


def _subject(claimed: Claimed, workspace: Workspace) -> str:
    """One line, whatever names hold: a header ends where a line does."""
    if len(claimed.notices) == 1:
        said = f"{workspace.name}: {line_of(claimed.notices[0])}"
    else:
        said = _("%(workspace)s: %(n)d things to know") % {"workspace": workspace.name, "n": len(claimed.notices)}
    return " ".join(said.replace("\x00", "").split())[:150]
