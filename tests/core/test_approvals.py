"""Rules about who has to approve, over every role."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rapport.core.approvals import Asking, first_asking, may_approve
from rapport.core.roles import ROLES, may

roles = st.sampled_from(ROLES)
rules = st.builds(
    Asking,
    role=st.sampled_from(["", *ROLES]),
    basket=st.sampled_from([None, 1, 2]),
    channel=st.sampled_from([None, 7, 8]),
    condition=st.sampled_from(["", "yes", "no"]),
    approver=st.sampled_from(["lead", "admin"]),
    four_eyes=st.booleans(),
)


def holds(condition: str) -> bool:
    return condition == "yes"


def fits(rule: Asking, role: str, basket: int | None, channel: int) -> bool:
    named = rule.role in {"", role} and rule.basket in {None, basket} and rule.channel in {None, channel}
    return named and rule.condition != "no"


@given(st.lists(rules, max_size=5), roles, st.sampled_from([None, 1, 2]), st.sampled_from([7, 8]))
def test_the_first_rule_that_fits_decides_and_no_other(
    listed: list[Asking], role: str, basket: int | None, channel: int
) -> None:
    found = first_asking(listed, role, basket, channel, holds)
    first = next((rule for rule in listed if fits(rule, role, basket, channel)), None)
    if first is None:
        assert found is None
    else:
        assert found in {None, first}
        # where it asks for nobody, one's own word is enough under it
        assert (found is None) is may_approve(first, role, own_words=True)


@given(rules, roles, st.booleans())
def test_nobody_approves_who_may_not_send_or_weighs_less_than_the_rule_names(
    rule: Asking, role: str, own: bool
) -> None:
    if may_approve(rule, role, own_words=own):
        assert may(role, "send")
        assert role in ({"lead", "admin", "owner"} if rule.approver == "lead" else {"admin", "owner"})
        assert not (own and rule.four_eyes)


@given(roles, st.booleans())
def test_without_a_rule_whoever_may_send_may(role: str, own: bool) -> None:
    assert may_approve(None, role, own_words=own) is may(role, "send")


def test_an_unknown_role_or_approver_lets_nothing_out() -> None:
    assert not may_approve(Asking(), "root", own_words=False)
    assert not may_approve(Asking(approver="nobody"), "owner", own_words=False)
