"""What Meta brings to our door: the check of the address, signed deliveries, and the envelope around their entries.

Source: Meta's "Webhooks, Getting Started" (verification requests, X-Hub-Signature-256 over the raw body, retries for
up to 36 hours, so that an old delivery is no reason to refuse it).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from rapport.core.errors import InvalidInput, InvalidPost
from rapport.networks.backwards import Found
from rapport.networks.base import Account, Answer, Field, Grant, Incoming, Page
from rapport.networks.every import check_every
from rapport.networks.payload import read_object

#: deliveries have a stream of their own, so that they never move the cursors of pulls
STREAM = "webhook"
_CHALLENGE = re.compile(r"[A-Za-z0-9_.-]{1,200}")
_SHORTEST_TOKEN = 12
_SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}")

#: the setting in which the word is kept that Meta repeats when it checks our address
VERIFY_TOKEN = Field(
    name="verify_token",
    label="Verify token",
    help="Give this word to Meta together with the callback address (App dashboard, Webhooks). Change it if you like.",
    required=False,
)


def new_verify_token() -> str:
    """A word that only we and the app's settings at Meta know."""
    return secrets.token_urlsafe(18)


def check_settings(
    settings: Mapping[str, str | bool | list[str]], account: Account
) -> dict[str, str | int | bool | list[str]]:
    """See `Network.check_settings`. An empty verify token would let nobody in, so the old one stays then."""
    chosen = str(settings.get("verify_token") or "").strip()
    if chosen and (len(chosen) < _SHORTEST_TOKEN or not chosen.isascii() or " " in chosen):
        raise InvalidInput(f"The verify token needs at least {_SHORTEST_TOKEN} letters and digits, without blanks.")
    old = str(account.settings.get("verify_token") or "")
    return {**check_every(settings), "verify_token": chosen or old or new_verify_token()}


def is_signed(body: bytes, signature: str, secret: str) -> bool:
    """Whether `signature`, as in X-Hub-Signature-256, is the one of these bytes under the app's secret."""
    if not secret or not _SIGNATURE.fullmatch(signature):
        return False
    made = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(signature, f"sha256={made}")


def receive(
    account: Account,
    incoming: Incoming,
    kind: str,
    read_entry: Callable[[dict[str, Any], Account, dt.datetime, Found], None],
) -> Answer:
    """See `Network.receive`. `kind` is the `object` of the deliveries; `read_entry` adds what an entry brought.

    A delivery has no id of its own; Meta repeats it byte for byte, so the digest of its body is its id.
    """
    if incoming.method == "GET":
        return _answer_check(account, incoming)
    if incoming.method != "POST":
        return Answer(status=405)
    secret = Grant.decode(account.token).more.get("app_secret", "")
    if not is_signed(incoming.body, incoming.headers.get("x-hub-signature-256", ""), secret):
        return Answer(status=401, body="the signature is not that of the app of this account")
    found = Found()
    try:
        envelope = read_object(incoming.body)
    except InvalidPost as error:
        return Answer(status=400, body=f"{error}")
    if envelope.get("object") == kind:
        _read_entries(envelope.get("entry"), account, incoming.now, found, read_entry)
    else:
        found.rejected.append(f"a delivery about {str(envelope.get('object'))[:40]!r}, not about {kind!r}")
    page = Page(
        stream=STREAM,
        posts=tuple(sorted({post.id: post for post in found.posts}.values(), key=lambda post: post.created_at)),
        cursor=msgspec.json.encode({"at": incoming.now}).decode(),
        deleted=tuple(dict.fromkeys(found.deleted)),
        rejected=tuple(found.rejected),
    )
    return Answer(status=200, body="ok", pages=(page,), delivery=hashlib.sha256(incoming.body).hexdigest())


def _answer_check(account: Account, incoming: Incoming) -> Answer:
    query = incoming.query
    expected = str(account.settings.get("verify_token") or "")
    told = query.get("hub.verify_token", "")
    challenge = query.get("hub.challenge", "")
    if query.get("hub.mode") != "subscribe" or not expected:
        return Answer(status=403, body="this address takes deliveries of Meta's webhooks")
    if not hmac.compare_digest(told.encode("utf-8", "replace"), expected.encode("utf-8", "replace")):
        return Answer(status=403, body="the verify token is not the one in the settings of this account")
    if not _CHALLENGE.fullmatch(challenge):
        return Answer(status=400, body="there is no challenge to repeat")
    return Answer(status=200, body=challenge)


def _read_entries(
    entries: object,
    account: Account,
    now: dt.datetime,
    found: Found,
    read_entry: Callable[[dict[str, Any], Account, dt.datetime, Found], None],
) -> None:
    if not isinstance(entries, list):
        found.rejected.append("a delivery without entries")
        return
    for entry in entries:
        if not isinstance(entry, dict):
            found.rejected.append("an entry that is no object")
        elif str(entry.get("id")) != account.account_id:
            found.rejected.append(f"an entry about account {str(entry.get('id'))[:40]}, which is another one")
        else:
            read_entry(entry, account, now, found)


def objects_in(entry: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """The objects in one of the lists of an entry; what is no object is left out."""
    found = entry.get(key)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
