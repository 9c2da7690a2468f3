"""The description of the interface (OpenAPI 3.1), made from the table of endpoints and the structs they speak in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, get_args, get_origin

import msgspec

from rapport import __version__
from rapport.actions import api as acts
from rapport.api import problems, shapes
from rapport.api.door import PACE, Endpoint, Parameter
from rapport.core.post import Post
from rapport.core.reading import Reading
from rapport.core.schemas import comments_of, render_schema
from rapport.core.thresholds import Thresholds
from rapport.store.queries.ledger import DeliveryLine, LedgerEntry

_REF = "#/components/schemas/{name}"
#: structs of the interface itself; those of the vocabulary bring their bounds from core.schemas
_OWN: tuple[type[msgspec.Struct], ...] = (
    problems.Problem, problems.Fault, acts.Taken, acts.Rejected, shapes.ConversationList, shapes.ConversationWhole,
    shapes.ConversationLine, shapes.Named, shapes.Said, shapes.Remark, shapes.OwnDraft, shapes.Explanation,
    shapes.DraftBody, shapes.CorrectionBody, shapes.CorrectionLine, shapes.CorrectionList, shapes.TopicList,
    shapes.TopicVoice, shapes.ReadingsBody, shapes.ReadingsInForce, shapes.OwnModel, shapes.OwnModelVersion,
    shapes.OwnModelReading, shapes.OwnModelBody, shapes.HoldBody, shapes.HoldNow, shapes.LedgerList,
    LedgerEntry, shapes.DeliveryList, DeliveryLine, Thresholds,
)  # fmt: skip
#: statuses that every call with a token can meet
_USUAL = (400, 401, 403, 405, 429, 503)
_ABOUT = (
    "Posts in, conversations out, drafts for people. No call approves or sends a reply: people do, at the desk. "
    f"A token may call {PACE} times a minute."
)


def render(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """The whole document."""
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        address = "/api/v1/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", endpoint.path)
        paths.setdefault(address, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Rapport", "version": __version__, "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    public = endpoint.right is None
    right = "" if public else f" Needs the right `{endpoint.right}`."
    operation: dict[str, Any] = {
        "operationId": endpoint.name.replace("-", "_"),
        "summary": endpoint.summary,
        "description": f"{endpoint.summary}{right}",
        "responses": {"200": _answer(endpoint), **_refusals((400, 405) if public else (*_USUAL, *endpoint.refusals))},
    }
    if endpoint.parameters:
        operation["parameters"] = [_parameter(parameter) for parameter in endpoint.parameters]
    if endpoint.body is not None:
        schema = _schema_of(endpoint.body)
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if public:
        operation["security"] = []
    return operation


def _answer(endpoint: Endpoint) -> dict[str, Any]:
    schema = _schema_of(endpoint.answer) if endpoint.answer else {"type": "object"}
    return {"description": "Done.", "content": {"application/json": {"schema": schema}}}


def _refusals(statuses: Iterable[int]) -> dict[str, Any]:
    content = {problems.MEDIA: {"schema": _schema_of(problems.Problem)}}
    return {
        str(status): {"description": HTTPStatus(status).phrase, "content": content} for status in sorted(set(statuses))
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.description,
        "required": parameter.required,
        "schema": parameter.schema,
    }


def _schema_of(kind: Any) -> dict[str, Any]:
    if get_origin(kind) is list:
        return {"type": "array", "items": _schema_of(get_args(kind)[0]), "maxItems": 500}
    return {"$ref": _REF.format(name=kind.__name__)}


def _schemas() -> dict[str, Any]:
    _, found = msgspec.json.schema_components(_OWN, ref_template=_REF)
    for struct in _OWN:
        for field, comment in comments_of(struct).items():
            found[struct.__name__]["properties"][field]["description"] = comment
    for struct in (Post, Reading):
        found |= _moved(render_schema(struct)["$defs"])
    return found


def _moved(definitions: dict[str, Any]) -> dict[str, Any]:
    """The definitions with their references where this document keeps them."""
    moved: dict[str, Any] = json.loads(json.dumps(definitions).replace('"#/$defs/', '"#/components/schemas/'))
    return moved
