"""What becomes of recorded and hostile answers of Mastodon servers, as a page: docs/reference/mastodon-conformance.md.

    .venv/bin/python tests/mastodon_conformance.py FOLDER > docs/reference/mastodon-conformance.md

FOLDER holds `mastodon_cassettes.tar.gz`, `activitystreams2_tests.tar.gz` and `JSONTestSuite.tar.gz`. Every body is
answered by a server on loopback and pulled as the product pulls it; no words of the recordings are shown.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import re
import sys
import tarfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import msgspec
import yaml

from rapport.core.errors import GiveUp, InvalidPost, NetworkError
from rapport.core.post import Post, admit
from rapport.networks.base import Account
from rapport.networks.http import GuardedSession
from rapport.networks.mastodon.form import identify
from rapport.networks.mastodon.parse import parse_conversation, parse_notification, parse_status
from rapport.networks.mastodon.pull import pull_pages
from rapport.networks.mastodon.wire import Wire
from stand_in import StandIn, Told, stand_in

NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
DOMAIN = "home.example"
#: each list of the product has an item reader of its own; "own" is read as hashtags and the home timeline are
STREAMS = ("notifications", "conversations", "own")


class Recorded(msgspec.Struct, frozen=True):
    """One recorded request and its answer."""

    method: str
    #: of the endpoint, ids as N
    path: str
    status: int
    body: bytes


class Outcome(msgspec.Struct, frozen=True):
    """What became of one body, pulled as one stream."""

    posts: int = 0
    #: items that were refused, each with its reason
    rejected: tuple[str, ...] = ()
    #: why the answer as a whole was refused
    refused: str = ""


def files_of(archive: Path) -> Iterator[tuple[str, bytes]]:
    """The files of an archive with their paths, by name."""
    with tarfile.open(archive) as packed:
        for member in sorted(packed.getmembers(), key=lambda one: one.name):
            source = packed.extractfile(member) if member.isfile() else None
            if source is not None:
                yield member.name.removeprefix("./"), source.read()


@functools.cache
def recordings(folder: Path) -> list[Recorded]:
    """Every answer in the recordings of Mastodon.py."""
    found = []
    for _, source in files_of(folder / "mastodon_cassettes.tar.gz"):
        for each in yaml.load(source, Loader=yaml.CSafeLoader)["interactions"]:
            path = re.sub(r"/\d+", "/N", urlsplit(each["request"]["uri"]).path).rstrip("/")
            body, status = each["response"]["body"]["string"], each["response"]["status"]["code"]
            raw = body if isinstance(body, bytes) else body.encode()
            found.append(Recorded(each["request"]["method"], path, status, raw))
    return found


# ---------------------------------------------------------------- what stands in the answers


def kind_of(found: dict[str, Any]) -> str:
    """What an object of the recordings is, by the fields that Mastodon documents; "" for what we do not read."""
    if {"id", "content", "account", "created_at"} <= found.keys():
        return "status"
    if {"id", "type", "created_at", "account"} <= found.keys():
        return "notification"
    if "last_status" in found and "accounts" in found:
        return "conversation"
    return "account" if {"id", "acct", "url"} <= found.keys() else ""


def objects_in(found: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every status, notification, conversation and account, at any depth."""
    if isinstance(found, dict):
        if kind := kind_of(found):
            yield kind, found
        found = list(found.values())
    if isinstance(found, list):
        for inner in found:
            yield from objects_in(inner)


def read_object(kind: str, found: dict[str, Any], server: StandIn, session: GuardedSession) -> str:
    """The object through the reader of its kind: "post", "no post" or "refused: reason"."""
    item = json.dumps(found).encode()
    try:
        if kind == "account":
            server.always = lambda _: Told(200, item)
            return "account" if identify(Wire(server.url, "token", session), DOMAIN).handle.count("@") == 1 else "?"
        post: Post | None
        if kind == "notification":
            post = parse_notification(item, DOMAIN)[1]
        else:
            post = (parse_status if kind == "status" else parse_conversation)(item, DOMAIN)
        if post is None:
            return "no post"
        return "post" if admit(post, NOW) == admit(admit(post, NOW), NOW) else "?"
    except (InvalidPost, GiveUp) as error:
        return f"refused: {error}"


@functools.cache
def read_objects(folder: Path) -> dict[str, Counter[str]]:
    """Kind -> what became of the objects of that kind."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    with stand_in() as server, server.session() as session:
        for answer in recordings(folder):
            for kind, found in objects_in(json.loads(answer.body)):
                counts[kind][read_object(kind, found, server, session)] += 1
    return dict(counts)


# ---------------------------------------------------------------- whole bodies


def pull_body(body: bytes, stream: str, server: StandIn, session: GuardedSession, status: int = 200) -> Outcome:
    """The body as the answer to a first read of a stream; every request after it finds an empty list."""
    answers = [Told(status, body)]
    server.always = lambda _: answers.pop() if answers else Told(200, b"[]")
    account = Account(1, server.url, f"brand@{DOMAIN}", "1", "token", {"domain": DOMAIN})
    posts: list[Post] = []
    rejected: list[str] = []
    try:
        for page in pull_pages(account, stream, "", session):
            json.loads(page.cursor)
            posts += page.posts
            rejected += page.rejected
    except NetworkError as error:
        said = str(error).replace(server.authority, "HOST").replace("127.0.0.1", "HOST")
        return Outcome(len(posts), tuple(rejected), said)
    return Outcome(len(posts), tuple(rejected))


@functools.cache
def pull_answers(folder: Path) -> dict[tuple[str, str, int], list[list[Outcome]]]:
    """(method, endpoint, status) -> for each of its answers what became of it in every stream."""
    found: dict[tuple[str, str, int], list[list[Outcome]]] = defaultdict(list)
    with stand_in() as server, server.session() as session:
        for one in recordings(folder):
            outcomes = [pull_body(one.body, stream, server, session, one.status) for stream in STREAMS]
            found[one.method, one.path, one.status].append(outcomes)
    return dict(sorted(found.items()))


@functools.cache
def pull_activities(folder: Path) -> dict[str, list[Outcome]]:
    """Name of a file -> what became of it, alone and as the only item of a list, in every stream."""
    with stand_in() as server, server.session() as session:
        return {
            name.removeprefix("test/"): [
                pull_body(each, stream, server, session) for each in (body, b"[%s]" % body) for stream in STREAMS
            ]
            for name, body in files_of(folder / "activitystreams2_tests.tar.gz")
            if PurePosixPath(name).suffix == ".json"
        }


#: where a file of JSONTestSuite is put -> the body that it makes
_STATUS = b'[{"id":"1","created_at":"2026-11-21T10:00:00Z","account":{"id":"7","acct":"ann"},%s:%%s,"url":null}]'
PLACES = {
    "the whole answer": b"%s",
    "in a field that we do not read": _STATUS % b'"x"',
    "as the words of a status": _STATUS % b'"content"',
}


@functools.cache
def pull_json(folder: Path) -> dict[str, dict[str, Outcome]]:
    """Place -> name of a file -> what became of it as a list of posts."""
    files = list(files_of(folder / "JSONTestSuite.tar.gz"))
    with stand_in() as server, server.session() as session:
        return {
            place: {
                PurePosixPath(name).name: pull_body(body.replace(b"%s", source), "own", server, session)
                for name, source in files
            }
            for place, body in PLACES.items()
        }


def verdict(outcomes: list[Outcome]) -> str:
    """The worst that a body did, in two words."""
    if any(one.posts for one in outcomes):
        return "a post"
    if all(one.refused for one in outcomes):
        return "refused"
    return "items refused" if any(one.rejected for one in outcomes) else "an empty list"


# ---------------------------------------------------------------- the page


def page(folder: Path) -> str:
    """The page of the reference."""
    parts = (_begin(), _objects(folder), _answers(folder), _activities(folder), _json(folder))
    return "\n".join(line for part in parts for line in part) + "\n"


def _begin() -> Iterator[str]:
    yield "# Mastodon conformance"
    yield ""
    yield "What becomes of recorded answers of Mastodon servers, and of test files that are none. Made by:"
    yield ""
    yield "```sh"
    yield ".venv/bin/python tests/mastodon_conformance.py FOLDER > docs/reference/mastodon-conformance.md"
    yield "```"
    yield ""
    yield (
        "FOLDER holds `mastodon_cassettes.tar.gz` (halcy/Mastodon.py, `tests/cassettes_entity_tests`, MIT), "
        "`activitystreams2_tests.tar.gz` (w3c/activitystreams, `test`) and `JSONTestSuite.tar.gz` "
        "(nst/JSONTestSuite, `test_parsing`, MIT). Each body is answered by a server on loopback and pulled as the "
        "product pulls it. A test fails when this page no longer agrees with what the code does. Nothing may crash: "
        "a body is read, or it is refused with a reason. That of an item stands in the log, that of an answer also on "
        "the Sources page."
    )
    yield ""


def _objects(folder: Path) -> Iterator[str]:
    counts = read_objects(folder)
    yield "## Objects in the recorded answers"
    yield ""
    yield (
        "Every status, notification, conversation and account, at any depth, through the reader of its kind. A "
        "notification that is about no post (a new follower, a report) is read and brings none."
    )
    yield ""
    yield "| kind | objects | read | of these no post | refused |"
    yield "|---|---|---|---|---|"
    for kind in ("status", "notification", "conversation", "account"):
        told = counts.get(kind, Counter())
        refused = sum(number for word, number in told.items() if word.startswith("refused"))
        total = sum(told.values())
        yield f"| {kind} | {total} | {total - refused} | {told['no post']} | {refused} |"
    yield ""
    refusals = sorted((word, number) for told in counts.values() for word, number in told.items() if ":" in word)
    for word, number in refusals:
        yield f"- {number} x {word}"
    if refusals:
        yield ""


def _answers(folder: Path) -> Iterator[str]:
    yield "## Whole answers, each where it does not belong"
    yield ""
    yield (
        "Every recorded answer is given, with its status, to the first read of notifications, of conversations and of "
        "posts. So a list is read where it belongs, and is hostile everywhere else. A status needs no more than an id, "
        "an author and a time (related servers leave out the rest), so notifications, which have these, pass for posts "
        "without words; an answer of one endpoint at another comes from no server that we know."
    )
    yield ""
    yield "| recorded from | status | answers | as notifications | as conversations | as posts |"
    yield "|---|---|---|---|---|---|"
    for (method, path, status), answers in pull_answers(folder).items():
        cells = " | ".join(_cell([each[place] for each in answers]) for place in range(len(STREAMS)))
        yield f"| {method} {path} | {status} | {len(answers)} | {cells} |"
    yield ""


def _cell(outcomes: list[Outcome]) -> str:
    posts, rejected = sum(one.posts for one in outcomes), sum(len(one.rejected) for one in outcomes)
    said = []
    if posts:
        said.append(f"{posts} post{'s' if posts > 1 else ''}")
    if rejected:
        said.append(f"{rejected} item{'s' if rejected > 1 else ''} refused")
    reasons = {_shortened(one.refused) for one in outcomes if one.refused}
    said += [f"refused: {reason}" for reason in sorted(reasons)]
    return "; ".join(said) or "nothing in it"


def _shortened(reason: str) -> str:
    reason = reason.removeprefix("HOST gave no readable page: ").replace("|", "/")
    return reason if len(reason) < 90 else reason[:87] + "..."


def _activities(folder: Path) -> Iterator[str]:
    files = pull_activities(folder)
    counts = Counter(verdict(outcomes) for outcomes in files.values())
    yield f"## ActivityStreams 2.0: {len(files)} files"
    yield ""
    yield (
        "Mastodon speaks ActivityPub to other servers and its own API to us, so an activity in an answer is a mistake "
        "or an attack. None may become a post, those of `fail` like the others."
    )
    yield ""
    yield from _counted(counts)


def _json(folder: Path) -> Iterator[str]:
    places = pull_json(folder)
    yield f"## JSONTestSuite: {len(next(iter(places.values())))} files"
    yield ""
    yield (
        "A reader of JSON must take the files `y_`, must not take `n_`, and may do as it likes with `i_`. None of them "
        "is a page of posts, so as a whole answer all are refused or empty. Put into a status, those that are JSON "
        "must not cost the post, and those that are none must not be believed."
    )
    yield ""
    yield "| put where | files | number | " + " | ".join(_VERDICTS) + " |"
    yield "|---|---|---|" + "---|" * len(_VERDICTS)
    for place, files in places.items():
        for prefix in ("y_", "n_", "i_"):
            counts = Counter(verdict([one]) for name, one in files.items() if name.startswith(prefix))
            cells = " | ".join(str(counts[each]) for each in _VERDICTS)
            yield f"| {place} | `{prefix}` | {sum(counts.values())} | {cells} |"
    yield ""
    yield (
        "`n_` files that are taken: some related servers write NaN and Infinity, and one such number shall not cost "
        "the posts of a page. It is read as null:"
    )
    yield ""
    for place, files in places.items():
        for name, one in files.items():
            if name.startswith("n_") and verdict([one]) not in {"refused", "items refused"}:
                yield f"- {name}, {place}: {verdict([one])}"
    yield ""


_VERDICTS = ("refused", "items refused", "an empty list", "a post")


def _counted(counts: Counter[str]) -> Iterator[str]:
    yield "| " + " | ".join(_VERDICTS) + " |"
    yield "|---|---|---|---|"
    yield "| " + " | ".join(str(counts[each]) for each in _VERDICTS) + " |"
    yield ""


if __name__ == "__main__":
    print(page(Path(sys.argv[1])), end="")
