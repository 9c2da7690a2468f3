"""The whole cast of the desk: one person for each role, an outsider, and somebody who left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import pytest
from django.test import Client

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Cast:
    """Memberships. Lea's desk is Fernway; below her, people see the baskets that were opened to them."""

    alice: Any  # owner
    ben: Any  # admin
    lea: Any  # lead
    amir: Any  # agent, in Care
    rita: Any  # restricted agent, in Care
    ada: Any  # advocate, in Care
    vera: Any  # viewer
    fred: Any  # an agent who left
    charlie: Any  # owner of the workspace "other"

    @property
    def workspace(self) -> Any:
        return self.alice.workspace

    @property
    def colleagues(self) -> dict[str, Any]:
        """Everybody who works at Fernway now, by name."""
        return {
            field.name: getattr(self, field.name) for field in fields(self) if field.name not in {"fred", "charlie"}
        }


@pytest.fixture
def cast(alice: Any, charlie: Any, now: Any) -> Cast:
    """Everybody, with passwords, so that they can sign in."""
    from rapport.actions.accounts import change_member, invite
    from rapport.store.models import Basket

    care = [Basket.objects.of(alice.workspace).get(slug="care")]

    def hire(name: str, role: str) -> Any:
        member, _token = invite(alice, f"{name}@fernway.example", name.title(), role, care, now=now)
        member.user.set_password(PASSWORD)
        member.user.save()
        return member

    roles = {
        "ben": "admin", "lea": "lead", "amir": "agent", "rita": "restricted", "ada": "advocate", "vera": "viewer",
        "fred": "agent",
    }  # fmt: skip
    people = {name: hire(name, role) for name, role in roles.items()}
    change_member(alice, people["fred"], role="agent", active=False, baskets=care, now=now)
    return Cast(alice=alice, charlie=charlie, **people)


@pytest.fixture
def enter() -> Callable[[Any], Client]:
    """A browser in which this member is signed in."""

    def sign_in(member: Any) -> Client:
        client = Client()
        client.force_login(member.user)
        return client

    return sign_in


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    """Counts that a process keeps between requests begin anew: ids come again in each test."""
    from rapport.web.inbox import freshness

    freshness.forget()
