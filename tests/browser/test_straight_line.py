"""The straight line, as a person walks it: `rapport up`, a real Mastodon API server, a real browser."""

from __future__ import annotations

import csv
import datetime as dt
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from browser.screens import open_page, running_desk, sign_in, wait_until
from rapport.core.decision import PRIORITIES, PersonFacts
from rapport.core.post import Author, Post
from rapport.core.rules import Circumstances, compile_rules, default_document
from rapport.core.score import score
from rapport.core.understand import load_reader
from rapport.store.queries.desk import PRIORITY_POINTS
from servers import MastodonServer, mastodon_server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

#: where the real threads are missing, texts of our own stand in
OWN = [
    "The parcel came today and the jacket fits. Thank you, that was quick!",
    "Third time I write about my order. Still no answer, still charged twice. Unacceptable, I want my money back.",
    "Do you ship to Norway?",
    "Thinking of buying the big tent. Which one is lighter?",
]


def angriest_first(texts: list[str]) -> str:
    """What must stand on top of Care: the same functions as in the product, without desk, bus or database."""
    now = dt.datetime.now(dt.UTC)
    at = Circumstances(now, handles=frozenset({"brand"}))
    rules, reader = compile_rules(default_document()), load_reader()
    found = []
    for number, text in enumerate(texts):
        post = Post("mastodon", str(number), text, now, Author(id="a", handle="ann"), mentions=("brand",))
        reading = reader.read([post])[0]
        value = score(post, reading, PersonFacts(), now)
        decision = rules.decide(post, reading, value, PersonFacts(), (), at)
        if decision.basket == "care":
            found.append((PRIORITIES.index(decision.priority) * PRIORITY_POINTS + value.value, text))
    return max(found)[1]


def support_roots(folder: Path, count: int) -> list[str]:
    """The first words of real, complete support threads, in the order in which they were said."""
    path = folder / "03_twcs" / "threads.csv"
    rows = []
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if (
                row["thread_kind"] == "complete"
                and row["tweet_id"] == row["thread_root_id"]
                and row["inbound"] == "True"
            ):
                words = " ".join(re.sub(r"@\w+|https?://\S+", "", row["text"]).split())
                if 20 < len(words) < 250:
                    rows.append(words)
    return rows[:count]


@pytest.fixture
def mastodon() -> Iterator[MastodonServer]:
    with mastodon_server(accounts=("brand", *(f"person{number}" for number in range(40)))) as server:
        yield server


@pytest.fixture
def desk(tmp_path: Path, mastodon: MastodonServer) -> Iterator[str]:
    """A desk that is allowed to call the private server; its address."""
    with running_desk(tmp_path, RAPPORT_ALLOW_PRIVATE=mastodon.authority, RAPPORT_POLL_SECONDS="0.5") as address:
        yield address


@pytest.fixture
def page(desk: str) -> Iterator[Any]:
    with open_page(desk) as page:
        yield page


def connect(page: Any, server: MastodonServer) -> None:
    """Through the settings page and the server's own OAuth code flow."""
    page.click("text=Sources")
    page.click("text=Connect a source")
    page.click("main >> text=Mastodon")
    page.fill("input[name=server]", server.url)
    page.click("main button.main, form button.main")
    page.click("#go")
    page.click("button[value=brand]")
    page.wait_for_url("**/settings/channels/**")
    page.wait_for_selector("text=brand")


def test_a_complaint_comes_in_and_a_persons_answer_goes_out(page: Any, mastodon: MastodonServer) -> None:
    data = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    texts = support_roots(data, 25) if data.is_dir() else OWN
    top = angriest_first([f"@brand {text}" for text in texts])
    sign_in(page)
    connect(page, mastodon)
    ids = {}
    for number, text in enumerate(texts):  # each by somebody else, in the order of the original threads
        ids[f"@brand {text}"] = mastodon.post(f"person{number}", f"@brand {text}")["id"]

    # the list fills by itself: nobody reloads
    page.click("nav >> text=Care")
    page.wait_for_selector("[data-row]")
    wait_until(lambda: counted(page) >= len(texts), 30)
    page.goto(page.url)
    first = page.locator("[data-row]").first
    assert first.locator(".said").inner_text()[:40] in top
    assert "complaint" in first.locator(".chip").first.inner_text()

    # by key: open, see the reason, edit the draft, send
    page.keyboard.press("j")
    page.keyboard.press("o")
    page.wait_for_selector("#reply-text")
    assert "complaint" in page.locator(".why").first.inner_text()
    draft = page.input_value("#reply-text")
    assert "ola" in draft.lower()
    assert "@person" in draft
    page.keyboard.press("r")
    mine = f"{draft.strip()} Could you send me your order number?"
    page.fill("#reply-text", mine)
    page.keyboard.press("Control+Enter")

    # the server, not our own word, says that it arrived
    wait_until(lambda: replies_to(mastodon, ids[top]), 20)
    [answer] = replies_to(mastodon, ids[top])
    assert answer["in_reply_to_id"] == ids[top]
    assert "order number" in answer["content"]
    assert answer["account"]["username"] == "brand"
    page.wait_for_selector(".msg.us")
    time.sleep(3)
    assert len(replies_to(mastodon, ids[top])) == 1


def counted(page: Any) -> int:
    """What the counters of all baskets add up to."""
    text = " ".join(page.locator("nav .count").all_inner_texts())
    return sum(int(number) for number in re.findall(r"\d+", text))


def replies_to(server: MastodonServer, status: str) -> list[dict[str, Any]]:
    context: dict[str, Any] = server.call("GET", f"/api/v1/statuses/{status}/context", "brand")
    found: list[dict[str, Any]] = [each for each in context["descendants"] if each["in_reply_to_id"] == status]
    return found
