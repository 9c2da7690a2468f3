"""The whole house in processes of its own: `rapport up` on a fresh data folder, used as people and programs use it."""

from __future__ import annotations

import contextlib
import html
import itertools
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

import tables
from cli.running import command, environment, rapport
from live.forms import Form, form_of, link_of
from servers import free_port

EMAIL, PASSWORD = "ola@fernway.example", "correct horse battery"
#: a program may call 600 times a minute; a test that measures looks more often
TOKENS = 3
LOOK = 0.1  # seconds between two looks


@dataclass
class House:
    """A running desk, somebody who is signed in to it, and programs that read it."""

    address: str
    data: Path
    process: subprocess.Popen[bytes]
    session: requests.Session
    tokens: Iterator[str] = field(default_factory=lambda: iter(()))

    # ------------------------------------------------------------ as a person
    def sign_in(self) -> None:
        page = form_of(self.get("/"), having="login").send(self.session, login=EMAIL, password=PASSWORD)
        assert "/w/default/" in page.url, page.url

    def get(self, path: str) -> requests.Response:
        return self.session.get(self.address + path, timeout=30)

    def connect_form(self, network: str, having: str) -> Form:
        """The form in which somebody connects an account, by one of its fields."""
        return form_of(self.get(f"/w/default/settings/channels/connect/{network}/"), having=having)

    def connect(self, network: str, **fields: str) -> int:
        """Fill in the form that connects an account, send it; the id of its channel."""
        return channel_of(self.connect_form(network, next(iter(fields))).send(self.session, **fields))

    def connect_by_code(self, network: str, consent: Callable[[str], str], **fields: str) -> int:
        """The same where the account is connected on the network: `consent(url)` -> the address that leads back."""
        way = self.connect_form(network, next(iter(fields))).send(self.session, **fields)
        return channel_of(self.session.get(consent(link_of(way, "go")), timeout=30))

    def change_settings(self, channel: int, **fields: str) -> None:
        """The settings of a source, on its page."""
        page = self.get(f"/w/default/settings/channels/{channel}/")
        answer = form_of(page, having="timezone").send(self.session, **fields)
        assert answer.status_code == 200, answer.text[-3000:]

    def sources(self) -> str:
        """What stands on the Sources page, without markup."""
        return words_of(self.get("/w/default/settings/channels/").text)

    def approve(self, conversation: int, text: str) -> None:
        """A person's word: this text, to the newest post of theirs, from the account that heard it."""
        page = self.get(f"/w/default/c/{conversation}/")
        answer = form_of(page, name="reply").send(self.session, text=text)
        assert answer.status_code == 200, (answer.status_code, words_of(answer.text)[-3000:])

    # ------------------------------------------------------------ as a program
    def call(self, path: str) -> Any:
        answer = requests.get(
            f"{self.address}/api/v1/{path}", headers={"Authorization": f"Bearer {next(self.tokens)}"}, timeout=30
        )
        return answer.json() if answer.ok else None

    def conversations(self, network: str) -> list[int]:
        """The ids of the newest hundred."""
        found = self.call("conversations?limit=100")["conversations"]
        return [each["id"] for each in found if each["network"] == network]

    def said(self, conversation: int) -> list[str]:
        """What can be read in a conversation, oldest first."""
        whole = self.call(f"conversations/{conversation}")
        return [each["post"]["text"] for each in whole["posts"] if each["post"]["text"]] if whole else []

    def find(self, network: str, words: str, beside: tuple[int, ...] = ()) -> int | None:
        """The conversation in which these words stand; those in `beside` are not looked at."""
        for conversation in self.conversations(network):
            if conversation not in beside and any(words in text for text in self.said(conversation)):
                return conversation
        return None

    def count(self, network: str, words: str, beside: tuple[int, ...] = ()) -> int:
        """How often these words stand on the desk, in conversations that are not in `beside`."""
        looked_at = [each for each in self.conversations(network) if each not in beside]
        return sum(words in text for each in looked_at for text in self.said(each))

    # ------------------------------------------------------------ as an operator
    def part(self, word: str) -> int:
        """The process of one part, by its command: "listen", "send", "work", "web"."""
        for pid in self._children():
            with contextlib.suppress(OSError):
                if word in Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0"):
                    return pid
        raise AssertionError(f"no part {word!r} runs")

    def kill(self, word: str) -> int:
        """As a machine that has run out of memory does it; the number of the process that is gone."""
        pid = self.part(word)
        os.kill(pid, signal.SIGKILL)
        return pid

    @contextlib.contextmanager
    def without(self, word: str) -> Iterator[None]:
        """A part stands still for a moment."""
        pid = self.part(word)
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def log(self) -> str:
        return (self.data.parent / "log").read_text(errors="replace")

    def _children(self) -> list[int]:
        text = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in text.split()]


def channel_of(page: requests.Response) -> int:
    """The id of the channel on whose page one stands after connecting."""
    found = re.search(r"/settings/channels/(\d+)/$", page.url)
    assert found, (page.url, page.status_code, words_of(page.text)[:3000])
    return int(found[1])


def words_of(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", markup)).split())


def wait_until(check: Callable[[], Any], seconds: float = 30.0, complaint: str = "it did not happen in time") -> Any:
    """The first true answer of `check`."""
    end = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < end, complaint
        time.sleep(LOOK)
    return found


def delay(network_has: Callable[[], bool], desk_has: Callable[[], bool], seconds: float = 30.0) -> float:
    """Seconds from the moment at which the network's own interface shows it until the desk does; 0 where it was first.

    The network had it after the last look at which it had not, so that moment counts: the time is never too short.
    """
    had = begun = time.monotonic()
    has = shown = False
    at = begun
    while not (has and shown):
        assert time.monotonic() - begun < seconds, f"in {seconds} s: network {has}, desk {shown}"
        if not has:
            looked = time.monotonic()
            has = network_has()
            had = had if has else looked
        if not shown and desk_has():
            shown, at = True, time.monotonic()
        time.sleep(LOOK if not (has and shown) else 0)
    return max(at - had, 0.0)


@contextlib.contextmanager
def running_house(folder: Path, **settings: str) -> Iterator[House]:
    """`rapport up` as a newcomer starts it (the tables are there), with these settings; stopped as Ctrl-C does it."""
    port = free_port()
    address, data = f"http://127.0.0.1:{port}", folder / "data"
    tables.lay(data)
    known = {"RAPPORT_BASE_URL": address, "RAPPORT_ADMIN_EMAIL": EMAIL, "RAPPORT_ADMIN_PASSWORD": PASSWORD}
    with (folder / "log").open("wb") as log, requests.Session() as session:
        session.trust_env = False
        process = subprocess.Popen(
            command("up", "--data", data, "--port", port),
            env=environment(data, **known, **settings), cwd=folder, stdout=log, stderr=log,
        )  # fmt: skip
        house = House(address, data, process, session)
        try:
            wait_until(lambda: _answers(session, f"{address}/readyz"), 60, house.log())
            made = [
                rapport(data, "token", "create", "--user", EMAIL, "--name", f"live {number}", "--json", **known)
                for number in range(TOKENS)
            ]
            house.tokens = itertools.cycle([json.loads(each.stdout)["token"] for each in made])
            house.sign_in()
            yield house
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=20)
            finally:
                process.kill()


def _answers(session: requests.Session, address: str) -> bool:
    with contextlib.suppress(requests.RequestException):
        return session.get(address, timeout=2).ok
    return False
