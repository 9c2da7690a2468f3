"""The table of roles and rights, written a second time: a right that is given away by mistake shows here."""

import pytest

from rapport.core.roles import RIGHTS, ROLES, Right, is_outside, may

#: right -> the roles that hold it beside owner and admin, who hold every one
HOLDERS: dict[Right, set[str]] = {
    "read": {"lead", "agent", "restricted", "advocate", "viewer"},
    "note": {"lead", "agent", "restricted", "advocate"},
    "triage": {"lead", "agent", "restricted"},
    "people": {"lead", "agent"},
    "draft": {"lead", "agent", "restricted", "advocate"},
    "send": {"lead", "agent", "advocate"},
    "release": {"lead", "agent"},
    "configure": {"lead"},
    "publish": {"lead"},
    "channels": set(),
    "team": set(),
    "hold": {"lead", "agent"},
    "audit": {"lead"},
    "import": set(),
    "campaign": {"lead"},
    "policy": {"lead"},
    "allow": {"lead"},
    "export": set(),
    "erase": set(),
}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_holds_its_rights_and_no_other(role: str) -> None:
    everything = set(RIGHTS) if role in {"owner", "admin"} else set()
    assert {right for right in RIGHTS if may(role, right)} == everything | {
        right for right, roles in HOLDERS.items() if role in roles
    }


def test_every_right_stands_in_the_table() -> None:
    assert set(HOLDERS) == set(RIGHTS)


def test_nobody_of_another_firm_sends_decides_or_takes_anything_out() -> None:
    beyond: set[Right] = {"send", "people", "campaign", "policy", "allow", "export", "erase", "audit", "hold"}
    assert not {(role, right) for role in ROLES for right in beyond if is_outside(role) and may(role, right)}


@pytest.mark.parametrize("role", ["", "Owner", "root", "lead ", "advocate,admin"])
def test_an_unknown_role_holds_nothing(role: str) -> None:
    assert not {right for right in RIGHTS if may(role, right)}
