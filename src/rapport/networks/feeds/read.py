"""A feed as it came over the wire -> `Document`, whichever of the formats it is.

Raises `InvalidInput` with the reason when the body is no feed, and nothing else. Pure: bytes in, structs out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from rapport.core.errors import InvalidInput
from rapport.networks.feeds.document import Document
from rapport.networks.feeds.jsonfeed import read_json
from rapport.networks.feeds.markup import read_markup

_JSON = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*\{")
_PAGE = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*(?:<!--[^>]{0,500}-->\s*)?<(?:!doctype\s+html|html)[\s>]", re.IGNORECASE)
_ENTITY = re.compile(rb"<!ENTITY\s[^>]{0,100000}", re.IGNORECASE)
_MOST_ENTITIES = 300  # the whole Latin-1 table of HTML, as honest feeds of the nineties declare it
_LONGEST_ENTITIES = 50_000  # bytes of all declarations together


def is_page(body: bytes) -> bool:
    """Whether the body begins like an HTML page."""
    return _PAGE.match(body) is not None


def read_document(body: bytes, headers: Mapping[str, str], address: str) -> Document:
    """The body of an answer -> the feed. `headers` are the answer's; `address` completes relative links.

    Takes time that a hostile body can make long: bodies by strangers go through `apart.read_apart`.
    """
    if not body.strip():
        raise InvalidInput("the answer is empty")
    if is_page(body):
        raise InvalidInput("this is a web page, not a feed")
    if _JSON.match(body):
        return read_json(body, address)
    _refuse_bombs(body)
    return read_markup(body, headers, address)


def _refuse_bombs(body: bytes) -> None:
    """Entities are for letters. What declares entities out of entities, or very long ones, is an attack."""
    declared = [found[0] for found in _ENTITY.finditer(body)]
    if not declared:
        return
    if len(declared) > _MOST_ENTITIES or sum(map(len, declared)) > _LONGEST_ENTITIES:
        raise InvalidInput("it declares more entities than a feed needs, which is how readers are made to burst")
    if sum(1 for one in declared if re.search(rb"&\w", one)) > 2:
        raise InvalidInput("its entities are made of other entities, which is how readers are made to burst")
