"""Push in a real Chromium, as far as one without a screen and without the Internet goes.

Real: the page, the service worker, the message that it gets (handed over by the browser's own tools, as its push
service would), the notification that it shows. Stood in for: the subscription itself, for which Chromium asks Google.
That a message of the desk can be opened with a browser's keys is shown by tests/networks/test_web_push.py.
"""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from django.test import Client

from browser.screens import open_page, wait_until
from rapport.networks.web_push import decode
from rapport.store.models import Membership, PushSubscription

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(120),
    pytest.mark.django_db(transaction=True),
]

#: what Chromium would answer once its push service said yes
SUBSCRIBE = """
PushManager.prototype.subscribe = async function (options) {
  // the page loads itself anew once the device is added
  sessionStorage.asked = JSON.stringify([...new Uint8Array(options.applicationServerKey)]);
  sessionStorage.visible = options.userVisibleOnly;
  return { toJSON: () => ({ endpoint: "https://push.example/abc", keys: { p256dh: "BKey", auth: "c2VjcmV0" } }) };
};
"""
#: the worker of the page, once it is active, with what it shows
SHOWN = """async () => {
  const worker = await navigator.serviceWorker.getRegistration(document.querySelector("#push").dataset.worker);
  const found = worker?.active ? await worker.getNotifications() : [];
  return found.map((each) => ({ title: each.title, body: each.body, tag: each.tag, url: each.data.url }));
}"""


def test_a_browser_is_added_and_shows_what_the_desk_tells_it(
    alice: Membership, live_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # playwright keeps an event loop in this thread; the database is asked in it all the same
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    client = Client()
    client.force_login(alice.user)
    with open_page(live_server.url) as page:
        page.context.add_cookies(
            [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
        )
        page.context.grant_permissions(["notifications"], origin=live_server.url)
        page.add_init_script(SUBSCRIBE)
        problems: list[str] = []
        page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
        workers: list[Any] = []
        tools = page.context.new_cdp_session(page)
        tools.on("ServiceWorker.workerRegistrationUpdated", lambda told: workers.extend(told["registrations"]))
        tools.send("ServiceWorker.enable")
        page.goto("/w/fernway/notices/settings/")

        with page.expect_navigation():
            page.click("#add-device")
        page.wait_for_selector("li[data-device]")
        device = PushSubscription.objects.get()
        assert (device.membership, device.endpoint) == (alice, "https://push.example/abc")
        assert "Chrome" in page.inner_text("li[data-device]")

        with page.expect_navigation():
            page.click("#add-device")
        page.wait_for_selector("li[data-device]")
        key = decode(page.get_attribute("#push", "data-key"))
        assert bytes(json.loads(page.evaluate("sessionStorage.asked"))) == key
        assert len(key) == 65
        assert page.evaluate("sessionStorage.visible") == "true"

        wait_until(lambda: workers, 30)
        told = {"title": "Fernway", "body": "Storm watch: Nadia in Care", "url": "/w/fernway/notices/1/", "tag": "t"}
        message = {"origin": live_server.url, "registrationId": workers[0]["registrationId"], "data": json.dumps(told)}

        def deliver(message: dict[str, Any], wanted: dict[str, Any]) -> None:
            """As a push service does: again, while nothing says that it came."""
            for _ in range(10):
                tools.send("ServiceWorker.deliverPushMessage", message)
                end = time.monotonic() + 5
                while time.monotonic() < end:
                    if wanted in page.evaluate(SHOWN):
                        return
            pytest.fail(f"{wanted} was not shown; what was: {page.evaluate(SHOWN)}")

        deliver(message, told)
        assert page.evaluate(SHOWN) == [told]
        deliver({**message, "data": "not JSON"}, {"title": "Rapport", "body": "", "tag": "", "url": "/"})
        assert problems == []
    assert PushSubscription.objects.count() == 1
