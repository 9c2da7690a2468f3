"""A disk that takes nothing: `python disk.py`, in a process of its own (the test does); what happened comes as JSON.

Two real faults, and no right of a superuser is needed for either: RLIMIT_FSIZE of 0 lets every write to a file fail
(SQLite says "disk I/O error", files of ours EFBIG), and SQLite's own limit of pages is reached ("database or disk is
full"). Each is lifted again, as somebody does who makes room, and the work goes on from where it stood.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import logging
import os
import resource
import sys
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rapport.config.django")

import tables

NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
LEASE = dt.timedelta(seconds=60)


@contextmanager
def no_writes() -> Iterator[None]:
    """No byte goes to any file of this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def no_pages() -> Iterator[None]:
    """The database may not grow by a page."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA max_page_count")
        usual = cursor.fetchone()[0]
        cursor.execute("PRAGMA page_count")
        cursor.execute(f"PRAGMA max_page_count = {cursor.fetchone()[0]}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA max_page_count = {usual}")


def refusal(work: Callable[[], Any]) -> str:
    """What the database said to it; empty where it went through."""
    from django.db import OperationalError

    try:
        work()
    except (OperationalError, OSError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


class Desk:
    """One workspace with an account, people who speak, and a network without keys that keeps what it takes."""

    def __init__(self) -> None:
        from rapport.actions.accounts import create_workspace
        from rapport.actions.listening import connect_channel
        from rapport.bus.table import TableBus
        from rapport.store.models import Basket, Membership, User

        user = User.objects.create_user("alice@fernway.example", "correct horse battery", name="Alice")
        self.workspace = create_workspace(user, "Fernway", now=NOW)
        self.alice = Membership.objects.get()
        self.basket = Basket.objects.of(self.workspace)[0]
        self.channel = connect_channel(
            self.alice, "mastodon", server="http://127.0.0.1:9", handle="fernway", external_id="b", name="Fernway",
            token="t", now=NOW,
        )  # fmt: skip
        self.bus, self.numbers = TableBus(), iter(range(1, 10_000))

    def posts(self, count: int, size: int = 0) -> list[Any]:
        from rapport.core.post import Author, Post

        found = []
        for _ in range(count):
            number = next(self.numbers)
            text = f"Parcel {number} is broken, @fernway! " + "x" * size
            found.append(Post("mastodon", f"p{number}", text, NOW, Author(id=f"a{number}", handle=f"p{number}")))
        return found

    def page(self, posts: list[Any], cursor: str) -> Any:
        from rapport.networks.base import Page

        return Page("notifications", tuple(posts), cursor)

    def talk(self) -> tuple[Any, Any]:
        """A conversation of one post, and that post."""
        from rapport.actions.hearing import hear
        from rapport.store.models import BusMessage, Conversation, Post

        said = self.posts(1)
        hear(self.channel, said, self.bus, now=NOW)
        BusMessage.objects.all().delete()
        row = Post.objects.select_related("handle").get(external_id=said[0].id)
        talk = Conversation.objects.create(
            workspace=self.workspace, network="mastodon", channel=self.channel, person_id=row.handle.person_id,
            basket=self.basket, state="open",
        )  # fmt: skip
        row.conversation_id = talk.pk
        row.save(update_fields=["conversation_id"])
        return talk, row

    def approve(self, text: str, talk: Any, row: Any) -> Any:
        from rapport.actions.outbound import approve

        return approve(self.alice, talk, text, target=row, channel=self.channel, version=talk.version, now=NOW)


def make_network() -> Any:
    from rapport.networks.base import Capabilities, Sent
    from rapport.networks.contract import BaseNetwork

    class Keyless(BaseNetwork):
        name = "mastodon"
        title = "Keyless"
        capabilities = Capabilities(True, True, False, 500, ("public",))
        connect_fields = ()

        def __init__(self) -> None:
            self.there: list[str] = []
            self.meanwhile: Callable[[], object] = lambda: None

        def push(self, account: Any, reply: Any, key: str, session: Any) -> Sent:
            self.there.append(reply.text)
            self.meanwhile()
            return Sent(id=f"s{len(self.there)}")

        def find(
            self, account: Any, reply: Any, since: Any, key: str, session: Any, besides: Collection[str] = ()
        ) -> Sent | None:
            return Sent(id=f"s{self.there.index(reply.text) + 1}") if reply.text in self.there else None

    return Keyless()


# ---------------------------------------------------------------- what is tried


def approving(desk: Desk) -> dict[str, Any]:
    """The word of a person: whole or not at all, and the chain of the ledger goes on."""
    from rapport.actions.ledger_check import verify
    from rapport.store.models import Approval, AuditEntry, Delivery

    talk, row = desk.talk()
    before = AuditEntry.objects.count()
    with no_writes():
        said = refusal(lambda: desk.approve("We look for it.", talk, row))
    stood = (Approval.objects.count(), Delivery.objects.count(), AuditEntry.objects.count() - before)
    desk.approve("We look for it.", talk, row)
    done = 1
    others = [desk.talk() for _ in range(120)]
    with no_pages():
        full = ""
        for number, (other, post) in enumerate(others):
            full = refusal(lambda o=other, p=post, n=number: desk.approve(f"Number {n} is on its way.", o, p))  # type: ignore[misc]
            if full:
                break
            done += 1
    return {
        "said": said, "full": full, "stood": stood, "approvals": Approval.objects.count() - done,
        "deliveries": Delivery.objects.count() - done, "chain": verify(desk.workspace).sequence is None,
    }  # fmt: skip


def hearing(desk: Desk) -> dict[str, Any]:
    """A page of the network: the cursor never stands behind a post that was not stored."""
    from rapport.actions.hearing import hear_page
    from rapport.store.models import BusMessage, Cursor, Post

    found: dict[str, Any] = {}
    for name, fault in (("eio", no_writes), ("full", no_pages)):
        page = desk.page(desk.posts(40, size=2_000), f"after-{name}")
        before = Post.objects.count(), BusMessage.objects.count(), list(Cursor.objects.values_list("value", flat=True))
        with fault():
            said = refusal(lambda page=page: hear_page(desk.channel, page, desk.bus, now=NOW))  # type: ignore[misc]
        after = Post.objects.count(), BusMessage.objects.count(), list(Cursor.objects.values_list("value", flat=True))
        again = hear_page(desk.channel, page, desk.bus, now=NOW).new
        twice = hear_page(desk.channel, page, desk.bus, now=NOW).new
        found[name] = [said, before == after, again, twice, Cursor.objects.get().value]
    return found


def working(desk: Desk) -> dict[str, Any]:
    """A batch of the line: not acknowledged, and done once when there is room again."""
    from rapport.pipeline import worker
    from rapport.store.models import BusMessage, Outcome

    BusMessage.objects.all().delete()
    posts, times = desk.posts(3), iter(NOW + dt.timedelta(minutes=2 * n) for n in range(1, 99))
    from rapport.actions.hearing import hear

    hear(desk.channel, posts, desk.bus, now=NOW)
    moment = [next(times)]
    line = worker.Worker(desk.bus, lambda: moment[0], LEASE)
    with no_writes():
        at_claim = refusal(line.work_once)
    real = worker.process
    fault = no_writes()

    def in_the_midst(*args: Any) -> Any:
        done = real(*args)
        fault.__enter__()
        return done

    worker.process = in_the_midst
    try:
        at_record = refusal(line.work_once)
    finally:
        worker.process = real
        fault.__exit__(None, None, None)
    between = Outcome.objects.filter(post__external_id__in=[post.id for post in posts]).count()
    left = BusMessage.objects.count()
    moment[0] = next(times)
    done = line.drain()
    outcomes = Outcome.objects.filter(post__external_id__in=[post.id for post in posts]).count()
    return {"said": [at_claim, at_record], "between": between, "left": left, "done": done, "outcomes": outcomes}


def sending(desk: Desk) -> dict[str, Any]:
    """A reply: nothing leaves that is not written down, and what left is found again instead of sent again."""
    from rapport.pipeline.sender import Sender
    from rapport.store.models import Delivery

    Delivery.objects.all().update(state="cancelled")
    talk, row = desk.talk()
    delivery = desk.approve("Sorry, a new one leaves today.", talk, row)
    network, moment, faults = make_network(), [NOW], [no_writes()]
    steps: list[Any] = []

    def look(*_: Any) -> None:
        if len(steps) == 1:
            faults[0].__enter__()

    sender = Sender({"mastodon": network}, lambda: None, desk.bus, lambda: moment[0], LEASE, look)  # type: ignore[arg-type, return-value]
    with no_writes():
        steps.append([refusal(sender.send_once), len(network.there)])
    steps.append([refusal(sender.send_once), len(network.there)])
    faults[0].__exit__(None, None, None)
    moment[0] += 2 * LEASE
    faults[0] = no_writes()
    network.meanwhile = faults[0].__enter__
    steps.append([refusal(sender.send_once), len(network.there)])
    faults[0].__exit__(None, None, None)
    network.meanwhile = lambda: None
    delivery.refresh_from_db()
    after = [delivery.state, delivery.pushed_at is not None]
    moment[0] += 2 * LEASE
    sender.send_once()
    delivery.refresh_from_db()
    return {"steps": steps, "after": after, "end": delivery.state, "there": network.there}


def looping() -> dict[str, Any]:
    """The loop of every part says so in the log, and goes on when there is room."""
    from rapport.pipeline import loop
    from rapport.store.models import DeskEvent, Workspace

    told, stop, steps = io.StringIO(), threading.Event(), []
    handler = logging.StreamHandler(told)
    logging.getLogger("rapport.pipeline.loop").addHandler(handler)
    loop.DATABASE_PAUSE = 0.01
    fault = no_writes()

    def step() -> float:
        steps.append(1)
        if len(steps) == 1:
            fault.__enter__()
        if len(steps) == 3:
            fault.__exit__(None, None, None)
            stop.set()
        DeskEvent.objects.create(workspace=Workspace.objects.get(), kind="config", payload={}, at=NOW)
        return 0.0

    before = DeskEvent.objects.count()
    loop.keep_going(stop, step)
    return {"steps": len(steps), "told": told.getvalue().count("the database does not answer"),
            "written": DeskEvent.objects.count() - before}  # fmt: skip


def keeping(desk: Desk, folder: Path) -> dict[str, Any]:
    """Files: an image and an export. None is left half written, and the next try is whole."""
    from django.test import Client
    from PIL import Image

    from rapport.actions import exports
    from rapport.actions.attachments import content_of
    from rapport.actions.person_jobs import claim_job
    from rapport.pipeline.person_jobs import carry_out
    from rapport.store.models import Attachment, PersonJob

    talk, row = desk.talk()
    raw = io.BytesIO()
    Image.new("RGB", (30, 20), "teal").save(raw, "PNG")
    client = Client(raise_request_exception=False)
    client.force_login(desk.alice.user)
    place = f"/w/fernway/c/{talk.pk}/image"

    def bring() -> Any:
        raw.seek(0)
        raw.name = "x.png"
        return client.post(place, {"file": raw}, headers={"HX-Request": "true"})

    bring()
    Attachment.objects.all().delete()
    with no_writes():
        answer = bring()
    kept = sorted(each.name for each in (folder / "attachments").iterdir())
    told = [answer.status_code, answer.content.decode(), Attachment.objects.count(), len(kept)]
    again = bring().status_code
    image = Attachment.objects.get()

    real = exports.write_export

    def on_a_full_disk(content: bytes) -> str:
        with no_writes():
            return real(content)

    now = dt.datetime.now(dt.UTC)
    exports.ask_export(desk.alice, row.handle.person, "asked by mail", now=now)
    job = claim_job("worker", now=now)
    assert job is not None
    exports.write_export = on_a_full_disk
    ended = carry_out(job, lambda: now)
    exports.write_export = real
    failed = PersonJob.objects.get()
    exported = [ended, failed.state, failed.path, len(list((folder / "exports").iterdir()))]
    exports.ask_export(desk.alice, row.handle.person, "asked again", now=now)
    job = claim_job("worker", now=now)
    assert job is not None
    return {"image": told, "again": again, "whole": content_of(image) is not None, "export": exported,
            "anew": carry_out(job, lambda: now)}  # fmt: skip


def asking(desk: Desk) -> dict[str, Any]:
    """Over the web and the interface: an error that asks for another try, and the same try has its effect once."""
    from django.core.cache import cache
    from django.test import Client

    from rapport.actions.api import create_token
    from rapport.store.models import Approval, KeptAnswer

    talk, row = desk.talk()
    client = Client(raise_request_exception=False)
    client.force_login(desk.alice.user)
    form = {"text": "We saw it.", "target": row.pk, "channel": desk.channel.pk, "version": talk.version}
    before = Approval.objects.count()
    client.get(f"/w/fernway/c/{talk.pk}/")
    with no_writes():
        page = client.post(f"/w/fernway/c/{talk.pk}/send", form)
    sent = Approval.objects.count() - before
    token = create_token(desk.alice, "x", now=NOW)[1]
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "k"}
    body = json.dumps([{"network": "forum", "id": "1", "text": "Hi", "created_at": "2026-11-20T10:00:00Z",
                        "author": {"handle": "n"}}])  # fmt: skip

    def hand_in() -> Any:
        return client.post("/api/v1/posts?channel=shop", body, content_type="application/json", headers=headers)

    with no_writes():
        refused = hand_in()
    between = KeptAnswer.objects.count()
    cache.clear()
    first, second = hand_in(), hand_in()
    return {"page": page.status_code, "sent": sent, "api": refused.status_code, "between": between,
            "new": [first.json()["new"], second.content == first.content, KeptAnswer.objects.count()]}  # fmt: skip


def main() -> int:
    import django

    tables.lay()
    django.setup()
    from django.conf import settings

    settings.ALLOWED_HOSTS = ["testserver"]
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    logging.disable(logging.NOTSET)
    desk = Desk()
    found = {
        "approving": approving(desk),
        "hearing": hearing(desk),
        "working": working(desk),
        "sending": sending(desk),
        "looping": looping(),
        "keeping": keeping(desk, Path(os.environ["RAPPORT_DATA"])),
        "asking": asking(desk),
    }
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
