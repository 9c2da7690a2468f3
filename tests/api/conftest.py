"""A program for each member: what it says goes through the real door."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

#: what a program sends unless told
POST = {
    "network": "forum",
    "id": "1",
    "text": "My parcel is broken",
    "created_at": "2026-11-20T10:00:00Z",
    "author": {"handle": "nadia"},
}
_keys = itertools.count(1)


@dataclass
class Program:
    """A program with a token."""

    token: str = ""
    client: Client = field(default_factory=lambda: Client(raise_request_exception=True))

    def headers(self, more: dict[str, str]) -> dict[str, str]:
        shown = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return {**shown, **more}

    def get(self, path: str, **query: str) -> HttpResponse:
        return self.client.get(f"/api/v1/{path}", query, headers=self.headers({}))

    def post(self, path: str, body: Any, key: str | None = None, kind: str = "application/json") -> HttpResponse:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = self.headers({"Idempotency-Key": key or f"key-{next(_keys)}"})
        return self.client.post(f"/api/v1/{path}", raw, content_type=kind, headers=headers)

    def put(self, path: str, body: Any) -> HttpResponse:
        raw = json.dumps(body).encode()
        return self.client.put(f"/api/v1/{path}", raw, content_type="application/json", headers=self.headers({}))

    def delete(self, path: str) -> HttpResponse:
        return self.client.delete(f"/api/v1/{path}", headers=self.headers({}))

    def hand_in(self, *posts: dict[str, Any], key: str | None = None, channel: str = "shop") -> HttpResponse:
        return self.post(f"posts?channel={channel}", list(posts), key)


def a_post(**changed: Any) -> dict[str, Any]:
    return {**POST, **changed}


@pytest.fixture
def program(now: dt.datetime) -> Callable[[Any], Program]:
    """A program that acts as this member."""
    from rapport.actions.api import create_token

    return lambda member: Program(create_token(member, "Sync", now=now)[1])


@pytest.fixture
def sync(alice: Any, program: Callable[[Any], Program]) -> Program:
    """A program of Alice, the owner."""
    return program(alice)


@pytest.fixture
def conversation(alice: Any, channel: Any, hear: Any, make_post: Any) -> Any:
    """Nadia's complaint in Alice's workspace, read and sorted."""
    from rapport.store.models import Conversation

    hear(make_post("My parcel is broken, @fernway! Still waiting, third time.", mentions=("fernway",)))
    return Conversation.objects.get()
