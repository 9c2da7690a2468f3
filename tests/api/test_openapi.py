"""The document says what there is, and what is answered is what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.test import Client

from api.conftest import Program, a_post
from rapport.api import shapes
from rapport.api.door import PACE
from rapport.api.posts import MAX_POSTS
from rapport.api.urls import ENDPOINTS

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "http.md"


@pytest.fixture
def document(db: None) -> dict[str, Any]:
    answer = Client().get("/api/v1/openapi.json")
    assert answer.headers["Content-Type"] == "application/json"
    found: dict[str, Any] = answer.json()
    return found


def references(part: Any) -> set[str]:
    if isinstance(part, dict):
        own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
        return own.union(*map(references, part.values()))
    return set().union(*map(references, part)) if isinstance(part, list) else set()


def test_every_reference_leads_somewhere_and_every_schema_is_used(document: dict[str, Any]) -> None:
    there = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert references(document) == there


def test_every_endpoint_is_described_with_its_refusals(document: dict[str, Any]) -> None:
    described = {
        operation["operationId"]: operation for path in document["paths"].values() for operation in path.values()
    }
    assert set(described) == {endpoint.name for endpoint in ENDPOINTS}
    for endpoint in ENDPOINTS:
        answers = set(described[endpoint.name]["responses"])
        assert {"200", "400", "405"} <= answers
        assert ("401" in answers) is (endpoint.right is not None)
    assert described["openapi"]["security"] == []
    assert "{pk}" in "".join(document["paths"])


def test_the_fields_are_explained(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["ConversationLine"]["properties"]["why"]["description"]
    assert schemas["Post"]["properties"]["text"]["maxLength"] == 100_000
    assert schemas["DraftBody"]["additionalProperties"] is False


def test_what_is_answered_fits_the_structs_of_the_document(sync: Program, conversation: Any) -> None:
    sync.post(f"conversations/{conversation.pk}/draft", {"text": "Dear Nadia"})
    kinds = {"conversations": shapes.ConversationList, f"conversations/{conversation.pk}": shapes.ConversationWhole}
    for path, kind in kinds.items():
        msgspec.json.decode(sync.get(path).content, type=kind, strict=True)


def test_a_head_asks_like_a_get(sync: Program) -> None:
    assert sync.client.head("/api/v1/conversations", headers=sync.headers({})).status_code == 200
    assert sync.hand_in(a_post()).status_code == 200


def test_the_reference_page_names_every_endpoint_parameter_and_status() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for endpoint in ENDPOINTS:
        address = "/api/v1/" + re.sub(r"<int:pk>", "{id}", endpoint.path)
        assert f"## {endpoint.method} {address}\n" in text
        section = text.split(f"## {endpoint.method} {address}\n")[1].split("\n## ")[0]
        for parameter in endpoint.parameters:
            assert parameter.place == "path" or f"`{parameter.name}`" in section, endpoint.name
        if endpoint.right:
            assert f"Right: `{endpoint.right}`" in section
    statuses = {"400", "401", "403", "404", "405", "409", "413", "415", "429", "503"}
    assert statuses <= set(re.findall(r"^\| (\d{3}) \|", text, re.MULTILINE))
    assert f"{PACE} calls a minute" in text
    assert f"{MAX_POSTS} posts" in text
