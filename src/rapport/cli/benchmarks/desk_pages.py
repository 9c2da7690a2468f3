"""One job on a big desk, in a process of its own: `fill:POSTS`, or one group of its pages timed."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from rapport.core.errors import RapportError

if TYPE_CHECKING:
    from django.test import Client

#: times that each page is asked for
TIMES = 3
ROOT = "/w/bench/"


class Timed(msgspec.Struct):
    """What a job took."""

    #: milliseconds below which 95 of 100 pages stayed
    p95: float = 0.0
    #: kind of page -> median in milliseconds, slowest first
    pages: dict[str, float] = {}


class PageFailed(RapportError):
    """A page answered with something else than 200: its time would mean nothing."""


class Page(msgspec.Struct, frozen=True):
    """One page that somebody asks for."""

    kind: str
    address: str
    #: asked for by htmx: what a click in an open page loads
    fragment: bool = False


def lists(baskets: Sequence[str]) -> Iterator[Page]:
    """Every list of these baskets, and the counts that an open page refreshes."""
    yield Page("counts", f"{ROOT}counts")
    for basket, state, sort in product(
        baskets, ("open", "pending", "snoozed", "resolved"), ("pressing", "due", "waiting", "newest", "oldest")
    ):
        yield Page(f"{state}, {sort}", f"{ROOT}b/{basket}/?state={state}&sort={sort}")
    for basket, state, chosen in product(
        baskets, ("open", "resolved"), ("mood=negative", "mood=negative&intent=complaint", "automated=without")
    ):
        yield Page(f"{state}, {chosen.replace('&', ', ')}", f"{ROOT}b/{basket}/?state={state}&{chosen}")
    for ready in ("complaints", "praise"):
        yield Page(f"list of {ready}", f"{ROOT}lists/{ready}/")
    for basket, state, tab in product(baskets, ("open", "resolved"), ("mine", "unassigned")):
        yield Page(f"{state}, {tab}", f"{ROOT}b/{basket}/?state={state}&tab={tab}")


def conversations(baskets: Sequence[str]) -> Iterator[Page]:
    """Twenty short conversations, two long ones, as pages and as fragments."""
    from django.db.models import Count

    from rapport.store.models import Conversation, Post

    here = Conversation.objects.filter(basket__slug__in=baskets).exclude(state__in=["quarantined", "unopened"])
    counted = Post.objects.order_by().values_list("conversation_id").annotate(found=Count("pk"))
    many = [talk for talk, found in counted.filter(found__gt=200)]
    long = list(here.filter(pk__in=many).order_by("pk").values_list("pk", flat=True)[:2])
    short = list(here.filter(state="open").order_by("-pk").values_list("pk", flat=True)[:20])
    for kind, found in (("short", short), ("long", long)):
        for pk, fragment in product(found, (False, True)):
            yield Page(f"{kind}{', fragment' if fragment else ''}", f"{ROOT}c/{pk}/", fragment)


def searches(baskets: Sequence[str]) -> Iterator[Page]:
    """Common words, a rare one, one that is being typed, a handle, a name, what has no words, networks."""
    from rapport.store.models import Handle, Post

    newest = list(Post.objects.order_by("-pk").values_list("text", flat=True)[:400])
    rare = next(text.split()[-1] for text in newest if " " in text)
    handle = Handle.objects.order_by("-pk")[0]
    asked = {
        "a common word": "thanks", "a very common word": "the", "a rare word": rare, "half a word": rare[:5],
        "three words": "thanks for the", "a handle": f"@{handle.handle}", "a name": handle.name,
        "Japanese": next((text[4:7] for text in newest if " " not in text), "荷物"), "nothing": "qqqqqq",
        "a network": "network:x", "a rare network": "network:matrix", "all but a network": "-network:x",
        "a word in a network": "network:x thanks", "a word in a rare network": "network:matrix thanks",
    }  # fmt: skip
    for kind, words in asked.items():
        yield Page(kind, f"{ROOT}search/?q={quote(words)}")


def people(baskets: Sequence[str]) -> Iterator[Page]:
    """Some of those who wait, and some who reached a step of the ladder."""
    from rapport.store.models import Conversation, Escalation

    here = Conversation.objects.filter(basket__slug__in=baskets, state="open").order_by("-pk")
    steps = Escalation.objects.filter(conversation__in=here).order_by("-pk").values_list("person", flat=True)[:10]
    for kind, found in (("who waits", here.values_list("person", flat=True)[:20]), ("on the ladder", steps)):
        for pk in found:
            yield Page(kind, f"{ROOT}people/{pk}/")


def work(baskets: Sequence[str]) -> Iterator[Page]:
    """What is promised, what is to be done, what waits for a word, what somebody was told."""
    for days in (1, 7, 30):
        yield Page(f"promises, {days} days", f"{ROOT}promises/?days={days}")
    yield Page("promises of a basket", f"{ROOT}promises/?days=30&basket={baskets[0]}")
    for tab in ("mine", "team", "ticket", "idea", "done"):
        yield Page(f"tasks, {tab}", f"{ROOT}tasks/?tab={tab}")
    yield Page("notices", f"{ROOT}notices/")


def rules(_baskets: Sequence[str]) -> Iterator[Page]:
    """The pages of whoever sorts: for leads and above."""
    from rapport.store.models import RuleSet

    yield Page("approvals", f"{ROOT}approvals/")
    for page in ("rules", "rules/list", "rules/edit", "baskets", "absences"):
        yield Page(page, f"{ROOT}settings/{page}/")
    for name in ("Added 3", "Added 40"):
        yield Page("one rule", f"{ROOT}settings/rules/rule/?name={quote(name)}")
    yield Page("a version", f"{ROOT}settings/rules/{RuleSet.objects.order_by('-version')[0].version}/")


GROUPS = {
    "list": lists, "conversation": conversations, "person": people, "search": searches, "work": work, "rules": rules,
}  # fmt: skip
#: who asks for the pages of a group, where not everybody does
ASKERS = {"rules": ("bench@localhost", "lead@localhost")}


def time_pages(group: str) -> Timed:
    """Every page of a group, for the owner, a lead, and an agent who works in two baskets. Raises `PageFailed`."""
    from rapport.store.models import Basket

    everything = list(Basket.objects.values_list("slug", flat=True))
    taken: dict[str, list[float]] = {}
    for email in ASKERS.get(group, ("bench@localhost", "lead@localhost", "agent@localhost")):
        baskets = everything[1:3] if email.startswith("agent") else everything
        client = _sign_in(email)
        pages = list(GROUPS[group](baskets))
        _take(client, pages[0])  # templates and models are loaded
        for page in pages:
            taken.setdefault(page.kind, []).extend(_take(client, page) for _ in range(TIMES))
    medians = {kind: statistics.median(found) for kind, found in taken.items()}
    found = [each for times in taken.values() for each in times]
    ordered = dict(sorted(medians.items(), key=lambda pair: -pair[1]))
    return Timed(statistics.quantiles(found, n=20)[-1], ordered)


def _sign_in(email: str) -> Client:
    from django.conf import settings
    from django.test import Client

    from rapport.store.models import User

    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get(email=email), backend=settings.AUTHENTICATION_BACKENDS[0])
    return client


def _take(client: Client, page: Page) -> float:
    headers = {"HX-Request": "true"} if page.fragment else {}
    start = time.perf_counter()
    response = client.get(page.address, headers=headers)
    taken = (time.perf_counter() - start) * 1_000
    if response.status_code != 200:
        raise PageFailed(f"{page.address} answered {response.status_code}")
    return taken


def fill(count: int) -> Timed:
    """A fresh database becomes a desk of about `count` posts."""
    from django.db import connection
    from django.utils import timezone

    from rapport.cli.benchmarks.crowd import make_crowd
    from rapport.cli.desk import migrate

    migrate()
    start = time.perf_counter()
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA synchronous=OFF")
        make_crowd(count, timezone.now())
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE")  # as autovacuum does within minutes
    return Timed(pages={"fill": (time.perf_counter() - start) * 1_000})


def main(job: str) -> None:
    """Do one job and print `Timed` as JSON."""
    from rapport.cli.desk import load_django
    from rapport.cli.parts import calm_collector

    load_django()
    calm_collector()  # as the process that serves pages does
    kind, _, count = job.partition(":")
    done = fill(int(count)) if kind == "fill" else time_pages(kind)
    print(msgspec.json.encode(done).decode())


if __name__ == "__main__":
    main(sys.argv[1])
