"""Real servers, each with what people do there: say, answer, edit, delete, and what the server itself shows of it."""

from __future__ import annotations

import contextlib
import datetime as dt
import email
import email.policy
import imaplib
import itertools
import json
import re
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import requests
from standardwebhooks.webhooks import Webhook as StandardWebhook

from bluesky import BlueskyNetwork, bluesky_network
from bluesky import missing as bluesky_missing
from dovecot import MISSING as NO_DOVECOT
from dovecot import PASSWORD as MAIL_PASSWORD
from dovecot import MailServer, can_run, mail_server
from live.forms import form_of
from live.house import House
from servers import MastodonServer, mastodon_server
from synapse import MISSING as NO_SYNAPSE
from synapse import PASSWORD as MATRIX_PASSWORD
from synapse import PYTHON, Synapse, mxid, synapse

SOON = 10.0  # seconds: the live line brought it, not the next poll. How long it took is printed, not asserted
POLL = 20.0  # seconds between two looks at an account, as the settings come
_numbers = itertools.count(1)


class Place(Protocol):
    """A network with a real server. What `say` gives names the post wherever one is asked for."""

    name: str
    #: seconds within which an edit, or a deletion, must be shown; None: the network has none
    edits: float | None
    deletes: float | None
    #: "host:port" of everything that Rapport must be allowed to call
    allowed: set[str]

    def connect(self, house: House) -> int: ...

    def say(self, who: str, text: str, to: Any = None) -> Any:
        """Somebody speaks to us, in answer to another post where there is one."""
        ...

    def shows(self, post: Any) -> bool:
        """Whether the network's own interface shows it to us."""
        ...

    def edit(self, who: str, post: Any, text: str) -> None: ...

    def delete(self, who: str, post: Any) -> None: ...

    def answers(self, post: Any) -> list[tuple[str, Any]]:
        """Our replies to this very post as the server shows them: words and post."""
        ...


@dataclass
class Mastodon:
    server: MastodonServer
    name: str = "mastodon"
    #: Mastodon tells of an edit only those who follow its author, and this server so of deletions: new posts are
    #: looked at every two seconds
    edits: float | None = SOON
    deletes: float | None = SOON

    @property
    def allowed(self) -> set[str]:
        return {self.server.authority}

    def connect(self, house: House) -> int:
        return house.connect_by_code("mastodon", self._consent, server=self.server.url)

    def _consent(self, url: str) -> str:
        """Brand says yes on the page of the server."""
        with requests.Session() as browser:
            browser.trust_env = False
            form = form_of(browser.get(url, timeout=10), having="client_id")
            answer = browser.post(
                form.address, data={**form.fields, "username": "brand"}, allow_redirects=False, timeout=10
            )
            return str(answer.headers["Location"])

    def say(self, who: str, text: str, to: Any = None) -> Any:
        beside = {"in_reply_to_id": to["id"]} if to else {}
        return self.server.post(who, f"@brand {text}", **beside)

    def shows(self, post: Any) -> bool:
        try:
            return bool(self.server.call("GET", f"/api/v1/statuses/{post['id']}", "brand"))
        except requests.HTTPError:
            return False

    def edit(self, who: str, post: Any, text: str) -> None:
        self.server.call("PUT", f"/api/v1/statuses/{post['id']}", who, data={"status": f"@brand {text}"})

    def delete(self, who: str, post: Any) -> None:
        self.server.call("DELETE", f"/api/v1/statuses/{post['id']}", who)

    def answers(self, post: Any) -> list[tuple[str, Any]]:
        found = self.server.statuses("brand")
        return [(each["content"], each) for each in found if each["in_reply_to_id"] == post["id"]]


@dataclass
class Matrix:
    server: Synapse
    room: str = ""
    name: str = "matrix"
    edits: float | None = SOON
    deletes: float | None = SOON

    @property
    def allowed(self) -> set[str]:
        return {self.server.authority}

    def connect(self, house: House) -> int:
        if not self.room:
            self.room = self.server.create_room("ann", join=["brand", "ben"], name="Help", preset="public_chat")
        return house.connect("matrix", server=self.server.url, user="brand", password=MATRIX_PASSWORD)

    def say(self, who: str, text: str, to: Any = None) -> Any:
        relation = {"m.relates_to": {"m.in_reply_to": {"event_id": to}}} if to else {}
        return self.server.say(who, self.room, text, **{"m.mentions": {"user_ids": [mxid("brand")]}}, **relation)

    def shows(self, post: Any) -> bool:
        event = self.server.call("GET", f"/rooms/{quote(self.room)}/event/{quote(post)}", "ben")
        return bool(event["content"])

    def edit(self, who: str, post: Any, text: str) -> None:
        self.server.edit(who, self.room, post, text)

    def delete(self, who: str, post: Any) -> None:
        self.server.redact(who, self.room, post)

    def answers(self, post: Any) -> list[tuple[str, Any]]:
        found = []
        for event in self.server.messages("ben", self.room):
            answered = event["content"].get("m.relates_to", {}).get("m.in_reply_to", {}).get("event_id")
            if event["sender"] == mxid("brand") and answered == post:
                found.append((event["content"]["body"], event["event_id"]))
        return found

    def sign_out_everywhere(self) -> None:
        """What somebody does whose account was used by a stranger: every token of it is dead."""
        self.server.call("POST", "/logout/all", "brand")


@dataclass
class Mail:
    server: MailServer
    address: str = "support@fernway.example"
    name: str = "mail"
    edits: float | None = None
    deletes: float | None = None
    _subjects: dict[str, str] = field(default_factory=dict)

    @property
    def allowed(self) -> set[str]:
        return self.server.allowed

    def connect(self, house: House) -> int:
        return house.connect(
            "mail", address=self.address, name="Fernway Support", password=MAIL_PASSWORD,
            imap_host="localhost", imap_port=str(self.server.imaps),
            smtp_host="localhost", smtp_port=str(self.server.smtps),
        )  # fmt: skip

    def say(self, who: str, text: str, to: Any = None) -> Any:
        subject = f"Re: {self._subjects[to]}" if to else f"About {text[:40]}"
        beside = {"In_Reply_To": f"<{to}>", "References": f"<{to}>"} if to else {}
        sender = f"{who.title()} Example <{who}@customer.example>"
        post = self.server.say(text, to=self.address, sender=sender, Subject=subject, **beside)
        self._subjects[post] = subject.removeprefix("Re: ")
        return post

    def shows(self, post: Any) -> bool:
        return any(f"<{post}>".encode() in mail for mail in self.server.mails(self.address))

    def edit(self, who: str, post: Any, text: str) -> None:
        raise NotImplementedError("a mail cannot be edited")

    def delete(self, who: str, post: Any) -> None:
        raise NotImplementedError("a mail cannot be taken back")

    def answers(self, post: Any) -> list[tuple[str, Any]]:
        found = []
        try:
            raws = self.server.mails("ann@customer.example")
        except imaplib.IMAP4.error:  # so it answers for a mailbox with nothing in it
            raws = []
        for raw in raws:
            mail = email.message_from_bytes(raw, policy=email.policy.default)
            if mail["In-Reply-To"] == f"<{post}>":
                body = mail.get_body(("plain",))
                assert body is not None
                identifier = str(mail["Message-ID"]).strip("<>")
                self._subjects[identifier] = str(mail["Subject"]).removeprefix("Re: ")
                found.append((str(body.get_content()), identifier))
        return found


@dataclass
class Bluesky:
    server: BlueskyNetwork
    name: str = "bluesky"
    edits: float | None = None
    deletes: float | None = SOON

    @property
    def allowed(self) -> set[str]:
        return self.server.allowed

    def connect(self, house: House) -> int:
        brand = self.server.account("brand")
        with house.without("listen"):  # it would call Bluesky's own stream before ours is entered
            channel = house.connect("bluesky", handle=brand.handle, password=brand.app_password, server=self.server.pds)
            house.change_settings(channel, jetstream=self.server.jetstream)
        return channel

    def say(self, who: str, text: str, to: Any = None) -> Any:
        if to:  # the app view tells nobody of an answer that came within a second of what it answers
            while not self.shows(to):
                time.sleep(0.1)
        return self.server.account(who).post(f"@brand.test {text}", to)

    def shows(self, post: Any) -> bool:
        return self.server.shows(post["uri"], self.server.account("brand"))

    def edit(self, who: str, post: Any, text: str) -> None:
        raise NotImplementedError("Bluesky has no edits")

    def delete(self, who: str, post: Any) -> None:
        self.server.account(who).delete(post)

    def answers(self, post: Any) -> list[tuple[str, Any]]:
        found = []
        for record in self.server.account("brand").records():
            value = record["value"]
            if value.get("reply", {}).get("parent", {}).get("uri") == post["uri"]:
                ref = {"uri": record["uri"], "cid": record["cid"], "root": post["root"]}
                found.append((value["text"], ref))
        return found


@dataclass
class Program:
    """A program of the house's own that hands in posts as JSON: it is the network, so it shows what it sent."""

    name: str
    edits: float | None = SOON
    deletes: float | None = SOON
    allowed: set[str] = field(default_factory=set)

    def say(self, who: str, text: str, to: Any = None) -> Any:
        post = {
            "network": "shop", "id": f"said-{next(_numbers)}", "text": text, "created_at": now(),
            "author": {"handle": who, "name": who.title()}, "in_reply_to": to["id"] if to else None,
        }  # fmt: skip
        self.hand_in(post)
        return post

    def hand_in(self, post: dict[str, Any]) -> None:
        raise NotImplementedError

    def shows(self, post: Any) -> bool:
        return bool(post["id"])

    def edit(self, who: str, post: Any, text: str) -> None:
        self.hand_in({**post, "text": text, "edited_at": now()})

    def delete(self, who: str, post: Any) -> None:
        self.hand_in({**post, "text": "", "deleted": True})
        post["id"] = ""

    def answers(self, post: Any) -> list[tuple[str, Any]]:
        raise NotImplementedError("nothing can be answered here")


@dataclass
class Webhook(Program):
    name: str = "webhook"
    address: str = ""
    secret: str = ""

    def connect(self, house: House) -> int:
        self.secret = house.connect_form("webhook", "secret").fields["secret"]
        channel = house.connect("webhook", name="Order system", secret=self.secret)
        found = re.search(r'id="hook">([^<]+)<', house.get(f"/w/default/settings/channels/{channel}/").text)
        assert found
        self.address = found[1]
        return channel

    def hand_in(self, post: dict[str, Any]) -> None:
        """Signed by the published library of Standard Webhooks, and sent twice, as a sender does that is unsure."""
        body, number, moment = json.dumps(post), f"msg_{next(_numbers)}", dt.datetime.now(dt.UTC)
        signature = StandardWebhook(self.secret).sign(number, moment.replace(microsecond=0), body)
        headers = {
            "content-type": "application/json", "webhook-id": number,
            "webhook-timestamp": str(int(moment.timestamp())), "webhook-signature": signature,
        }  # fmt: skip
        for _ in range(2):
            answer = requests.post(self.address, data=body, headers=headers, timeout=10)
            assert answer.status_code == 200, answer.text


@dataclass
class Folder(Program):
    name: str = "folder"
    folder: Path = Path()

    def connect(self, house: House) -> int:
        return house.connect("folder", folder=str(self.folder), name="Shop")

    def hand_in(self, post: dict[str, Any]) -> None:
        file = self.folder / f".writing-{next(_numbers)}"
        file.write_text(json.dumps(post) + "\n")
        file.rename(self.folder / f"{file.name[1:]}.jsonl")


def now() -> str:
    return dt.datetime.now(dt.UTC).isoformat()


@contextlib.contextmanager
def webhook() -> Iterator[Webhook]:
    yield Webhook()


@contextlib.contextmanager
def folder() -> Iterator[Folder]:
    with tempfile.TemporaryDirectory(prefix="rapport-dropped-") as path:
        yield Folder(folder=Path(path).resolve())


@contextlib.contextmanager
def mastodon() -> Iterator[Mastodon]:
    with mastodon_server() as server:
        yield Mastodon(server)


@contextlib.contextmanager
def matrix() -> Iterator[Matrix]:
    with synapse() as server:
        yield Matrix(server)


@contextlib.contextmanager
def mail() -> Iterator[Mail]:
    with mail_server() as server:
        yield Mail(server)


@contextlib.contextmanager
def bluesky() -> Iterator[Bluesky]:
    with bluesky_network() as server:
        for name in ("brand", "ann", "ben"):
            server.account(name)
        yield Bluesky(server)


#: name -> (how to start it, why it cannot be had on this machine)
PLACES = {
    "mastodon": (mastodon, lambda: ""),
    "matrix": (matrix, lambda: "" if PYTHON.exists() else NO_SYNAPSE),
    "mail": (mail, lambda: "" if can_run() else NO_DOVECOT),
    "bluesky": (bluesky, bluesky_missing),
    "webhook": (webhook, lambda: ""),
    "folder": (folder, lambda: ""),
}
