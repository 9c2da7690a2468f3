"""The published JSON Schemas are the vocabulary: they are up to date, and they hold for what the code makes."""

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.decision import AuthorFacts, Decision, Factor, Outcome, PersonFacts, Route, Score, Step
from rapport.core.errors import InvalidPost
from rapport.core.post import Author, Media, Metrics, Post, admit
from rapport.core.reply import Draft, Finding, Reply, Verdict
from rapport.core.schemas import BOUNDS, PUBLISHED, render_file, render_schema
from rapport.core.understand import load_reader

NOON = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reference" / "schemas"
TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


def problems(value: Any, schema: dict[str, Any], root: dict[str, Any], at: str = "$") -> list[str]:
    """What a value breaks, for the keywords that our schemas use; an unknown keyword is an error."""
    known = {
        "$schema",
        "$ref",
        "$defs",
        "title",
        "description",
        "default",
        "type",
        "properties",
        "additionalProperties",
        "required",
        "items",
        "enum",
        "anyOf",
        "minLength",
        "maxLength",
        "pattern",
        "minimum",
        "maximum",
        "maxItems",
        "format",
    }
    assert set(schema) <= known, set(schema) - known
    found = []
    if "$ref" in schema:
        found += problems(value, root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root, at)
    if "anyOf" in schema:
        tries = [problems(value, choice, root, at) for choice in schema["anyOf"]]
        found += [] if [] in tries else min(tries, key=len)
    if "type" in schema:
        allowed = TYPES[schema["type"]]
        if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
            return [*found, f"{at} is no {schema['type']}"]
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{at} is none of {schema['enum']}")
    return found + _bounds(value, schema, at) + _inside(value, schema, root, at)


def _bounds(value: Any, schema: dict[str, Any], at: str) -> list[str]:
    found = []
    if isinstance(value, str):
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", 10**9):
            found.append(f"{at} has {len(value)} characters")
        if not re.search(schema.get("pattern", ""), value):
            found.append(f"{at} does not look like {schema['pattern']}")
        if schema.get("format") == "date-time" and not re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)", value):
            found.append(f"{at} is no date-time")
    if isinstance(value, int | float) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        found.append(f"{at} is {value}")
    if isinstance(value, list) and len(value) > schema.get("maxItems", len(value)):
        found.append(f"{at} has {len(value)} items")
    return found


def _inside(value: Any, schema: dict[str, Any], root: dict[str, Any], at: str) -> list[str]:
    found = []
    if isinstance(value, dict):
        found += [f"{at}.{name} is missing" for name in schema.get("required", ()) if name not in value]
        for name, inner in schema.get("properties", {}).items():
            if name in value:
                found += problems(value[name], inner, root, f"{at}.{name}")
        for name in value.keys() - schema.get("properties", {}).keys():
            found += problems(value[name], schema.get("additionalProperties", {}), root, f"{at}.{name}")
    if isinstance(value, list):
        for place, item in enumerate(value):
            found += problems(item, schema.get("items", {}), root, f"{at}[{place}]")
    return found


def check(struct: msgspec.Struct) -> list[str]:
    schema = render_schema(type(struct))
    return problems(msgspec.json.decode(msgspec.json.encode(struct)), schema, schema)


def check_json(struct: type[msgspec.Struct], value: Any) -> list[str]:
    schema = render_schema(struct)
    return problems(value, schema, schema)


@pytest.mark.parametrize("struct", PUBLISHED, ids=lambda struct: struct.__name__)
def test_the_published_file_is_the_code(struct: type[msgspec.Struct]) -> None:
    file = FOLDER / f"{struct.__name__.lower()}.json"
    assert file.read_text(encoding="utf-8") == render_file(struct), (
        "run: python -m rapport.core.schemas docs/reference/schemas"
    )


def test_nothing_else_is_published() -> None:
    assert {file.name for file in FOLDER.iterdir()} == {f"{struct.__name__.lower()}.json" for struct in PUBLISHED}


def test_every_bound_stands_on_a_field_that_exists() -> None:
    shown = "".join(render_file(struct) for struct in PUBLISHED)
    for name, field in BOUNDS:
        definition = next(schema["$defs"][name] for schema in map(render_schema, PUBLISHED) if name in schema["$defs"])
        assert field in definition["properties"], (name, field)
    assert '"id on the network of the post that is answered. ' in shown


# ---------------------------------------------------------------- what the code makes is valid

SAMPLE = Post(
    network="mastodon",
    id="111",
    text="Third time I ask: where is my parcel? Still waiting!",
    created_at=NOON,
    author=Author(id="7", handle="ann@example.social", name="Ann", url="https://example.social/@ann", followers=12),
    url="https://example.social/@ann/111",
    in_reply_to="110",
    thread="100",
    mentions=("fernway",),
    hashtags=("late",),
    links=("https://example.com/a",),
    media=(Media(url="https://example.social/1.png", alt="a box"),),
    metrics=Metrics(likes=3),
    rating=1.5,
    lang="en",
    edited_at=NOON,
)


def sample_outcome() -> Outcome:
    reading = load_reader().read([SAMPLE])[0]
    decision = Decision(
        basket="care",
        priority="high",
        draft="sorry",
        notify=("duty",),
        tags=("parcel",),
        why="complaint 0.93",
        rule_set=4,
        trace=(Step("Complaint", matched=True, because=("complaint 0.93 >= 0.7",), actions=("basket:care",)),),
    )
    score = Score(61.5, (Factor("mood", 40.0, "negative 0.93"), Factor("urgency", 21.5)))
    facts = PersonFacts(id=3, relationship="customer", first_seen=NOON, last_seen=NOON, posts=(NOON,), conversations=1)
    made = (reading, score, decision, Route("care", 5, "knows them"))
    return Outcome(
        "mastodon", "111", ("parcels",), *made, facts, NOON, AuthorFacts(12, bot=True), NOON, False, ("fernway",)
    )


def test_an_outcome_that_says_little_is_short_and_comes_back_the_same() -> None:
    reading = load_reader().read([SAMPLE])[0]
    outcome = Outcome("mastodon", "111", (), reading, Score(), Decision("care"), Route("care"))
    raw = msgspec.json.encode(outcome)
    assert set(msgspec.json.decode(raw)) == {"network", "id", "topics", "reading", "score", "decision", "route"}
    assert set(msgspec.json.decode(raw)["reading"]) == set(reading.__struct_fields__)
    for kept in (outcome, sample_outcome(), msgspec.structs.replace(outcome, facts=None)):
        assert msgspec.json.decode(msgspec.json.encode(kept), type=Outcome) == kept


@pytest.mark.parametrize(
    "struct",
    [
        SAMPLE,
        Post("mail", "1", "", NOON, Author(handle="ann")),
        sample_outcome(),
        sample_outcome().reading,
        Draft("Hello Ann", template="sorry", based_on="111"),
        Draft("Hello Ann", author="5"),
        Reply("mastodon", 3, "111", "Hello Ann", to=("ann",), approved_by=5),
        Verdict(),
        Verdict("hold", (Finding("pace", "hold", "Too many in an hour.", "It goes out at 13:00."),), NOON),
    ],
    ids=lambda struct: type(struct).__name__,
)
def test_what_the_code_makes_holds_to_the_schema(struct: msgspec.Struct) -> None:
    assert check(struct) == []


@given(
    st.builds(
        Post,
        network=st.text(max_size=40),
        id=st.text(max_size=8),
        text=st.text(),
        lang=st.none() | st.text(max_size=20),
        created_at=st.datetimes(min_value=dt.datetime(1960, 1, 1), timezones=st.timezones()),  # noqa: DTZ001
        author=st.builds(
            Author, id=st.text(max_size=3), handle=st.text(max_size=3), followers=st.none() | st.integers()
        ),
        url=st.none() | st.sampled_from(["javascript:alert(1)", "HTTPS://example.com"]),
        rating=st.none() | st.floats(),
        in_reply_to=st.none() | st.text(max_size=2),
        links=st.lists(st.text(max_size=9), max_size=2).map(tuple),
    )
)
def test_whatever_the_door_lets_in_holds_to_the_schema(post: Post) -> None:
    try:
        taken = admit(post, NOON)
    except InvalidPost:
        return
    assert check(taken) == []


def plain_sample() -> dict[str, Any]:
    value: dict[str, Any] = json.loads(msgspec.json.encode(SAMPLE))
    return value


@pytest.mark.parametrize(
    "change",
    [
        {"id": ""},
        {"id": 111},
        {"network": "x" * 33},
        {"kind": "shout"},
        {"rating": 6},
        {"created_at": "yesterday"},
        {"url": "javascript:alert(1)"},
        {"mentions": ["a"] * 501},
        {"author": {}},
        {"author": {"id": "7", "followers": -1}},
        {"text": "a" * 100_001},
        {"deleted": 1},
        {"media": [{"alt": 3}]},
        {"in_reply_to": ""},
    ],
    ids=str,
)
def test_the_schema_of_a_post_refuses_what_the_door_refuses_or_bounds(change: dict[str, Any]) -> None:
    assert check_json(Post, plain_sample()) == []
    assert check_json(Post, plain_sample() | change) != []


@pytest.mark.parametrize("field", ["network", "id", "text", "created_at", "author"])
def test_the_schema_of_a_post_asks_for_what_is_required(field: str) -> None:
    sample = plain_sample()
    del sample[field]
    assert check_json(Post, sample) == [f"$.{field} is missing"]
