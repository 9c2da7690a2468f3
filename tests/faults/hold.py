"""The switch against senders that run: `python hold.py`, in a process of its own (the test does).

Three sender processes, 200 approved replies of five accounts, one of which answers to nobody. Once 30 are out, a person
holds everything. What left, and when, is written by the network itself; what came of it is printed as JSON.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rapport.config.django")

from rounds import START, WORDS  # beside this file

import tables

PROCESSES, ACCOUNTS, EACH = 3, 5, 40
#: seconds that the silent account takes; it has not answered yet when everything is over
SILENCE = 8.0


def prepare() -> None:
    """Tables, accounts, conversations of one post each, and an approved reply to every one."""
    from django.core.management import call_command

    tables.lay()
    call_command("migrate", verbosity=0)
    from rapport.actions.accounts import create_workspace
    from rapport.actions.hearing import hear
    from rapport.actions.listening import connect_channel
    from rapport.actions.outbound import approve
    from rapport.bus.table import TableBus
    from rapport.core.post import Author, Post
    from rapport.store.models import Basket, Conversation, Membership, User
    from rapport.store.models import Post as Row

    user = User.objects.create_user("alice@fernway.example", "correct horse battery", name="Alice")
    workspace = create_workspace(user, "Fernway", now=START)
    alice, basket, chance = Membership.objects.get(), Basket.objects.of(workspace)[0], random.Random(3)
    for account in range(ACCOUNTS):
        channel = connect_channel(
            alice, "mastodon", server="http://127.0.0.1:9", handle=f"brand{account}", external_id=f"b{account}",
            name="Fernway", token="t", now=START,
        )  # fmt: skip
        people = [Author(id=f"p{account}-{one}", handle=f"person{account}_{one}") for one in range(EACH)]
        posts = [Post("mastodon", f"{who.id}-1", "My parcel is broken", START, who) for who in people]
        hear(channel, posts, TableBus(), now=START)
        for row in Row.objects.filter(external_id__startswith=f"p{account}-").select_related("handle__person"):
            talk = Conversation.objects.create(
                workspace=workspace, network="mastodon", channel=channel, person_id=row.handle.person_id, basket=basket,
                state="open",
            )  # fmt: skip
            row.conversation_id = talk.pk
            row.save(update_fields=["conversation_id"])
            text = " ".join(chance.sample(WORDS, 9)) + f" {row.pk}"
            approve(alice, talk, text, target=row, channel=channel, version=talk.version, now=START)


def make_network(log: Path) -> Any:
    """A network that writes down when each reply reached it, and that never answers its first account in time."""
    from rapport.networks.base import Capabilities, Sent
    from rapport.networks.contract import BaseNetwork

    class Wire(BaseNetwork):
        name = "mastodon"
        title = "Wire"
        capabilities = Capabilities(True, True, False, 500, ("public",))
        connect_fields = ()

        def push(self, account: Any, reply: Any, key: str, session: Any) -> Sent:
            with log.open("a") as file:
                file.write(json.dumps([time.time(), account.handle, key]) + "\n")
            time.sleep(SILENCE if account.handle == "brand0" else 0.1)
            return Sent(id=key)

    return Wire()


def send(log: Path) -> None:
    from rapport.bus.table import TableBus
    from rapport.pipeline.sender import Sender

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    sender = Sender(
        {"mastodon": make_network(log)}, lambda: None, TableBus(), lambda: dt.datetime.now(dt.UTC),  # type: ignore[arg-type, return-value]
        dt.timedelta(seconds=60),
    )  # fmt: skip
    sender.run_forever(stop)


def fork(work: Any, *arguments: Any) -> int:
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work(*arguments)
            status = 0
        finally:
            os._exit(status)
    return pid


def read(log: Path) -> list[list[Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def main() -> int:
    import django

    django.setup()
    from django.db import connection

    from rapport.actions.holds import hold_everything
    from rapport.store.models import Delivery, Membership

    log = Path(os.environ["RAPPORT_DATA"]) / "pushed.jsonl"
    prepare()
    connection.close()
    senders = [fork(send, log) for _ in range(PROCESSES)]
    deadline = time.monotonic() + 60
    while len(read(log)) < 30 and time.monotonic() < deadline:
        time.sleep(0.01)
    hold_everything(Membership.objects.get(), "storm", now=dt.datetime.now(dt.UTC))
    held_at = time.time()
    time.sleep(2.0)
    for pid in senders:
        os.kill(pid, signal.SIGTERM)
    ended = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in senders]
    pushed = read(log)
    silent = [at for at, handle, _ in pushed if handle == "brand0"]
    found = {
        "ended": ended,
        "before": sum(at <= held_at for at, *_ in pushed),
        "after": sum(held_at < at <= held_at + 1 for at, *_ in pushed),
        "later": sum(at > held_at + 1 for at, *_ in pushed),
        "twice": len(pushed) - len({key for *_, key in pushed}),
        "beside_the_silent": sum(handle != "brand0" and at > min(silent) for at, handle, _ in pushed) if silent else 0,
        "sent": Delivery.objects.filter(state="sent").count(),
        "left": Delivery.objects.exclude(state="sent").count(),
    }
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
