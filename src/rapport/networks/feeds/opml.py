"""The text of an OPML file -> the addresses of feeds in it, however deeply its outlines are nested."""

from __future__ import annotations

import re
from html import unescape
from xml.etree.ElementTree import Element

import msgspec
from defusedxml import DefusedXmlException, ElementTree  # type: ignore[import-untyped]  # ships no types

from rapport.core.errors import InvalidInput

MAX_BYTES = 5_000_000
_BARE = re.compile(r"&(?!#[0-9]{1,7};|#[xX][0-9a-fA-F]{1,6};|(?:amp|lt|gt|quot|apos);)")


class Outline(msgspec.Struct, frozen=True):
    """One feed of a list."""

    address: str
    title: str = ""


def looks_like_opml(text: str) -> bool:
    """Whether a person pasted a file and not addresses."""
    return text.lstrip("\ufeff \t\r\n").startswith("<")


def read_opml(content: str | bytes) -> list[Outline]:
    """The feeds in the order of the file, each address once. Outlines that are no feeds (folders, links) are passed by.

    A file with bare ampersands or names of HTML's letters, as many programs write them, is read all the same.
    Raises `InvalidInput` when it is no OPML.
    """
    if len(content) > MAX_BYTES:
        raise InvalidInput(f"the OPML file is larger than {MAX_BYTES // 1_000_000} MB")
    root = _root(content)
    if _local(root) != "opml":
        raise InvalidInput(f"this is no OPML file: it begins with <{_local(root)[:40]}>, not with <opml>")
    found: dict[str, Outline] = {}
    for element in root.iter():
        if isinstance(element.tag, str) and _local(element) == "outline":
            told = {name.lower(): unescape(value).strip() for name, value in element.attrib.items()}
            if (address := told.get("xmlurl")) and told.get("type", "").lower() != "source":
                found.setdefault(address, Outline(address, told.get("text") or told.get("title") or ""))
    return list(found.values())


def _root(content: str | bytes) -> Element:
    if isinstance(content, str):
        # the declaration speaks of the bytes of the file, and these are characters by now
        content = re.sub(r"^\s*<\?xml[^>]{0,200}\?>", "", content.lstrip("\ufeff"), count=1)
    try:
        return _parse(content)
    except ElementTree.ParseError as error:
        first = error
    text = content if isinstance(content, str) else content.decode("utf-8", "replace")
    text = re.sub(r"^\s*<\?xml[^>]{0,200}\?>", "", text.lstrip("\ufeff"), count=1)
    try:
        return _parse(_BARE.sub("&amp;", text))
    except ElementTree.ParseError:
        raise InvalidInput(f"the OPML file is damaged: {first}") from None


def _parse(content: str | bytes) -> Element:
    try:
        root: Element = ElementTree.fromstring(content)
    except DefusedXmlException:
        raise InvalidInput("the OPML file declares entities, which a list of feeds does not need") from None
    except (ValueError, LookupError) as error:
        if isinstance(error, ElementTree.ParseError):
            raise
        raise InvalidInput(f"the OPML file cannot be read: {error}") from None
    return root


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2].lower()
