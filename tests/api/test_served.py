"""The interface as it is served: the real process, a real file, programs side by side."""

from __future__ import annotations

import concurrent.futures
import http.client
import json
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.conftest import a_post
from cli.running import command, environment, rapport

pytestmark = pytest.mark.slow


class Served:
    """`rapport web` on a desk of its own, and a token for it."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        assert rapport(self.data, "import", "-", "--channel", "x").returncode == 0
        made = rapport(self.data, "token", "create", "--user", "admin@localhost", "--name", "Sync", "--json")
        self.token = json.loads(made.stdout)["token"]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        with (folder / "web.log").open("w") as log:
            self.process = subprocess.Popen(
                command("web", "--port", self.port), env=environment(self.data), stdout=log, stderr=log
            )
        deadline = time.monotonic() + 60
        while True:
            try:
                assert self.ask("GET", "openapi.json")[0] == 200
            except OSError:
                assert time.monotonic() < deadline, (folder / "web.log").read_text()
                time.sleep(0.2)
            else:
                break

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        told = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        try:
            line.request(method, f"/api/v1/{path}", body, told | {k.replace("_", "-"): v for k, v in headers.items()})
            answer = line.getresponse()
            return answer.status, answer.read()
        finally:
            line.close()

    def count(self, table: str) -> int:
        with sqlite3.connect(self.data / "rapport.sqlite3") as connection:
            found = int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
        connection.close()
        return found


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    running = Served(tmp_path_factory.mktemp("served"))
    yield running
    running.process.send_signal(signal.SIGTERM)
    # uvicorn ends what it has begun, then hands the signal on
    assert running.process.wait(30) in {0, -signal.SIGTERM}


def test_fifty_calls_side_by_side_have_one_effect(served: Served) -> None:
    body = json.dumps([a_post(id=f"storm-{number}") for number in range(20)]).encode()
    before = served.count("store_post"), served.count("store_keptanswer")
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        calls = [
            pool.submit(served.ask, "POST", "posts?channel=shop", body, Idempotency_Key="storm") for _ in range(50)
        ]
        answers = {call.result() for call in calls}
    assert answers == {(200, b'{"read":20,"new":20,"known":0,"rejected":[]}')}
    assert served.count("store_post") - before[0] == 20
    assert served.count("store_keptanswer") - before[1] == 1


def test_calls_side_by_side_with_keys_of_their_own_all_come_through(served: Served) -> None:
    def call(number: int) -> int:
        body = json.dumps([a_post(network="forum2", id=str(number % 5))]).encode()
        return served.ask("POST", "posts?channel=other", body, Idempotency_Key=f"own-{number}")[0]

    before = served.count("store_post")
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        assert list(pool.map(call, range(20))) == [200] * 20
    assert served.count("store_post") - before == 5


TALK = """
import django; django.setup()
from rapport.store.models import Channel, Conversation, Workspace
workspace, channel = Workspace.objects.get(), Channel.objects.first()
print(Conversation.objects.create(workspace=workspace, network="forum", channel=channel, state="open").pk)
"""


def test_fifty_of_any_other_call_side_by_side_have_one_effect_too(served: Served) -> None:
    """Holding, letting go, a draft, what counts as a reading: repeated or pressed at once, it is one."""
    told = environment(served.data) | {"DJANGO_SETTINGS_MODULE": "rapport.config.django"}
    made = subprocess.run([sys.executable, "-c", TALK], env=told, capture_output=True, text=True, check=True)
    talk = made.stdout.split()[-1]
    calls = {
        "hold": ("POST", "hold", {"reason": "storm"}, "store_hold", "workspace.hold"),
        "release": ("DELETE", "hold", None, "store_hold", ""),
        "draft": ("POST", f"conversations/{talk}/draft", {"text": "Sorry"}, "store_draft", "draft.save"),
        "thresholds": ("PUT", "thresholds", {"thresholds": {"spam": 0.8}}, "store_workspace", ""),
    }
    for name, (method, path, said, table, verb) in calls.items():
        body = None if said is None else json.dumps(said).encode()
        before = served.count(table), served.count(f"store_auditentry WHERE verb = '{verb}'")
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            answers = list(pool.map(lambda _, one=(method, path, body): served.ask(*one)[0], range(50)))
        assert set(answers) == {200}, name
        rows = served.count(table) - before[0]
        assert rows == (1 if name in {"hold", "draft"} else 0), name
        if name == "draft":
            assert served.count(f"store_auditentry WHERE verb = '{verb}'") - before[1] == 1
    assert served.count("store_hold WHERE ended_at IS NULL") == 0
    assert served.count("store_workspace WHERE held_at IS NOT NULL") == 0
    assert served.count("store_approval") == served.count("store_delivery") == 0


def test_a_body_without_a_length_is_bounded_too(served: Served) -> None:
    line = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    line.putrequest("POST", "/api/v1/posts?channel=shop")
    for name, value in {
        "Authorization": f"Bearer {served.token}", "Content-Type": "application/json", "Idempotency-Key": "long",
        "Transfer-Encoding": "chunked",
    }.items():  # fmt: skip
        line.putheader(name, value)
    line.endheaders()
    chunk = b" " * 65536
    for _ in range(100):
        line.send(b"%x\r\n%s\r\n" % (len(chunk), chunk))
    line.send(b"0\r\n\r\n")
    answer = line.getresponse()
    assert answer.status == 413
    assert json.loads(answer.read())["status"] == 413
    line.close()
