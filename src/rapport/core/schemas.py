"""JSON Schemas of the vocabulary, made from its structs: `python -m rapport.core.schemas docs/reference/schemas`.

What a schema says goes beyond the types: the bounds of `rapport.core.post`, the ranges of probabilities and scores, and
the comment (`#:`) above each field as its description. JSON Schema draft 2020-12.
"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from typing import Any

import msgspec

from rapport.core import post
from rapport.core.decision import (
    AccountScore,
    AuthorFacts,
    ConversationFacts,
    Crisis,
    Decision,
    Effect,
    Factor,
    Outcome,
    PersonFacts,
    PileOn,
    Route,
    Score,
    Step,
)
from rapport.core.post import Author, Media, Metrics, Post
from rapport.core.reading import Emotion, Intent, Reading, Sentiment, Toward
from rapport.core.reply import Draft, Finding, Picture, Reply, Verdict

#: what is published: each becomes NAME.json with everything that it holds
PUBLISHED: tuple[type[msgspec.Struct], ...] = (Post, Reading, Outcome, Draft, Reply, Verdict)

_PARTS: tuple[type[msgspec.Struct], ...] = (
    Author,
    Media,
    Metrics,
    Sentiment,
    Emotion,
    Intent,
    Toward,
    Score,
    Factor,
    Decision,
    Effect,
    Step,
    Route,
    PersonFacts,
    ConversationFacts,
    AuthorFacts,
    AccountScore,
    PileOn,
    Crisis,
    Finding,
    Picture,
)
_STRUCTS: dict[str, type[msgspec.Struct]] = {struct.__name__: struct for struct in (*PUBLISHED, *_PARTS)}
_FIELD = re.compile(r"((?:^    #: .*\n)+)^    (\w+):", re.MULTILINE)

_COUNT = {"minimum": 0, "maximum": post.MAX_COUNT}
_IDENTITY = {"minLength": 1, "maxLength": post.MAX_ID}
_MOMENT = {"format": "date-time"}
_ADDRESS = {"maxLength": post.MAX_URL, "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://"}
_LIST = {"maxItems": post.MAX_ITEMS}
#: (struct, field) -> what `admit` and the definitions of the readings add to the type
BOUNDS: dict[tuple[str, str], dict[str, Any]] = {
    ("Post", "network"): {"minLength": 1, "maxLength": post.MAX_NETWORK},
    ("Post", "id"): _IDENTITY,
    ("Post", "text"): {"maxLength": post.MAX_TEXT},
    ("Post", "created_at"): _MOMENT,
    ("Post", "edited_at"): _MOMENT,
    ("Post", "url"): _ADDRESS,
    ("Post", "html"): {"maxLength": post.MAX_HTML},
    ("Post", "lang"): {"maxLength": post.MAX_LANG},
    ("Post", "in_reply_to"): _IDENTITY,
    ("Post", "thread"): _IDENTITY,
    ("Post", "mentions"): _LIST,
    ("Post", "hashtags"): _LIST,
    ("Post", "links"): _LIST,
    ("Post", "media"): _LIST,
    ("Post", "rating"): {"minimum": 1, "maximum": 5},
    ("Author", "id"): {"maxLength": post.MAX_ID},
    ("Author", "handle"): {"maxLength": post.MAX_ID},
    ("Author", "name"): {"maxLength": post.MAX_NAME},
    ("Author", "url"): _ADDRESS,
    ("Author", "bio"): {"maxLength": post.MAX_BIO},
    ("Author", "followers"): _COUNT,
    ("Author", "following"): _COUNT,
    ("Author", "posts"): _COUNT,
    ("Author", "created_at"): _MOMENT,
    ("Author", "likes"): _COUNT,
    ("Author", "listed"): _COUNT,
    ("AccountScore", "bot"): {"minimum": 0, "maximum": 1},
    **{("PersonFacts", name): {"minimum": 0, "maximum": 1} for name in ("bot_score", "copied", "linked")},
    **{("Metrics", name): _COUNT for name in Metrics.__struct_fields__},
    ("Sentiment", "label"): {"enum": ["negative", "neutral", "positive"]},
    **{("PersonFacts", name): _MOMENT for name in ("first_seen", "last_seen")},
    **{("ConversationFacts", name): _MOMENT for name in ("opened_at", "waiting_since")},
    **{("Outcome", name): _MOMENT for name in ("decided_at", "edited_at")},
    ("Score", "value"): {"minimum": 0, "maximum": 100},
    ("Crisis", "level"): {"minimum": 0, "maximum": 1},
    ("Verdict", "retry_at"): _MOMENT,
    ("Finding", "passes_at"): _MOMENT,
}


def render_schema(struct: type[msgspec.Struct]) -> dict[str, Any]:
    """The schema of one published struct, as a JSON document."""
    schema = msgspec.json.schema(struct)
    for name, definition in schema["$defs"].items():
        for field, value in comments_of(_STRUCTS[name]).items():
            definition["properties"][field]["description"] = value
        for field, value in definition["properties"].items():
            bounds = BOUNDS.get((name, field), {})
            if name in {"Reading", "Sentiment", "Emotion", "Intent"} and value.get("type") == "number":
                bounds = {"minimum": 0, "maximum": 1}
            _bind(value, bounds)
    if "Author" in schema["$defs"]:
        # an author is known by an id or by a handle; some networks have no ids
        schema["$defs"]["Author"]["anyOf"] = [
            {"required": [key], "properties": {key: {"minLength": 1}}} for key in ("id", "handle")
        ]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": struct.__name__, **schema}


def _bind(value: dict[str, Any], bounds: dict[str, Any]) -> None:
    """Put the bounds where the type stands: in a choice that allows null, beside the other one."""
    choices = [choice for choice in value.get("anyOf", []) if choice.get("type") != "null"]
    (choices[0] if choices else value).update(bounds)


def comments_of(struct: type[msgspec.Struct]) -> dict[str, str]:
    """The comments above the fields of a struct, on one line each."""
    return {
        field: " ".join(line.strip().removeprefix("#: ") for line in comment.strip().splitlines())
        for comment, field in _FIELD.findall(inspect.getsource(struct))
    }


def render_file(struct: type[msgspec.Struct]) -> str:
    """The text of the published file."""
    return msgspec.json.format(msgspec.json.encode(render_schema(struct)), indent=2).decode() + "\n"


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for each in PUBLISHED:
        (folder / f"{each.__name__.lower()}.json").write_text(render_file(each), encoding="utf-8")
