"""Connecting a forum by form: its address, a user and an API key; and what is followed there.

connected = connect({"server": "forum.example", "username": "brand", "key": "..."}, session)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from rapport.core.errors import GiveUp, InvalidInput, InvalidPost, Reauthorise
from rapport.networks.base import Account, Connected, Field, Identity, Step
from rapport.networks.discourse.wire import Refused, Wire, who
from rapport.networks.entered import read_origin
from rapport.networks.http import GuardedSession
from rapport.networks.payload import take

FIELDS = (
    Field(name="server", label="Forum", kind="server", help="The address of the forum: forum.example.org."),
    Field(name="username", label="User", help="The user name that speaks for you there, without @."),
    Field(name="key", label="API key", kind="secret", help="Made by an admin of the forum; the guide says how."),
)
GUIDE = (
    Step("Make a user for your team on the forum, or take the one that people know you by."),
    Step("As an admin of the forum, open Admin, Advanced, API keys, and choose Add API key."),
    Step("As user level choose Single user, and that user."),
    Step(
        "As scope choose Granular, then under global: read, and under topics: write. Nothing more is needed; a global "
        "key works too, and may do far more than Rapport ever does."
    ),
    Step("Copy the key, which the forum shows once, and write it here with the address and the user."),
    Step("Afterwards choose on the page of this source which categories, tags and searches are followed."),
    Step(
        "Optional, so that edits and deletions arrive at once: under Admin, Advanced, Webhooks add one to the address "
        "that the page of this source shows, with a secret that you also write there, for post, topic and user events."
    ),
)
SETTINGS = (
    Field(
        name="categories",
        label="Categories to follow",
        kind="lines",
        required=False,
        help="One a line, as in their address: support, or support/phones. Those inside them are followed too.",
    ),
    Field(name="tags", label="Tags to follow", kind="words", required=False, help="Separate them with spaces."),
    Field(
        name="searches",
        label="Searches to follow",
        kind="lines",
        required=False,
        help="One a line, as in the search box of the forum.",
    ),
    Field(
        name="everything",
        label="Follow the whole forum",
        kind="flag",
        required=False,
        help="Every public post that the user may see.",
    ),
    Field(
        name="webhook_secret",
        label="Secret of the webhook",
        kind="secret",
        required=False,
        help="The same as on the forum, at least 16 characters. Without it the forum's messages are refused.",
    ),
)
_MOST = 50  # of each list
_LONGEST = 150  # characters of one line
_SHORTEST_SECRET = 16


class _Category(msgspec.Struct):
    id: int
    slug: str = ""
    name: str = ""
    parent_category_id: int | None = None


class _Site(msgspec.Struct):
    categories: list[Any] = []


def connect(fields: Mapping[str, str], session: GuardedSession) -> Connected:
    """See `Network.connect`."""
    server = read_origin(fields.get("server", ""), session)
    username, key = fields.get("username", "").strip().removeprefix("@"), fields.get("key", "").strip()
    if not username or not key:
        raise InvalidInput("Write the user name and the API key.")
    if not re.fullmatch(r"[\x21-\x7e]{8,200}", key):
        raise InvalidInput("This is no API key of a forum: copy it once more, without what stands around it.")
    try:
        wire = Wire(server, key, username, session)
        identity = identify(wire)
        wire.read("/notifications.json", dict[str, Any], {"limit": 1})
    except Reauthorise as error:
        raise InvalidInput(f"The forum does not accept this key for this user: {error}") from None
    except Refused as error:
        raise InvalidInput(f"The key may not read; choose global: read among its scopes ({error}).") from None
    except GiveUp as error:
        raise InvalidInput(f"{urlsplit(server).hostname} does not answer like a Discourse forum: {error}") from None
    return Connected(server, identity, key)


def identify(wire: Wire) -> Identity:
    """Who the key of this wire speaks for."""
    told = who(wire)
    username, number = told.get("username"), told.get("id")
    if not isinstance(username, str) or not isinstance(number, int):
        raise GiveUp(f"{wire.host} does not say whose key this is; it may be no Discourse forum")
    name = told.get("name")
    return Identity(
        handle=f"{username}@{urlsplit(wire.server).netloc}",
        account_id=str(number),
        name=name if isinstance(name, str) else "",
        url=f"{wire.server}/u/{quote(username)}",
    )


def check_settings(
    settings: Mapping[str, str | bool | list[str]], account: Account, session: GuardedSession
) -> dict[str, str | int | bool | list[str]]:
    """See `Network.check_settings`. Names of categories become their numbers, with those inside them."""
    categories, tags, searches = (_list(settings.get(name)) for name in ("categories", "tags", "searches"))
    for name, entered in (("categories", categories), ("tags", tags), ("searches", searches)):
        if len(entered) > _MOST:
            raise InvalidInput(f"{len(entered)} {name}; at most {_MOST} can be followed.")
        for place, line in enumerate(entered, 1):
            if len(line) > _LONGEST:
                raise InvalidInput(f"{name}, line {place}: at most {_LONGEST} characters")
    tags = [tag.removeprefix("#") for tag in tags]
    secret = settings.get("webhook_secret")
    if isinstance(secret, str) and secret and len(secret) < _SHORTEST_SECRET:
        raise InvalidInput(f"The secret of the webhook needs at least {_SHORTEST_SECRET} characters.")
    wire = Wire.of(account, session)
    kept: dict[str, str | int | bool | list[str]] = {
        "categories": categories,
        "category_ids": _find_categories(categories, wire) if categories else [],
        "tags": tags,
        "searches": searches,
        "everything": settings.get("everything") is True,
    }
    for place, tag in enumerate(tags, 1):
        try:
            wire.read(f"/tag/{quote(tag, safe='')}.json", dict[str, Any])
        except GiveUp:
            raise InvalidInput(f"tag {place}: the forum has no tag {tag[:100]!r} that this user may see") from None
    return kept | ({"webhook_secret": secret} if isinstance(secret, str) else {})


def _find_categories(entered: list[str], wire: Wire) -> list[str]:
    """Raises `InvalidInput` with the line."""
    known: list[_Category] = []
    for item in wire.read("/site.json", _Site).categories:
        try:
            known.append(take(item, _Category))
        except InvalidPost:
            continue
    found: list[int] = []
    for place, line in enumerate(entered, 1):
        parts = [part for part in line.removeprefix(wire.server).split("/") if part and part != "c"]
        if len(parts) > 1 and parts[-1].isdecimal():  # the number stands at the end of an address
            parts = parts[:-1]
        matching = [each.id for each in known if parts and parts[-1].lower() in {each.slug.lower(), each.name.lower()}]
        if len(parts) > 1:
            above = {each.id for each in known if each.slug.lower() == parts[-2].lower()}
            inside = {each.id for each in known if each.parent_category_id in above}
            matching = [number for number in matching if number in inside]
        if not matching:
            raise InvalidInput(f"line {place}: the forum has no category {line[:100]!r} that this user may see")
        found += matching
    for _ in range(3):  # categories stand inside one another three deep at most
        found += [each.id for each in known if each.parent_category_id in found and each.id not in found]
    return [str(number) for number in dict.fromkeys(found)]


def _list(value: str | bool | list[str] | None) -> list[str]:
    lines = value.split("\n") if isinstance(value, str) else value if isinstance(value, list) else []
    return list(dict.fromkeys(line.strip() for line in lines if line.strip()))
