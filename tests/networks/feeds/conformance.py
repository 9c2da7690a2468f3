"""What becomes of the test feeds of feedparser and the test lists of listparser: counts, and every one that differs.

    python tests/networks/feeds/conformance.py FOLDER > docs/reference/feed-conformance.md

FOLDER holds `feedparser_tests.tar.gz` and `listparser_opml.tar.gz`. Each feed begins with a comment that says what
feedparser makes of it, as an expression of Python; it is evaluated over what our call of feedparser gives, and the feed
goes on through `read_document` and `parse_item` as one from the network would.
"""

from __future__ import annotations

import datetime as dt
import re
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import feedparser
import msgspec

from rapport.core.errors import InvalidInput, InvalidPost
from rapport.networks.feeds.document import Document
from rapport.networks.feeds.known import compare, decode_memory
from rapport.networks.feeds.markup import parse_markup
from rapport.networks.feeds.opml import read_opml
from rapport.networks.feeds.parse import parse_item
from rapport.networks.feeds.read import read_document

NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
HOST = "http://127.0.0.1:8097"  # where feedparser's own tests serve these files
_EXPECT = re.compile(r"Expect:\s*(.*?)\s*(?:Options:[^\n]*)?-->", re.DOTALL)
_HEADER = re.compile(r"^\s*Header:\s*([^:\n]+):\s*(.+?)\s*$", re.MULTILINE)
_EVAL = re.compile(r"Eval:\s*(.+?)\s*$", re.MULTILINE)
_ENCODINGS = ("utf-8", "utf-16", "utf-32", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "cp037", "latin-1")


class Result(msgspec.Struct):
    """What became of one file."""

    path: str
    #: the expression of the file; "" = it has none
    expected: str
    #: the expression holds
    as_expected: bool
    #: ids of posts, in the order of the feed
    posts: int = 0
    #: why the file as a whole was refused
    refused: str = ""
    #: items that were refused
    rejected: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        return self.path.removeprefix("tests/").rpartition("/")[0]


def files_of(archive: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(archive) as packed:
        for member in sorted(packed.getmembers(), key=lambda one: one.name):
            found = packed.extractfile(member) if member.isfile() else None
            if found is not None:
                yield member.name.removeprefix("./"), found.read()


def comment_of(body: bytes) -> str:
    """The part of the file that says what is expected, whatever it is written in."""
    for encoding in _ENCODINGS:
        text = body.decode(encoding, "ignore")
        if "Expect:" in text:
            return text
    return ""


def check_feed(path: str, body: bytes) -> Result:
    """One feed: does the expectation hold, and what becomes of it here."""
    told = comment_of(body)
    found = _EXPECT.search(told)
    expected = " ".join(found[1].split()) if found else ""
    headers = {"Content-Type": "application/xml", **dict(_HEADER.findall(told))}
    address = f"{HOST}/{path}"
    result = Result(path, expected, False)
    document = None
    try:
        document = read_document(body, headers, address)
        result.posts, result.rejected = _posts(document, address)
    except InvalidInput as error:
        result.refused = str(error)
    result.as_expected = bool(expected) and _holds(expected, path, body, headers, address, document)
    return result


def _posts(document: Document, address: str) -> tuple[int, tuple[str, ...]]:
    news = compare(document.items, decode_memory("") or sys.exit(1))
    posts, rejected = 0, []
    for item, key in news.fresh:
        try:
            parse_item(item, document, address, key, NOW)
            posts += 1
        except InvalidPost as error:
            rejected.append(str(error))
    return posts, tuple(rejected)


def _holds(
    expected: str, path: str, body: bytes, headers: dict[str, str], address: str, document: Document | None
) -> bool:
    if path.endswith(".json"):  # feedparser's JSON is not in its releases: ours is asked
        names: dict[str, Any] = {"bozo": False, "feed": document, "entries": document.items if document else ()}
    else:
        names = dict(parse_markup(body, headers, address))
    try:
        return bool(eval(expected, {"feedparser": feedparser, "datetime": dt, "time": time, **names}))
    except Exception:  # noqa: BLE001  # an expression of strangers: whatever it raises, it does not hold
        return False


def check_list(path: str, body: bytes) -> tuple[str, str]:
    """One list of feeds -> (what became of it, what listparser's own test says of it)."""
    try:
        found = read_opml(body)
    except InvalidInput as error:
        return f"refused: {error}", ""
    evals = [one for one in _EVAL.findall(body.decode("utf-8", "ignore")) if "result['feeds']" in one]
    names = {"result": {"feeds": [{"url": one.address, "title": one.title} for one in found], "bozo": 0}}
    wrong = [one for one in evals if not _true(one, names)]
    return f"{len(found)} feeds", "; ".join(wrong)


def _true(expression: str, names: dict[str, Any]) -> bool:
    try:
        return bool(eval(expression, dict(names)))
    except Exception:  # noqa: BLE001  # an expression of strangers: whatever it raises, it does not hold
        return False


def check_feeds(folder: Path) -> list[Result]:
    return [check_feed(path, body) for path, body in files_of(folder / "feedparser_tests.tar.gz")]


def check_lists(folder: Path) -> dict[str, tuple[str, str]]:
    return {path: check_list(path, body) for path, body in files_of(folder / "listparser_opml.tar.gz")}


def page(folder: Path) -> str:
    """The page of the reference."""
    feeds, lists = check_feeds(folder), check_lists(folder)
    return "\n".join([*_about_feeds(feeds), *_about_lists(lists)]) + "\n"


def _about_feeds(results: list[Result]) -> Iterator[str]:
    yield "# Feed conformance"
    yield ""
    yield "What becomes of the test feeds of feedparser and the test lists of listparser. Made by:"
    yield ""
    yield "```sh"
    yield "python tests/networks/feeds/conformance.py FOLDER > docs/reference/feed-conformance.md"
    yield "```"
    yield ""
    yield (
        "FOLDER holds `feedparser_tests.tar.gz` (kurtmckee/feedparser, `tests/`) and `listparser_opml.tar.gz` "
        "(kurtmckee/listparser, `tests/`). A test fails when this page no longer agrees with them. *As expected* means "
        "that the expression in the file holds over what our call of feedparser gives; *posts* are those that the same "
        "file brings to the desk; an item is *empty* when it has neither a title nor words nor a link, as in many of "
        "these files for brevity. No file may crash anything."
    )
    yield ""
    yield f"## Feeds: {len(results):,}, as expected {sum(one.as_expected for one in results):,}"
    yield ""
    yield "| folder | files | as expected | posts | empty items | refused as a whole |"
    yield "|---|---|---|---|---|---|"
    for group in sorted({one.group for one in results}):
        part = [one for one in results if one.group == group]
        numbers = (
            len(part), sum(one.as_expected for one in part), sum(one.posts for one in part),
            sum(len(one.rejected) for one in part), sum(bool(one.refused) for one in part),
        )  # fmt: skip
        yield f"| {group} | {' | '.join(map(str, numbers))} |"
    yield ""
    yield (
        "Those that differ are written for the development version of feedparser or for an installed chardet; "
        "the release that we use says otherwise. In none of them is a post lost."
    )
    yield ""
    yield "| file | expected | posts |"
    yield "|---|---|---|"
    for one in results:
        if not one.as_expected:
            yield f"| {one.path} | `{one.expected[:100].replace('|', '/')}` | {one.posts} |"
    yield ""
    yield "Refused as a whole, with the reason that people read:"
    yield ""
    yield "| file | reason |"
    yield "|---|---|"
    for one in results:
        if one.refused:
            yield f"| {one.path} | {one.refused} |"
    yield ""


def _about_lists(lists: dict[str, tuple[str, str]]) -> Iterator[str]:
    yield f"## Lists: {len(lists)}"
    yield ""
    read = {path: result for path, result in lists.items() if not result[0].startswith("refused")}
    yield (
        f"{len(read)} are read; the others are no OPML (RDF and FOAF lists) or damaged, and refused. Folders, "
        "categories and links to other lists are passed by: a channel has a flat list of feeds."
    )
    yield ""
    yield "| file | result |"
    yield "|---|---|"
    for path, (result, _) in lists.items():
        yield f"| {path.removeprefix('tests/files/')} | {result} |"


if __name__ == "__main__":
    print(page(Path(sys.argv[1])), end="")
