"""What is due goes out once: one mail a person, one push a device, by real servers on loopback."""

from __future__ import annotations

import datetime as dt
import email
import json
from collections.abc import Iterator
from email.message import Message
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from conftest import NOON
from push_service import Browser
from rapport.actions import notice_ways
from rapport.actions.accounts import change_member
from rapport.actions.notices import notify, read_notices
from rapport.core.decision import Crisis
from rapport.core.notices import EVENTS, PATIENCE, REST, Quiet
from rapport.networks.http import GuardedSession
from rapport.networks.web_push import make_key
from rapport.pipeline import notices as pipeline
from rapport.pipeline.notices import Notifier, Ways
from rapport.store.models import Membership, Notification, PushSubscription
from servers import free_port
from wires import Caller, byte_server

pytestmark = pytest.mark.django_db

MAIL = NOON + PATIENCE["mail"]
PUSH = NOON + PATIENCE["push"]


class Clock:
    """A clock that stands where it was put."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> dt.datetime:
        return self.now


class Letterbox:
    """The handler of a mail server: what arrived, and what it says to the next ones."""

    def __init__(self) -> None:
        self.received: list[tuple[list[str], Message]] = []
        self.says: list[str] = []
        self.says_to_the_address: list[str] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  (aiosmtpd's name)
        if self.says:
            return self.says.pop(0)
        self.received.append((list(envelope.rcpt_tos), email.message_from_bytes(envelope.content)))
        return "250 taken"

    async def handle_RCPT(  # noqa: N802  (aiosmtpd's name)
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if self.says_to_the_address:
            return self.says_to_the_address.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 known"

    def texts(self) -> list[str]:
        return [
            str(part.get_payload(decode=True).decode()).replace("\r\n", "\n")  # type: ignore[union-attr]
            for _, message in self.received
            for part in message.walk()
            if part.get_content_type() == "text/plain"
        ]


@pytest.fixture
def letterbox(settings: Any) -> Iterator[Letterbox]:
    """A real mail server on loopback, which Django's settings name."""
    box = Letterbox()
    port = free_port()
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_HOST_USER = ""
    try:
        yield box
    finally:
        server.stop()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def notifier(clock: Clock) -> Notifier:
    ways = Ways("https://desk.example", True, make_key(), "mailto:desk@example.org")
    return Notifier(ways, GuardedSession, clock)


def run(notifier: Notifier, clock: Clock, at: dt.datetime) -> None:
    clock.now = at
    notifier.tick()


def test_everything_that_is_due_to_a_person_is_one_mail_with_its_links_and_the_way_out(
    alice: Any, ben: Any, letterbox: Letterbox, notifier: Notifier, clock: Clock
) -> None:
    notify(alice.workspace, [alice, ben], "task", text="Call Nadia back", now=NOON)
    notify(alice.workspace, [alice], "breach", bundle="care", text="Nadia waits too long", now=NOON, count=3)
    run(notifier, clock, MAIL - dt.timedelta(seconds=1))
    assert letterbox.received == []
    run(notifier, clock, MAIL)
    run(notifier, clock, MAIL + dt.timedelta(minutes=1))
    assert [(to, message["Subject"]) for to, message in letterbox.received] == [
        (["alice@fernway.example"], "Fernway: 2 things to know"),
        (["ben@fernway.example"], "Fernway: Call Nadia back"),
    ]
    first = letterbox.texts()[0]
    task = Notification.objects.get(membership=alice, event="task")
    assert f"* Call Nadia back\n  https://desk.example/w/fernway/notices/{task.pk}/" in first
    assert "* Nadia waits too long, and 2 more" in first
    assert "https://desk.example/w/fernway/notices/off/mail/" in first
    message = letterbox.received[0][1]
    assert message["List-Unsubscribe"] == "<https://desk.example/w/fernway/notices/off/mail/>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in message.get_payload()] == ["text/plain", "text/html"]  # type: ignore[union-attr]


def test_markup_in_a_name_is_inert_in_the_mail(
    alice: Any, letterbox: Letterbox, notifier: Notifier, clock: Clock
) -> None:
    notify(alice.workspace, [alice], "task", text="<img src=x>\r\nBcc: all@example.org", now=NOON)
    run(notifier, clock, MAIL)
    ((to, message),) = letterbox.received
    assert to == ["alice@fernway.example"]
    assert message["Bcc"] is None
    page = message.get_payload()[1].get_payload(decode=True).decode()  # type: ignore[index, union-attr]
    assert "<img" not in page
    assert "&lt;img src=x&gt; Bcc: all@example.org" in page


def test_no_name_begins_a_header_of_its_own(alice: Any, letterbox: Letterbox, notifier: Notifier, clock: Clock) -> None:
    type(alice.workspace).objects.update(name="Fern\r\nBcc: all@example.org\r\n\r\n<b>way")
    type(alice.user).objects.filter(pk=alice.user_id).update(name="Al\r\nBcc: all@example.org")
    for text in ("Call\r\nBcc: all@example.org", "\u2028Bcc: all@example.org", "\x0b\x0cSubject: other"):
        notify(alice.workspace, [alice], "task", text=text, bundle=text[:3], now=NOON)
    run(notifier, clock, MAIL)
    assert letterbox.received, "a name does not keep a mail from being sent"
    for to, message in letterbox.received:
        assert to == ["alice@fernway.example"]
        assert message["Bcc"] is None
        assert len(message.get_all("Subject") or []) == 1
        assert "\n" not in message["Subject"]


def test_who_looked_at_the_desk_in_time_gets_no_mail(
    alice: Any, letterbox: Letterbox, notifier: Notifier, clock: Clock
) -> None:
    notify(alice.workspace, [alice], "task", text="Call back", now=NOON)
    read_notices(alice, Notification.objects.all(), now=NOON)
    run(notifier, clock, MAIL)
    assert letterbox.received == []


def test_a_storm_of_ten_thousand_is_one_mail_within_its_rest(
    alice: Any, letterbox: Letterbox, notifier: Notifier, clock: Clock
) -> None:
    for minute in range(60):
        at = NOON + dt.timedelta(minutes=minute)
        notify(alice.workspace, [alice], "breach", text=f"Minute {minute}", now=at, count=167)
        run(notifier, clock, at)
    assert letterbox.texts()[0].count("Minute 5, and 1,001 more") == 1
    assert len(letterbox.received) == 1
    run(notifier, clock, MAIL + REST["mail"])
    assert "Minute 59, and 10,019 more" in letterbox.texts()[1]
    assert len(letterbox.received) == 2


def test_mail_waits_until_quiet_hours_are_over_but_urgent_mail_may_pass(
    alice: Any, ben: Any, letterbox: Letterbox, notifier: Notifier, clock: Clock
) -> None:
    ways = {event: ["desk", "mail"] for event in EVENTS}
    quiet = Quiet(begins=11 * 60, ends=14 * 60)
    notice_ways.save_wishes(alice, ways, quiet, now=NOON)
    notice_ways.save_wishes(ben, ways, Quiet(begins=11 * 60, ends=14 * 60, urgent=True), now=NOON)
    notify(alice.workspace, [alice, ben], "breach", text="Broken", now=NOON)
    notify(alice.workspace, [alice, ben], "task", text="Due", now=NOON)
    run(notifier, clock, NOON + dt.timedelta(hours=1))
    assert [(to, message["Subject"]) for to, message in letterbox.received] == [
        (["ben@fernway.example"], "Fernway: Broken")
    ]
    run(notifier, clock, NOON + dt.timedelta(hours=2))
    assert sorted(to[0] for to, _ in letterbox.received[1:]) == ["alice@fernway.example", "ben@fernway.example"]


def test_quiet_hours_that_somebody_sets_meanwhile_count_too(
    alice: Any, letterbox: Letterbox, notifier: Notifier, clock: Clock
) -> None:
    notify(alice.workspace, [alice], "task", text="Due", now=NOON)
    ways = {event: ["desk", "mail"] for event in EVENTS}
    notice_ways.save_wishes(alice, ways, Quiet(begins=12 * 60, ends=13 * 60), now=NOON)
    run(notifier, clock, MAIL)
    assert letterbox.received == []
    run(notifier, clock, NOON + dt.timedelta(hours=1))
    assert len(letterbox.received) == 1


def test_a_mail_that_the_server_puts_off_goes_out_later_and_one_that_it_refuses_does_not(
    alice: Any, letterbox: Letterbox, notifier: Notifier, clock: Clock
) -> None:
    notify(alice.workspace, [alice], "task", text="Due", now=NOON)
    letterbox.says = ["451 try again later"]
    run(notifier, clock, MAIL)
    assert letterbox.received == []
    run(notifier, clock, MAIL + pipeline.AGAIN)
    assert len(letterbox.received) == 1
    notify(alice.workspace, [alice], "source", text="Quiet", now=NOON)
    letterbox.says = ["554 no"]
    for minutes in (10, 20, 30):
        run(notifier, clock, MAIL + dt.timedelta(minutes=minutes))
    assert len(letterbox.received) == 1


def test_a_mail_whose_address_the_server_puts_off_goes_out_later(
    alice: Any, letterbox: Letterbox, notifier: Notifier, clock: Clock
) -> None:
    notify(alice.workspace, [alice], "task", text="Due", now=NOON)
    letterbox.says_to_the_address = ["451 greylisted, come back in five minutes"]
    run(notifier, clock, MAIL)
    assert letterbox.received == []
    run(notifier, clock, MAIL + pipeline.AGAIN)
    assert len(letterbox.received) == 1


def test_what_comes_on_a_quiet_day_waits_until_the_quiet_days_are_over(
    alice: Any, letterbox: Letterbox, notifier: Notifier, clock: Clock
) -> None:
    ways = {event: ["desk", "mail"] for event in EVENTS}
    days = (NOON.weekday(), (NOON.weekday() + 1) % 7, (NOON.weekday() + 2) % 7)
    notice_ways.save_wishes(alice, ways, Quiet(days=days), now=NOON)
    notify(alice.workspace, [alice], "task", text="Due", now=NOON)
    over = NOON.replace(hour=0, minute=0) + dt.timedelta(days=3)
    for hours in range(0, 72, 6):
        run(notifier, clock, NOON + dt.timedelta(hours=hours))
        assert len(letterbox.received) == (1 if clock.now >= over else 0)
    run(notifier, clock, over)
    assert len(letterbox.received) == 1


def test_what_comes_just_before_a_quiet_day_waits_until_it_is_over(
    alice: Any, letterbox: Letterbox, notifier: Notifier, clock: Clock
) -> None:
    ways = {event: ["desk", "mail"] for event in EVENTS}
    days = ((NOON.weekday() + 1) % 7, (NOON.weekday() + 2) % 7)
    notice_ways.save_wishes(alice, ways, Quiet(days=days), now=NOON)
    midnight = NOON.replace(hour=0, minute=0) + dt.timedelta(days=1)
    notify(alice.workspace, [alice], "task", text="Due", now=midnight - dt.timedelta(minutes=2))
    run(notifier, clock, midnight + dt.timedelta(minutes=5))
    assert letterbox.received == []
    run(notifier, clock, midnight + dt.timedelta(days=2))
    assert len(letterbox.received) == 1


def test_a_mail_server_that_is_down_loses_nothing(
    alice: Any, letterbox: Letterbox, notifier: Notifier, clock: Clock, settings: Any
) -> None:
    notify(alice.workspace, [alice], "task", text="Due", now=NOON)
    real, settings.EMAIL_PORT = settings.EMAIL_PORT, 9
    run(notifier, clock, MAIL)
    settings.EMAIL_PORT = real
    run(notifier, clock, MAIL + pipeline.AGAIN)
    assert len(letterbox.received) == 1


def test_what_waited_for_a_day_is_not_sent_any_more(
    alice: Any, letterbox: Letterbox, notifier: Notifier, clock: Clock
) -> None:
    notify(alice.workspace, [alice], "task", text="Due", now=NOON)
    run(notifier, clock, NOON + dt.timedelta(hours=25))
    assert letterbox.received == []
    assert Notification.objects.get().mail_at is None


def test_who_left_meanwhile_gets_nothing(
    alice: Any, ben: Any, letterbox: Letterbox, notifier: Notifier, clock: Clock
) -> None:
    notify(alice.workspace, [ben], "task", text="Due", now=NOON)
    change_member(alice, ben, role="agent", active=False, baskets=[], now=NOON)
    run(notifier, clock, MAIL)
    assert letterbox.received == []


def test_two_notifiers_send_one_mail(alice: Any, letterbox: Letterbox, notifier: Notifier, clock: Clock) -> None:
    notify(alice.workspace, [alice], "task", text="Due", now=NOON)
    first, second = (notice_ways.claim_due("mail", now=MAIL) for _ in range(2))
    assert first is not None
    assert len(first.notices) == 1
    assert second is None


# ------------------------------------------------------------------ push


def subscribe(member: Membership, endpoint: str) -> Browser:
    browser = Browser()
    target = browser.target(endpoint)
    PushSubscription.objects.create(
        workspace=member.workspace, membership=member, endpoint=endpoint, digest=endpoint[-64:], p256dh=target.p256dh,
        auth=target.auth, created_at=NOON,
    )  # fmt: skip
    return browser


def test_a_push_reaches_every_device_once_and_says_where_it_leads(alice: Any, ben: Any, clock: Clock) -> None:
    seen: list[Caller] = []

    def take(caller: Caller) -> None:
        seen.append(caller)
        caller.send("201 Created")

    with byte_server(take) as server:
        phone, laptop = (subscribe(alice, f"{server.url}/{name}") for name in ("phone", "laptop"))
        ways = Ways("https://desk.example", False, make_key(), "mailto:desk@example.org")
        notifier = Notifier(ways, lambda: GuardedSession(allow=[server.authority]), clock)
        for number in range(500):
            notify(alice.workspace, [alice, ben], "rule", bundle="rule:Storm", text=f"Storm: {number}", now=NOON)
        run(notifier, clock, PUSH)
        run(notifier, clock, PUSH + dt.timedelta(minutes=1))
    assert sorted(caller.path for caller in seen) == ["/laptop", "/phone"]
    row = Notification.objects.get(membership=alice)
    said = {caller.path: (phone if caller.path == "/phone" else laptop).read(caller.body) for caller in seen}
    assert (
        json.loads(said["/phone"])
        == json.loads(said["/laptop"])
        == {
            "title": "Fernway",
            "body": "Storm: 499, and 499 more",
            "url": f"/w/fernway/notices/{row.pk}/",
            "tag": "fernway/rule/rule:Storm",
        }
    )


def test_a_browser_that_is_gone_is_forgotten_and_the_others_are_told_all_the_same(alice: Any, clock: Clock) -> None:
    def take(caller: Caller) -> None:
        caller.send("410 Gone" if caller.path == "/old" else "201 Created")

    with byte_server(take) as server:
        for name in ("old", "new"):
            subscribe(alice, f"{server.url}/{name}")
        ways = Ways("https://desk.example", False, make_key(), "mailto:desk@example.org")
        notifier = Notifier(ways, lambda: GuardedSession(allow=[server.authority]), clock)
        notify(alice.workspace, [alice], "rule", text="x", now=NOON)
        run(notifier, clock, PUSH)
        assert [caller.path for caller in server.callers] == ["/old", "/new"]
    assert [row.endpoint.rpartition("/")[2] for row in PushSubscription.objects.all()] == ["new"]


def test_a_push_service_that_is_down_is_tried_again(alice: Any, clock: Clock) -> None:
    says = ["503 Busy", "201 Created"]
    with byte_server(lambda caller: caller.send(says.pop(0))) as server:
        subscribe(alice, f"{server.url}/phone")
        ways = Ways("https://desk.example", False, make_key(), "mailto:desk@example.org")
        notifier = Notifier(ways, lambda: GuardedSession(allow=[server.authority]), clock)
        notify(alice.workspace, [alice], "rule", text="x", now=NOON)
        for after in (dt.timedelta(0), dt.timedelta(seconds=30), pipeline.AGAIN, pipeline.AGAIN * 2):
            run(notifier, clock, PUSH + after)
        assert len(server.callers) == 2


def test_only_the_device_whose_service_is_down_is_tried_again(alice: Any, clock: Clock) -> None:
    says = {"/phone": ["201 Created"], "/laptop": ["503 Busy", "503 Busy", "201 Created"]}
    with byte_server(lambda caller: caller.send(says[caller.path].pop(0))) as server:
        for name in ("phone", "laptop"):
            subscribe(alice, f"{server.url}/{name}")
        ways = Ways("https://desk.example", False, make_key(), "mailto:desk@example.org")
        notifier = Notifier(ways, lambda: GuardedSession(allow=[server.authority]), clock)
        notify(alice.workspace, [alice], "rule", text="x", now=NOON)
        for round_ in range(6):
            run(notifier, clock, PUSH + round_ * pipeline.AGAIN)
        assert [caller.path for caller in server.callers] == ["/phone", "/laptop", "/laptop", "/laptop"]
    row = Notification.objects.get()
    assert (row.push_at, row.push_left) == (None, None)


def test_more_that_comes_while_a_device_is_behind_reaches_the_others_after_their_rest(alice: Any, clock: Clock) -> None:
    says = {"/phone": ["201 Created"] * 2, "/laptop": ["503 Busy", "201 Created"]}
    with byte_server(lambda caller: caller.send(says[caller.path].pop(0))) as server:
        for name in ("phone", "laptop"):
            subscribe(alice, f"{server.url}/{name}")
        ways = Ways("https://desk.example", False, make_key(), "mailto:desk@example.org")
        notifier = Notifier(ways, lambda: GuardedSession(allow=[server.authority]), clock)
        notify(alice.workspace, [alice], "rule", bundle="rule:x", text="x", now=NOON)
        run(notifier, clock, PUSH)
        at = clock.now + dt.timedelta(minutes=1)
        notify(alice.workspace, [alice], "rule", bundle="rule:x", text="y", now=at)
        run(notifier, clock, PUSH + pipeline.AGAIN)
        assert [caller.path for caller in server.callers] == ["/phone", "/laptop", "/laptop"]
        for minutes in (9, 10, 30, 60):
            run(notifier, clock, PUSH + dt.timedelta(minutes=minutes))
        assert [caller.path for caller in server.callers] == ["/phone", "/laptop", "/laptop", "/phone"]
    assert Notification.objects.get().push_at is None


def test_a_process_that_is_killed_between_two_devices_loses_none_of_the_others_and_tells_none_twice(
    alice: Any, clock: Clock
) -> None:
    class Dying(GuardedSession):
        """The process ends while it tells the laptop."""

        def post(self, url: Any, *args: Any, **kwargs: Any) -> Any:
            answer = super().post(url, *args, **kwargs)
            if url.endswith("/laptop"):
                raise KeyboardInterrupt
            return answer

    with byte_server(lambda caller: caller.send("201 Created")) as server:
        for name in ("phone", "laptop", "tablet"):
            subscribe(alice, f"{server.url}/{name}")
        ways = Ways("https://desk.example", False, make_key(), "mailto:desk@example.org")
        notify(alice.workspace, [alice], "rule", text="x", now=NOON)
        with pytest.raises(KeyboardInterrupt):
            run(Notifier(ways, lambda: Dying(allow=[server.authority]), clock), clock, PUSH)
        after = Notifier(ways, lambda: GuardedSession(allow=[server.authority]), clock)
        run(after, clock, PUSH + dt.timedelta(seconds=30))
        assert [caller.path for caller in server.callers] == ["/phone", "/laptop"]
        for minutes in (2, 10, 60):
            run(after, clock, PUSH + dt.timedelta(minutes=minutes))
        assert [caller.path for caller in server.callers] == ["/phone", "/laptop", "/tablet"]


def test_who_looks_at_the_desk_meanwhile_is_not_told_on_the_other_devices(alice: Any, clock: Clock) -> None:
    def take(caller: Caller) -> None:
        caller.send("503 Busy" if caller.path == "/laptop" else "201 Created")

    with byte_server(take) as server:
        for name in ("phone", "laptop"):
            subscribe(alice, f"{server.url}/{name}")
        ways = Ways("https://desk.example", False, make_key(), "mailto:desk@example.org")
        notifier = Notifier(ways, lambda: GuardedSession(allow=[server.authority]), clock)
        notify(alice.workspace, [alice], "rule", text="x", now=NOON)
        run(notifier, clock, PUSH)
        read_notices(alice, Notification.objects.all(), now=clock.now)
        run(notifier, clock, PUSH + pipeline.AGAIN)
        assert len(server.callers) == 2


def test_a_push_service_that_leads_elsewhere_is_not_followed(alice: Any, clock: Clock) -> None:
    with byte_server(lambda caller: caller.send("201 Created")) as other:
        moved = f"Location: {other.url}/elsewhere"
        with byte_server(lambda caller: caller.send("307 Temporary Redirect", b"", moved)) as server:
            subscribe(alice, f"{server.url}/phone")
            ways = Ways("https://desk.example", False, make_key(), "mailto:desk@example.org")
            session = GuardedSession(allow=[server.authority, other.authority])
            notify(alice.workspace, [alice], "rule", text="x", now=NOON)
            run(Notifier(ways, lambda: session, clock), clock, PUSH)
            assert len(server.callers) == 1
        assert other.callers == []
    assert PushSubscription.objects.get().failures == 1


def test_a_device_whose_service_refuses_again_and_again_is_forgotten(alice: Any, clock: Clock) -> None:
    with byte_server(lambda caller: caller.send("403 Forbidden")) as server:
        subscribe(alice, f"{server.url}/phone")
        PushSubscription.objects.update(failures=notice_ways.MOST_FAILURES - 1)
        ways = Ways("https://desk.example", False, make_key(), "mailto:desk@example.org")
        notifier = Notifier(ways, lambda: GuardedSession(allow=[server.authority]), clock)
        notify(alice.workspace, [alice], "rule", text="x", now=NOON)
        run(notifier, clock, PUSH)
    assert not PushSubscription.objects.exists()


# ------------------------------------------------------------------ killed in between


def test_killed_between_claim_and_send_nobody_is_mailed_twice_and_the_desk_still_says_it(
    alice: Any, letterbox: Letterbox, notifier: Notifier, clock: Clock
) -> None:
    notify(alice.workspace, [alice], "task", text="Due", now=NOON)
    assert notice_ways.claim_due("mail", now=MAIL) is not None  # and the process dies here
    for minutes in (0, 5, 90):
        run(notifier, clock, MAIL + dt.timedelta(minutes=minutes))
    assert letterbox.received == []
    assert Notification.objects.get().read_at is None


# ------------------------------------------------------------------ crisis


def test_a_crisis_is_over_only_after_half_an_hour_without_one(
    alice: Any, notifier: Notifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    states: dict[int, Crisis] = {0: Crisis(0.5, 60, 4.0, 3), 20: Crisis(0.5, 60, 4.0, 3)}
    minute = 0
    monkeypatch.setattr(pipeline, "read_usual_trouble", lambda *_: object())
    monkeypatch.setattr(pipeline, "read_crisis", lambda *_: states.get(minute))
    begun: list[int] = []
    for minute in range(0, 60, 5):
        notifier.judge_trouble(alice.workspace, NOON + dt.timedelta(minutes=minute))
        begun.append(Notification.objects.count())
    assert begun == [1] * 11 + [2]
