"""Google's own descriptions of its APIs, as google-api-python-client brings them: requests and answers held to them.

`Described("youtube.v3").check(call)` says what is wrong with a request; `.misfits(schema, value)` what an answer has
that the description does not know.
"""

from __future__ import annotations

import importlib.resources
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from stand_in import Call


class Described:
    def __init__(self, name: str) -> None:
        pytest.importorskip("googleapiclient", reason="pip install google-api-python-client: it brings the description")
        folder = importlib.resources.files("googleapiclient") / "discovery_cache" / "documents"
        self.document = json.loads((folder / f"{name}.json").read_text("utf-8"))
        self.methods = list(self._methods(self.document))

    def _methods(self, holder: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield from holder.get("methods", {}).values()
        for inner in holder.get("resources", {}).values():
            yield from self._methods(inner)

    def method_of(self, call: Call) -> dict[str, Any] | None:
        """The method that a request is one of, by its flat path."""
        path = call.path.lstrip("/")
        for method in self.methods:
            template = method.get("flatPath") or method["path"]
            pattern = "[^/]+".join(re.escape(part) for part in re.split(r"\{\w+\}", template))
            if method["httpMethod"] == call.method and re.fullmatch(pattern, path):
                return dict(method)
        return None

    def check(self, call: Call) -> str | None:
        """None for a request that the description allows, else what is wrong with it."""
        method = self.method_of(call)
        if method is None:
            return "the API has no such method"
        known = {name: each for name, each in method.get("parameters", {}).items() if each["location"] == "query"}
        known |= self.document.get("parameters", {})
        for name, value in call.query.items():
            wrong = self._wrong(known.get(name), value)
            if wrong:
                return f"{name}: {wrong}"
        missing = [name for name, each in known.items() if each.get("required") and name not in call.query]
        if missing:
            return f"missing {missing}"
        if call.method in {"POST", "PUT"}:
            misfits = self.misfits(method["request"]["$ref"], call.json)
            return f"the body has {misfits}" if misfits else None
        return None

    def _wrong(self, parameter: dict[str, Any] | None, value: str) -> str | None:
        if parameter is None:
            return "no such parameter"
        if parameter["type"] == "integer":
            in_range = value.isdecimal() and (
                int(parameter.get("minimum", 0)) <= int(value) <= int(parameter.get("maximum", 2**31))
            )
            return None if in_range else f"{value} is no number in its range"
        if parameter["type"] == "boolean":
            return None if value in {"true", "false"} else f"{value} is no boolean"
        allowed = parameter.get("enum")
        values = value.split(",") if parameter.get("repeated") else [value]
        return f"{value} is not one of {allowed}" if allowed and not set(values) <= set(allowed) else None

    def misfits(self, schema: str, value: Any, path: str = "") -> list[str]:
        """Where a JSON value does not fit a schema of the description."""
        return self._misfits({"$ref": schema}, value, path or schema)

    def _misfits(self, schema: dict[str, Any], value: Any, path: str) -> list[str]:
        if "$ref" in schema:
            schema = self.document["schemas"][schema["$ref"]]
        kind = schema.get("type")
        if kind == "object" and isinstance(value, dict):
            known, more = schema.get("properties", {}), schema.get("additionalProperties")
            found = []
            for name, inner in value.items():
                if name in known or more:
                    found += self._misfits(known.get(name) or more, inner, f"{path}.{name}")
                else:
                    found.append(f"{path}.{name} is unknown")
            return found
        if kind == "array" and isinstance(value, list):
            return [each for item in value for each in self._misfits(schema["items"], item, f"{path}[]")]
        fits = {"string": str, "integer": int, "boolean": bool, "number": (int, float), "any": object}.get(str(kind))
        if fits is None or not isinstance(value, fits):
            return [f"{path} is no {kind}"]
        if "enum" in schema and value not in schema["enum"]:
            return [f"{path} is not one of {schema['enum']}"]
        return []
