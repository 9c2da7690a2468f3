"""Handles, hashtags and links in the text of a post, where the file names none of them."""

from __future__ import annotations

import re
from typing import NamedTuple

_LINK = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_MENTION = re.compile(r"(?<![\w@.])@(\w{1,100})")
#: a hashtag holds at least one letter: "#1" is a number, not a tag
_HASHTAG = re.compile(r"(?<![\w#&])#(\w*[^\W\d_]\w*)")
_REPOST = re.compile(r"\s*RT @\w+")
_TRAILING = ".,;:!?…)]}'’”"


class Entities(NamedTuple):
    """What a text names: handles without @, tags without #, addresses; each once, in order of appearance."""

    mentions: tuple[str, ...]
    hashtags: tuple[str, ...]
    links: tuple[str, ...]


def find_entities(text: str) -> Entities:
    """The entities of `text`. An @ or # inside an address is part of the address."""
    if not ("@" in text or "#" in text or "://" in text):
        return Entities((), (), ())
    links = tuple(dict.fromkeys(match.rstrip(_TRAILING) for match in _LINK.findall(text)))
    words = _LINK.sub(" ", text) if links else text
    return Entities(
        tuple(dict.fromkeys(_MENTION.findall(words))),
        tuple(dict.fromkeys(_HASHTAG.findall(words))),
        links,
    )


def is_repost(text: str) -> bool:
    """Whether the text is somebody else's, passed on by hand: "RT @name ..."."""
    return _REPOST.match(text) is not None
