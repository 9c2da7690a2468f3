"""The examples of docs/reference/query-language.md, run."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path

import pytest

from rapport.core.errors import InvalidQuery
from rapport.core.post import Post, decode_post
from rapport.core.query import compile_topics, evaluate, parse
from rapport.core.query.fields import FIELDS, PRESENCE
from rapport.core.query.lexer import MAX_DEPTH, MAX_LENGTH, MAX_TERMS
from rapport.core.query.parse import MAX_DISTANCE

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "query-language.md"
NOW = dt.datetime(2026, 11, 21, 10, tzinfo=dt.UTC)
ROW = re.compile(r"^\| `(?P<query>.+?)` \| (?P<middle>.+) \| (?P<last>[^|]+) \|$", re.MULTILINE)


def rows(*endings: str) -> list[tuple[str, str, str]]:
    found = [(row["query"], row["middle"], row["last"].strip()) for row in ROW.finditer(PAGE.read_text("utf-8"))]
    return [row for row in found if (row[2] in endings if endings else row[1].isdigit())]


def post_of(example: str) -> Post:
    shown = json.loads(example.strip("`")) if example.startswith("`{") else {"text": example}
    base = {"network": "x", "id": "1", "text": "", "created_at": "2026-11-21T10:00:00Z", "author": {"handle": "ann"}}
    return decode_post(json.dumps(base | shown), NOW)


@pytest.mark.parametrize(("query", "example", "answer"), rows("yes", "no"))
def test_an_example_of_the_reference_answers_as_written(query: str, example: str, answer: str) -> None:
    post = post_of(example)
    assert evaluate(parse(query), post) is (answer == "yes")
    assert compile_topics([("topic", query)]).match([post]) == [("topic",) if answer == "yes" else ()]


@pytest.mark.parametrize(("query", "character", "because"), rows())
def test_a_refusal_of_the_reference_names_its_place_and_reason(query: str, character: str, because: str) -> None:
    with pytest.raises(InvalidQuery, match=re.escape(because)) as refusal:
        parse(query)
    assert refusal.value.position + 1 == int(character)
    assert refusal.value.expected


def test_the_reference_holds_examples_of_both_answers_and_of_refusals() -> None:
    assert len(rows("yes")) > 40
    assert len(rows("no")) > 30
    assert len(rows()) > 15


def test_every_field_and_presence_and_bound_stands_in_the_reference() -> None:
    page = PAGE.read_text("utf-8")
    wanted = [f"`{field}:" for field in FIELDS] + [f"`has:{what}`" for what in PRESENCE]
    wanted += [f"{bound:,}" for bound in (MAX_LENGTH, MAX_TERMS, MAX_DISTANCE)] + [f"{MAX_DEPTH} groups"]
    assert [item for item in wanted if item not in page] == []
