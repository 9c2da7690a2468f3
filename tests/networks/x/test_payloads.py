"""Recorded answers of X (twarc-csv, tweepy): every object is read, or refused with a reason.

The counts stand in docs/reference/x-conformance.md, which `pytest tests/networks/x/test_payloads.py -s` prints.
"""

from __future__ import annotations

import datetime as dt
import gzip
import json
import re
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from rapport.core.errors import InvalidPost
from rapport.core.post import admit
from rapport.networks.x.answer import read_answer
from rapport.networks.x.compliance import Verdict, read_job_line
from rapport.networks.x.parse import parse_message, parse_tweet

PAYLOADS = Path(__file__).parents[4] / "shared" / "data" / "09_payloads"
NOW = dt.datetime.now(dt.UTC)
pytestmark = pytest.mark.data


def members(name: str) -> Iterator[tuple[str, bytes]]:
    archive = PAYLOADS / name
    if not archive.exists():
        pytest.skip(f"{name} is not beside the project (shared/data/09_payloads)")
    with tarfile.open(archive) as packed:
        for member in packed:
            file = packed.extractfile(member) if member.isfile() else None
            if file is not None:
                yield Path(member.name).name, file.read()


def tally(body: bytes, *, messages: bool = False) -> Counter[str]:
    """What came of every item of an answer."""
    counts: Counter[str] = Counter()
    answer = read_answer(body)
    for item in answer.items:
        try:
            post = parse_message(item, answer) if messages else parse_tweet(item, answer)
            if post is not None:
                admit(post, NOW)
            counts["read"] += 1
        except InvalidPost as error:
            counts[f"refused: {error}"] += 1
    return counts


def test_every_answer_of_twarc_is_read_or_refused_with_a_reason() -> None:
    posts: Counter[str] = Counter()
    others: Counter[str] = Counter()
    verdict = Verdict()
    for name, content in members("x_api_v2_jsonl.tar.gz"):
        for line in filter(None, map(bytes.strip, content.splitlines())):
            if "compliance" in name:
                read_job_line(line, verdict, of_users=name.startswith("users"))
            elif name in {"counts.jsonl", "lists.jsonl", "users.jsonl"}:
                others += tally(line)  # no posts: they must be refused, and for the right reason
            else:
                posts += tally(line)
    print(posts, others, len(verdict.deleted), len(verdict.suspended))
    assert posts == {"read": 213}
    assert others == {"refused: post: Object missing required field `id`": 169, "refused: text: is missing": 102}
    assert (len(verdict.deleted), len(verdict.suspended), verdict.rejected) == (2, 2, [])


def v2_answers() -> Iterator[tuple[str, bytes]]:
    """The answers of API v2 among the recordings of tweepy: their path and body."""
    yaml = pytest.importorskip("yaml", reason="PyYAML reads the recordings: pip install pyyaml")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for name, content in members("tweepy_cassettes.tar.gz"):
        told = json.loads(content) if name.endswith(".json") else yaml.load(content, Loader=loader)  # safe
        for exchange in told.get("interactions") or told.get("http_interactions") or ():
            uri = exchange["request"]["uri"].partition("?")[0]
            body = exchange["response"]["body"]["string"]
            raw = body.encode() if isinstance(body, str) else body
            if "/2/" in uri:
                yield uri.partition("/2/")[2], gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw


LISTS = re.compile(r"users/\d+/(mentions|tweets)|tweets/search/\w+|tweets|tweets/\d+/quote_tweets")


def test_every_answer_of_api_v2_that_tweepy_recorded_is_read_or_refused_with_a_reason() -> None:
    """They were asked for without an author, which we always ask for: with one they are all read."""
    posts: Counter[str] = Counter()
    signed: Counter[str] = Counter()
    messages: Counter[str] = Counter()
    answers = 0
    for path, body in v2_answers():
        answers += 1
        answer = read_answer(body)
        if path.endswith("dm_events"):
            messages += tally(body, messages=True)
        elif LISTS.fullmatch(path) and answer.items:
            posts += tally(body)
            items = [json.loads(item) | {"author_id": "783214"} for item in answer.items]
            signed += tally(json.dumps({"data": items}).encode())
    print(answers, posts, signed, messages)
    assert answers == 131
    assert posts == {"refused: author: is missing": 81}
    # the one that is refused is of 2006, when ids held no time, and came without its date
    assert signed == {"read": 80, "refused: created_at: is missing, and the id holds no time": 1}
    assert messages == {"refused: dm_event: tells no conversation or no sender": 8}
