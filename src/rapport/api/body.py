"""Reading the body of a call: bounded, of the right kind, and JSON that means one thing only."""

from __future__ import annotations

import json
import re
from typing import Any, TypeVar

import msgspec
from django.http import HttpRequest, UnreadablePostError

from rapport.api.problems import Refused, bad

T = TypeVar("T")

MAX_BODY = 5 * 1024 * 1024  # bytes
_SPACE = re.compile(r"[ \t\n\r]*")
_JSON_ONLY = "Send UTF-8 JSON with Content-Type: application/json and no Content-Encoding."


def read_body(request: HttpRequest) -> bytes:
    """The raw bytes. Raises `Refused` 415 for another kind and 413 beyond `MAX_BODY`, having read no more than that."""
    charset = (request.content_params or {}).get("charset", "utf-8").strip('"').lower()
    if request.content_type != "application/json" or charset not in {"utf-8", "utf8"}:
        raise bad("header.Content-Type", "is not application/json", _JSON_ONLY, 415)
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise bad("header.Content-Encoding", "is not supported", _JSON_ONLY, 415)
    too_long = bad(
        "body", f"is longer than {MAX_BODY:,} bytes", "Send it in several calls, each with its own key.", 413
    )
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BODY:
        raise too_long
    try:
        body: bytes = request.read(MAX_BODY + 1)
    except UnreadablePostError:
        raise Refused(400, "The body broke off before its end.") from None
    if len(body) > MAX_BODY:
        raise too_long
    return body


def split_list(body: bytes, most: int) -> list[bytes]:
    """The items of a JSON list, each as the bytes that were sent.

    So one item with half a character in it does not cost the others. Raises `Refused` for what is no JSON list, for
    more than `most` items, and for a key that stands twice in one object.
    """
    text = _as_text(body)
    place = _skip(text, 0)
    if text[place : place + 1] != "[":
        raise bad("body", "is not a list", "Send a JSON list of posts: [{...}, {...}].")
    items: list[bytes] = []
    place = _skip(text, place + 1)
    while text[place : place + 1] != "]" or items:
        _, end = _parse(text, place)
        items.append(text[place:end].encode())
        if len(items) > most:
            raise bad("body", f"holds more than {most} posts", "Send them in several calls, each with its own key.")
        place = _skip(text, end)
        mark = text[place : place + 1]
        if mark == "]":
            break
        if mark != ",":
            raise _malformed(f"expected , or ] at character {place + 1}")
        place = _skip(text, place + 1)
    if _skip(text, place + 1) != len(text):
        raise _malformed(f"something follows the list at character {place + 2}")
    return items


def read_object(body: bytes, kind: type[T]) -> T:
    """The body as one JSON object of `kind`. Raises `Refused` with the place for anything else, even unknown keys."""
    text = _as_text(body)
    start = _skip(text, 0)
    _, end = _parse(text, start)
    if _skip(text, end) != len(text):
        raise _malformed(f"something follows the value at character {end + 1}")
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        where = f"body{path.rstrip('`')}"
        raise bad(where, reason, "See the schema in /api/v1/openapi.json.") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise _malformed(str(error)) from None


def _as_text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise bad("body", f"is not UTF-8 at byte {error.start + 1}", _JSON_ONLY) from None


def _skip(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place


def _malformed(reason: str) -> Refused:
    return bad("body", f"is not JSON: {reason}", _JSON_ONLY)


def _parse(text: str, place: int) -> tuple[Any, int]:
    """The value that begins at `place`, and where it ends."""
    try:
        return _decoder.raw_decode(text, place)
    except RecursionError:
        raise _malformed("nested too deeply") from None
    except ValueError as error:
        # a number of thousands of digits is one too
        raise _malformed(str(error)) from None


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Readers disagree about which of two equal keys counts: then nobody knows what was said."""
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise bad("body", f"the key {twice[:80]!r} stands twice in one object", "Send each key once.")
    return found


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


_decoder = json.JSONDecoder(object_pairs_hook=_once_each, parse_constant=_no_number)
