"""Calls of webhooks by a process that is killed while a receiver thinks: `python calls.py` (the test does).

Two real receivers; one takes the first call that it hears and does not answer it. The caller is killed with SIGKILL, a
second one goes on. What each receiver heard is printed as JSON.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rapport.config.django")

SLOW, PROMPT = 3, 5  # calls of each receiver
LEASE = dt.timedelta(seconds=3)
PATIENCE = 45.0  # seconds; nothing waits for them unless it is broken


class Receiver(ThreadingHTTPServer):
    """Another program: writes down the id of each call, and answers once it may."""

    daemon_threads = True

    def __init__(self, *, silent: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.heard: list[str] = []
        self.may_answer = threading.Event()
        if not silent:
            self.may_answer.set()
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class _Answering(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append(self.headers["webhook-id"])
        self.server.may_answer.wait(PATIENCE)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


def call(authorities: list[str]) -> None:
    """The caller, until SIGTERM."""
    from rapport.networks.http import GuardedSession, Limits
    from rapport.pipeline.webhooks import Caller

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    session = GuardedSession(allow=set(authorities), limits=Limits(total=60))
    Caller(lambda: session, lambda: dt.datetime.now(dt.UTC), LEASE).run_forever(stop)


def wait_until(holds: Callable[[], bool]) -> None:
    """Gives up in silence: what is printed says how far it came."""
    end = time.monotonic() + PATIENCE
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)


def main() -> int:
    import django

    django.setup()
    if sys.argv[1:]:
        call(sys.argv[1:])
        return 0
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from rapport.actions.accounts import create_workspace
    from rapport.actions.webhooks import add_webhook, try_webhook
    from rapport.store.models import Membership, User, WebhookCall

    now = dt.datetime.now(dt.UTC)
    user = User.objects.create_user("alice@fernway.example", "correct horse battery", name="Alice")
    create_workspace(user, "Fernway", now=now)
    alice, slow, prompt = Membership.objects.get(), Receiver(silent=True), Receiver(silent=False)
    hooks = [add_webhook(alice, name, f"http://{at.authority}/", now=now)[0] for name, at in
             (("slow", slow), ("prompt", prompt))]  # fmt: skip
    asked = [[try_webhook(alice, hook, now=now).key for _ in range(many)] for hook, many in
             zip(hooks, (SLOW, PROMPT), strict=True)]  # fmt: skip
    command = [sys.executable, __file__, slow.authority, prompt.authority]
    first = subprocess.Popen(command)
    # heard is not yet written down: killed in between, the last call of the prompt receiver would rightly come again
    taken = WebhookCall.objects.filter(webhook=hooks[1], state="sent")
    wait_until(lambda: taken.count() == PROMPT and len(slow.heard) == 1)
    before = [list(slow.heard), list(prompt.heard)]
    first.kill()
    killed = first.wait()
    slow.may_answer.set()
    second = subprocess.Popen(command)
    wait_until(lambda: not WebhookCall.objects.exclude(state="sent").exists())
    second.terminate()
    ended = second.wait()
    states = list(WebhookCall.objects.order_by("pk").values_list("state", flat=True))
    print(json.dumps({
        "asked": asked, "before": before, "heard": [slow.heard, prompt.heard], "states": states, "killed": killed,
        "ended": ended,
    }))  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
