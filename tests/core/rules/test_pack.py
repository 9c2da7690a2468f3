"""Every pack compiles beside the rules that ship, needs only what it brings, and has nothing wrong with it."""

from __future__ import annotations

import itertools

import pytest

from rapport.core.draft import check_template
from rapport.core.rules import DEFAULT_BASKETS, compile_rules, default_document
from rapport.core.rules.analysis import find_flaws
from rapport.core.rules.edit import pieces
from rapport.core.rules.pack import PACKS, add_pack, has_pack, read_pack

SHIPPED = len(compile_rules(default_document()).rules)
SHIPPED_REPLIES = {"sorry", "thanks", "sales", "answer", "review"}


@pytest.mark.parametrize("slug", PACKS)
def test_a_pack_needs_only_what_it_brings_and_has_nothing_wrong_with_it(slug: str) -> None:
    pack = read_pack(slug)
    baskets = {basket.slug for basket in DEFAULT_BASKETS} | {basket.slug for basket in pack.baskets}
    replies = SHIPPED_REPLIES | {reply.slug for reply in pack.replies}
    rules = compile_rules(add_pack(default_document(), pack), baskets=baskets, replies=replies)
    assert find_flaws(rules) == []
    assert len(rules.rules) == SHIPPED + len(pack.rules)
    named = {action.partition(":")[2] for rule in pack.rules for action in rule["then"] if action.startswith("draft:")}
    assert {reply.slug for reply in pack.replies} <= named
    for reply in pack.replies:
        check_template(reply.text)
        assert "{first_name}" in reply.text


@pytest.mark.parametrize("slug", PACKS)
def test_a_pack_is_added_once_behind_the_noise_and_changes_nothing_else(slug: str) -> None:
    pack = read_pack(slug)
    document = default_document()
    added = add_pack(document, pack)
    assert add_pack(added, pack) == added
    assert has_pack(added, pack)
    assert not has_pack(document, pack)
    names = [piece.name for piece in pieces(added)]
    first = names.index(pack.rules[0]["name"])
    assert names[first + len(pack.rules)] == "Bad review"
    assert "Repost" in names[:first]
    assert added.index("pack: ") < added.index("- reviews\n") < added.index('"Bad review"')
    before, _, rest = added.partition(f"# {'-' * 64} pack: {pack.name}\n")
    assert before + rest.replace(pack.text + "\n\n", "", 1) == document


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(PACKS, 2)))
def test_two_packs_go_together(one: str, other: str) -> None:
    document = add_pack(add_pack(default_document(), read_pack(one)), read_pack(other))
    assert len(compile_rules(document).rules) == SHIPPED + len(read_pack(one).rules) + len(read_pack(other).rules)


def test_a_pack_goes_into_an_empty_document() -> None:
    assert compile_rules(add_pack("", read_pack("shop"))).rules[0].name == "Shop: where is my order"


def test_a_pack_that_is_not_there_is_no_pack() -> None:
    with pytest.raises(KeyError):
        read_pack("../default")
