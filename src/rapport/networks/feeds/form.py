"""Connecting feeds: a list of addresses or an OPML file -> the addresses that are read, after they were tried."""

from __future__ import annotations

import datetime as dt
import re
import secrets
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import msgspec

from rapport.core.errors import AddressRefused, InvalidInput, NetworkError
from rapport.networks.addresses import check_url
from rapport.networks.base import Connected, Field, Identity, Step
from rapport.networks.feeds.apart import read_apart
from rapport.networks.feeds.discover import feeds_of_page
from rapport.networks.feeds.fetch import ACCEPT, fetch
from rapport.networks.feeds.opml import looks_like_opml, read_opml
from rapport.networks.feeds.parse import feed_key
from rapport.networks.feeds.pull import EVERY
from rapport.networks.feeds.read import is_page
from rapport.networks.http import GuardedSession

MOST_FEEDS = 500  # of one channel
MOST_TRIED = 10  # when the form is sent; the others are tried when they are read
_MOST_LINES = 2_000  # that are looked at: a list may name a feed twice
_LONGEST_ADDRESS = 2_000  # characters
_HELP = (
    "One address a line: of a feed (RSS, Atom, JSON Feed), or of a page that names one. "
    "Or paste the whole text of an OPML file, as every feed reader exports it."
)
FIELDS = (
    Field(name="feeds", label="Addresses or OPML", kind="long", help=_HELP),
    Field(
        name="name",
        label="Name of this list",
        required=False,
        help="For example: Trade press. Without one it is named after the first feed.",
    ),
)
GUIDE = (
    Step("Find the address of the feed: most sites name it in their page, so the address of the page is enough."),
    Step("Or export your subscriptions from your feed reader as OPML, open the file and copy its text."),
    Step("Paste it here. Up to ten of the addresses are tried at once, the others when they are read."),
    Step("The newest 100 items of each feed come in; from then on every new one."),
)
SETTINGS = (
    Field(name="feeds", label="Feeds", kind="long", help=_HELP),
    Field(
        name="every",
        label="Look for news",
        kind="choice",
        default=str(EVERY),
        help="How often each feed is asked. One that asks to be left alone for longer is left alone for longer.",
        choices=(
            ("1", "every minute"),
            ("5", "every 5 minutes"),
            ("15", "every 15 minutes"),
            ("60", "every hour"),
            ("360", "every 6 hours"),
            ("1440", "once a day"),
        ),
    ),
)


class _Tried(msgspec.Struct, frozen=True):
    """An address that leads to a feed."""

    address: str
    title: str


def connect(fields: Mapping[str, str], session: GuardedSession, now: dt.datetime) -> Connected:
    """See `Network.connect`."""
    addresses, is_list = read_addresses(fields.get("feeds", ""), session)
    tried = _try_all(addresses, session, now, forgiving=is_list)
    kept = list(dict.fromkeys(tried[address].address if address in tried else address for address in addresses))
    titles = [one.title for one in tried.values() if one.title]
    name = str(fields.get("name") or "").strip()[:200] or (titles[0] if titles else _host(kept[0]))
    identity = Identity(handle=_host(kept[0]), account_id=f"feeds-{secrets.token_hex(8)}", name=name[:200], url=kept[0])
    return Connected(_origin(kept[0]), identity, token="", settings={"feeds": kept, "every": str(EVERY)})


def check_settings(
    chosen: Mapping[str, str | bool | list[str]],
    settings: Mapping[str, str | int | bool | list[str]],
    session: GuardedSession,
    now: dt.datetime,
) -> dict[str, str | int | bool | list[str]]:
    """See `Network.check_settings`. Addresses that were there before are not tried again."""
    every = str(chosen.get("every") or EVERY)
    if every not in {value for value, _ in SETTINGS[1].choices}:
        raise InvalidInput("choose how often to look for news from the list")
    addresses, is_list = read_addresses(str(chosen.get("feeds", "")), session)
    known = settings.get("feeds")
    before = {str(address) for address in known} if isinstance(known, list) else set()
    tried = _try_all([one for one in addresses if one not in before], session, now, forgiving=is_list)
    kept = list(dict.fromkeys(tried[address].address if address in tried else address for address in addresses))
    return {**settings, "feeds": kept, "every": every}


def read_addresses(text: str, session: GuardedSession) -> tuple[list[str], bool]:
    """What a person pasted -> (addresses that may be called, each feed once; whether it was an OPML file).

    Raises `InvalidInput` that names the lines that are no addresses.
    """
    is_opml = looks_like_opml(text)
    lines = [one.address for one in read_opml(text)] if is_opml else text.split()
    if not lines:
        raise InvalidInput(
            "this OPML file names no feeds (no xmlUrl)" if is_opml else "write at least one address of a feed"
        )
    if len(lines) > _MOST_LINES:
        raise InvalidInput(
            f"{len(lines):,} addresses; at most {MOST_FEEDS} in one channel. Split the list over several"
        )
    found: dict[str, str] = {}
    wrong: list[str] = []
    for line in lines:
        try:
            address = _normal(line, session)
            found.setdefault(feed_key(address), address)
        except (AddressRefused, InvalidInput) as error:
            wrong.append(f"{line[:100]}: {error}")
    if wrong and (not is_opml or not found):
        raise InvalidInput(_listed("cannot be read", wrong))
    if len(found) > MOST_FEEDS:
        raise InvalidInput(f"{len(found):,} feeds; at most {MOST_FEEDS} in one channel. Split the list over several")
    return list(found.values()), is_opml


def _normal(line: str, session: GuardedSession) -> str:
    """One address: with its scheme, without what stands after #."""
    text = re.sub(r"^feed:(//)?(?=https?:)", "", line.strip().strip("<>\"',"), flags=re.IGNORECASE)
    text = re.sub(r"^feed:(//)?", "https://", text, flags=re.IGNORECASE)
    if "://" not in text:
        text = f"https://{text}"
    text = text.partition("#")[0]
    if len(text) > _LONGEST_ADDRESS:
        raise InvalidInput(f"longer than {_LONGEST_ADDRESS:,} characters")
    parts = check_url(text)
    if "." not in (parts.hostname or "") and not session.is_allowed(text):
        raise InvalidInput("this is no address of a site")
    return text


def _try_all(addresses: Sequence[str], session: GuardedSession, now: dt.datetime, forgiving: bool) -> dict[str, _Tried]:
    """The first of the addresses, tried: address -> where its feed is. `forgiving`: some may fail, but not all.

    Raises `InvalidInput` that names each failure.
    """
    tried: dict[str, _Tried] = {}
    wrong: list[str] = []
    for address in addresses[:MOST_TRIED]:
        try:
            tried[address] = _try(address, session, now)
        except (NetworkError, InvalidInput) as error:
            wrong.append(f"{address[:100]}: {error}")
    if wrong and (not forgiving or not tried):
        raise InvalidInput(_listed("cannot be read", wrong))
    return tried


def _try(address: str, session: GuardedSession, now: dt.datetime) -> _Tried:
    """The feed at this address, or the one that the page at this address names first."""
    answer = session.get(address, headers={"Accept": ACCEPT})
    if answer.status_code != 200:
        fetch(address, session, now)  # says what is wrong
        raise InvalidInput(f"it answers {answer.status_code}")
    if not is_page(answer.content):
        return _Tried(address, read_apart(answer.content, answer.headers, answer.url).title)
    named = feeds_of_page(answer.content, answer.url)
    if not named:
        raise InvalidInput("this is a web page, and it names no feed. Look for the word RSS or the feed sign on it")
    found = fetch(named[0].address, session, now).document
    return _Tried(named[0].address, (found.title if found else "") or named[0].title)


def _listed(what: str, wrong: Sequence[str]) -> str:
    more = f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""
    count = "1 address" if len(wrong) == 1 else f"{len(wrong)} addresses"
    return f"{count} {what}: {'; '.join(wrong[:5])}{more}"


def _host(address: str) -> str:
    return (urlsplit(address).hostname or "feeds").removeprefix("www.")


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}".lower()
