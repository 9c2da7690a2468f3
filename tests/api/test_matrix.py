"""Every route of the interface x every role, the outsider, the one who left, and nobody."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from api.conftest import Program
from rapport.actions.accounts import change_member, invite
from rapport.actions.api import create_token
from rapport.api import conversations, corrections, holds, posts, readings, topics
from rapport.api.urls import ENDPOINTS
from rapport.core.roles import ROLES, may
from rapport.store.models import Approval, Basket, Conversation, Delivery

#: name -> right, method, address ({} stands for a conversation) and body
ROUTES: dict[str, tuple[str, str, str, Any]] = {
    "api:openapi": ("open", "GET", "openapi.json", None),
    "api:posts": ("import", "POST", "posts?channel=x", []),
    "api:conversations": ("read", "GET", "conversations", None),
    "api:conversation": ("read", "GET", "conversations/{}", None),
    "api:draft": ("draft", "POST", "conversations/{}/draft", {"text": "Hello"}),
    "api:hold": ("read", "GET", "hold", None),
    "api:begin_hold": ("hold", "POST", "hold", {"reason": "Recall"}),
    "api:end_hold": ("hold", "DELETE", "hold", None),
    "api:ledger": ("audit", "GET", "ledger?kind=reply", None),
    "api:deliveries": ("read", "GET", "deliveries?state=sent", None),
    "api:topics": ("configure", "GET", "topics?days=7", None),
    "api:corrections": ("configure", "GET", "corrections", None),
    "api:correct": (
        "draft",
        "POST",
        "corrections",
        {"network": "mastodon", "id": "1", "reading": "irony", "value": "true"},
    ),
    "api:thresholds": ("configure", "GET", "thresholds", None),
    "api:save_thresholds": ("configure", "PUT", "thresholds", {"thresholds": {"spam": 0.8}}),
    "api:team_model": ("configure", "GET", "team-model", None),
    "api:train_team_model": ("configure", "POST", "team-model", {}),
    "api:use_team_model": ("configure", "PUT", "team-model", {"version": 0}),
}
CLOSED = sorted(name for name, route in ROUTES.items() if route[0] != "open")


def routes(patterns: list[Any], space: str = "") -> dict[str, str]:
    """Name -> address of every route."""
    found: dict[str, str] = {}
    for pattern in patterns:
        here = space + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = routes(pattern.url_patterns, here)
            found |= {f"{pattern.namespace}:{name}": at for name, at in inner.items()} if pattern.namespace else inner
        elif isinstance(pattern, URLPattern):
            found[pattern.name or f"unnamed {here}"] = here
    return found


def test_every_route_below_api_stands_in_the_table_and_in_the_list_of_endpoints() -> None:
    found = {name for name, at in routes(get_resolver().url_patterns).items() if at.startswith("api")}
    assert found == set(ROUTES)
    assert {f"api:{endpoint.name}": endpoint.right or "open" for endpoint in ENDPOINTS} == {
        name: route[0] for name, route in ROUTES.items()
    }


@pytest.fixture
def members(alice: Any, charlie: Any, now: Any) -> dict[str, Any]:
    """One for each role at Fernway, in Care; Fred has left, Charlie works elsewhere."""
    care = [Basket.objects.of(alice.workspace).get(slug="care")]
    found = {"owner": alice, "charlie": charlie}
    for role in (*ROLES, "fred"):
        if role != "owner":
            email = f"{role}@fernway.example"
            found[role] = invite(alice, email, role, "agent" if role == "fred" else role, care, now=now)[0]
    return found


def ask(program: Program, name: str, conversation: int) -> HttpResponse:
    _, method, address, body = ROUTES[name]
    path = address.format(conversation)
    if method == "DELETE":
        return program.delete(path)
    if method == "PUT":
        return program.put(path, body)
    return program.get(path) if method == "GET" else program.post(path, body)


def a_conversation(channel: Any, basket: str) -> int:
    return Conversation.objects.create(
        workspace=channel.workspace, network="mastodon", channel=channel, state="open",
        basket=Basket.objects.of(channel.workspace).get(slug=basket),
    ).pk  # fmt: skip


@pytest.mark.parametrize("name", CLOSED)
def test_a_route_lets_in_exactly_the_roles_that_hold_its_right(
    name: str, alice: Any, members: dict[str, Any], conversation: Any, now: Any
) -> None:
    conversation.basket = Basket.objects.of(conversation.workspace_id).get(slug="care")
    conversation.save()
    talk = conversation.pk
    seen, expected = {}, {}
    for role in ROLES:
        program = Program(create_token(members[role], "Sync", now=now)[1])
        expected[role] = 200 if may(role, ROUTES[name][0]) else 403  # type: ignore[arg-type]
        seen[role] = ask(program, name, talk).status_code
    fred = Program(create_token(members["fred"], "Sync", now=now)[1])
    change_member(alice, members["fred"], role="agent", active=False, baskets=[], now=now)
    outside = {"fred": fred, "nobody": Program(), "liar": Program("rapport_" + "a" * 43)}
    seen |= {who: ask(program, name, talk).status_code for who, program in outside.items()}
    assert seen == expected | dict.fromkeys(outside, 401)


@pytest.mark.parametrize("name", [name for name in CLOSED if "{}" in ROUTES[name][2]])
def test_what_belongs_to_others_answers_like_what_does_not_exist(
    name: str, members: dict[str, Any], channel: Any, now: Any
) -> None:
    care, sales = a_conversation(channel, "care"), a_conversation(channel, "sales")
    charlie = Program(create_token(members["charlie"], "Sync", now=now)[1])
    agent = Program(create_token(members["agent"], "Sync", now=now)[1])
    for program, hidden in ((charlie, care), (agent, sales)):
        foreign, missing = ask(program, name, hidden), ask(program, name, 10**9)
        assert foreign.status_code == missing.status_code == 404
        assert foreign.content == missing.content
        assert dict(foreign.items()) == dict(missing.items())


def test_the_list_of_another_workspace_is_its_own(members: dict[str, Any], channel: Any, now: Any) -> None:
    a_conversation(channel, "care")
    charlie = Program(create_token(members["charlie"], "Sync", now=now)[1])
    assert charlie.get("conversations").json()["conversations"] == []


def test_the_document_is_for_everybody(db: None) -> None:
    assert Client().get("/api/v1/openapi.json").status_code == 200


def test_no_route_approves_or_sends_whatever_it_is_asked(sync: Program, conversation: Any) -> None:
    wishes = [
        {"text": "Hello", "send": True},
        {"text": "Hello", "approve": True, "approved_by": 1},
        {"text": "Hello", "propose": True},
        {"text": "Hello", "state": "sent", "delivery": {"state": "queued"}},
    ]
    for name, (_, method, address, _) in ROUTES.items():
        for wish in wishes:
            for body in (wish, [wish]):
                if method == "POST":
                    sync.post(address.format(conversation.pk), body)
                elif method == "PUT":
                    sync.put(address.format(conversation.pk), body)
        assert ask(sync, name, conversation.pk).status_code in {200, 409}, name
    assert not Approval.objects.exists()
    assert not Delivery.objects.exists()


def test_no_module_of_the_interface_can_reach_the_approval() -> None:
    for module in (conversations, corrections, holds, posts, readings, topics):
        source = inspect.getsource(module)
        assert "approve(" not in source
        assert "Delivery" not in source
    import rapport.actions.api as actions

    assert not hasattr(actions, "approve")


def test_the_body_of_a_refusal_never_holds_the_token(sync: Program) -> None:
    for path in ("conversations?x=1", "conversations/1", "nowhere"):
        answer = sync.client.get(f"/api/v1/{path}", headers=sync.headers({}))
        assert sync.token not in json.dumps(answer.json())
