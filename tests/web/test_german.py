"""Every main page in German: nothing of it is in English, and what people wrote runs in its own direction."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from functools import lru_cache
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from django.urls import URLResolver, get_resolver
from django.utils import translation

from message_files import read_po
from messages import PLACE, SHIPPED, catalogs
from rapport.actions.shipped import say_shipped
from rapport.core.rules.spoken import spoken
from rapport.store.models import (
    Basket,
    Conversation,
    Draft,
    Handle,
    Note,
    Person,
    Post,
    PreparedReply,
    RuleDraft,
    RuleSet,
    Task,
    User,
)
from web.test_look import furnish, furnish_person

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

#: written from right to left: wherever it shows, its direction must be its own
THEIRS = "שלום, זה שבור"
#: whose words are not those of the desk
_OTHERS = frozenset(("script", "style", "code", "pre", "kbd", "textarea", "bdi"))
_SAID = ("title", "aria-label", "placeholder", "alt", "data-say", "data-confirm")
#: without an end
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr", "use", "path", "rect")
)
#: cannot hold an element, or takes its direction from its field
_PLAIN = frozenset(("title", "option"))
#: initials, and words for the ear alone
_RUN_NOWHERE = frozenset(("face", "seen"))


class Page(HTMLParser):
    """The words of a page that are the desk's own, and the words of others without a direction of their own."""

    def __init__(self) -> None:
        super().__init__()
        #: (element, somebody else's words, a direction of its own) from the root on
        self.open: list[tuple[str, bool, bool]] = []
        self.said: list[str] = []
        self.without_direction: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = dict(attributes)
        own = tag == "bdi" or named.get("dir") == "auto" or bool(_RUN_NOWHERE & set((named.get("class") or "").split()))
        others = own or tag in _OTHERS or named.get("lang") not in {None, "de"}
        if not others and not self._others():
            self.said += [value for name in _SAID if (value := named.get(name))]
            if tag == "input" and named.get("type") in {"submit", "button"}:
                self.said.append(named.get("value") or "")
        if tag not in _VOID:
            self.open.append((tag, others, own))

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID and self.open:
            self.open.pop()

    def handle_data(self, text: str) -> None:
        words = " ".join(text.split())
        if re.search(r"[א-ת]", words):
            inside = {tag for tag, _others, _own in self.open}
            if not any(own for _tag, _others, own in self.open) and not inside & _PLAIN:
                self.without_direction.append("/".join(tag for tag, *_rest in self.open[-4:]))
        elif words and not self._others():
            self.said.append(words)

    def _others(self) -> bool:
        return any(others for _tag, others, _own in self.open)


@lru_cache(maxsize=1)
def english() -> tuple[frozenset[str], tuple[tuple[str, re.Pattern[str]], ...]]:
    """What the desk says in English and not in German: whole, and with values (its longest piece, and an expression).

    A single word in small letters may be a word of the rules, of a query or of an address.
    """
    _, entries = read_po(catalogs()[0].read_text())
    spoken = {said for entry in entries for said in entry.said}
    texts = {
        " ".join(text.split())
        for entry in entries
        for text in (entry.one, entry.many)
        if text and text not in entry.said and text not in spoken and entry.context not in {SHIPPED, "fault", "error"}
    }
    whole = frozenset(each for each in texts if not PLACE.search(each) and (" " in each or not each.islower()))
    parts = {each: sorted(PLACE.split(each), key=len) for each in texts if PLACE.search(each)}
    return whole, tuple(
        (pieces[-1], re.compile(".+".join(re.escape(piece) for piece in PLACE.split(each))))
        for each, pieces in parts.items()
        if len(re.findall(r"[A-Za-z]{2,}", pieces[-1])) >= 2
    )


@lru_cache(maxsize=20_000)
def said_in_english(words: str) -> bool:
    whole, patterns = english()
    return words in whole or any(piece in words and pattern.fullmatch(words) for piece, pattern in patterns)


def speak_german(workspace: Any) -> None:
    """What shipped with the workspace, as a German owner would have it."""
    with translation.override("de"):
        for basket in Basket.objects.of(workspace):
            Basket.objects.filter(pk=basket.pk).update(name=say_shipped(basket.name))
        for reply in PreparedReply.objects.of(workspace):
            PreparedReply.objects.filter(pk=reply.pk).update(name=say_shipped(reply.name))
        for kept in RuleSet.objects.of(workspace):
            RuleSet.objects.filter(pk=kept.pk).update(document=spoken(kept.document, say_shipped))
        for draft in RuleDraft.objects.of(workspace):
            RuleDraft.objects.filter(pk=draft.pk).update(document=spoken(draft.document, say_shipped))


def write_from_right_to_left() -> None:
    """Everything that people outside and colleagues wrote, in Hebrew."""
    Post.objects.update(text=THEIRS)
    Conversation.objects.update(preview=THEIRS)
    Person.objects.update(name=THEIRS)
    Handle.objects.update(name=THEIRS)
    Note.objects.update(text=THEIRS)
    Draft.objects.update(text=THEIRS)
    Task.objects.update(title=THEIRS)


@pytest.fixture
def addresses(cast: Any, now: dt.datetime) -> list[str]:
    pages = furnish(cast, now) + furnish_person(cast, now)
    write_from_right_to_left()
    speak_german(cast.workspace)
    pages = [each.replace("name=Complaint", "name=Beschwerde") for each in pages]
    pages += [f"/w/fernway/c/{each.pk}/" for each in Conversation.objects.of(cast.workspace)]
    pages += [
        f"/w/fernway/{page}"
        for page in ("b/care/", "drafts/", "offers/", "campaigns/", "campaigns/new/", "hold/", "posts/")
    ]
    pages += [f"/w/fernway/{page}" for page in ("ledger/", "same-words/", "named/", "palette/", "search/?q=tag:x")]
    # and whatever else can be looked at without naming something
    return list(dict.fromkeys(pages + plain_pages()))


def plain_pages() -> list[str]:
    """Addresses of the desk that need no more than the workspace; what cannot be asked for answers 405."""
    return [
        "/" + route.replace("<slug:slug>", "fernway")
        for route in routes(get_resolver().url_patterns)
        if re.fullmatch(r"w/<slug:slug>/[^<]*", route) and not route.endswith("events")
    ]


def routes(patterns: Any, before: str = "") -> Iterator[str]:
    for each in patterns:
        route = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from routes(each.url_patterns, route)
        else:
            yield route


def test_no_page_says_in_english_what_there_is_in_german(addresses: list[str], cast: Any, enter: Any) -> None:
    client: Client = enter(cast.alice)
    User.objects.update(language="de")
    english_said: dict[str, str] = {}
    without: dict[str, str] = {}
    with translation.override("en"):
        for address in addresses:
            answer = client.get(address, follow=True)
            assert answer.status_code in {200, 400, 404, 405}, address
            if not answer["Content-Type"].startswith("text/html"):
                continue
            page = Page()
            page.feed(answer.text)
            assert '<html lang="de"' in answer.text or not answer.text.startswith("<!"), address
            english_said |= {words: address for words in page.said if said_in_english(words)}
            without |= dict.fromkeys(page.without_direction, address)
    assert english_said == {}
    assert without == {}
