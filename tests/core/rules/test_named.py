"""Which rules name an account."""

from __future__ import annotations

import pytest

from rapport.core.rules.edit import compose
from rapport.core.rules.named import expression_names, rules_that_name
from rapport.core.traces import Traces

HANDLE = Traces(["care", "joe.bsky.social"], (), parts=False)


def naming(when: str = "true", *then: str, name: str = "R") -> bool:
    document = compose({"name": name, "when": when, "then": then or ["basket:care"]})
    return bool(rules_that_name(document, HANDLE))


@pytest.mark.parametrize(
    "when",
    [
        'author.handle == "@Joe.bsky.social"', 'author.handle in ["ann", "joe.bsky.social"]',
        'contains(text, "ask joe.bsky.social")', r'text matches "\\bjoe\\.bsky\\.social\\b"',
        'not (complaint > 0.5 and author.handle != "joe.bsky.social")',
    ],
)  # fmt: skip
def test_a_condition_that_names_an_account_is_found(when: str) -> None:
    assert naming(when.replace("\\\\", "\\"))


def test_words_for_people_count_and_names_of_baskets_do_not() -> None:
    assert naming("true", "note:It is joe.bsky.social again")
    assert naming("true", "task:2 days:Ring joe.bsky.social")
    assert naming(name="Joe.bsky.social")
    assert not naming('topics has "joe"', "basket:care", "tag:joe")
    assert not naming("care > 1")  # a field that is none, not a text


def test_a_comment_belongs_to_its_rule_and_places_count_from_nought() -> None:
    one, two = (compose({"name": name, "when": "true", "then": ["tag:a"]}) for name in "ab")
    document = f"{one}\n# for joe.bsky.social\n{two}\n[[group]]\nname = 'G'\nnote = 'joe.bsky.social'\n"
    assert rules_that_name(document, HANDLE) == [1]
    assert rules_that_name(document, HANDLE, "group") == [0]


def test_a_condition_that_cannot_be_read_is_looked_at_as_it_stands() -> None:
    assert expression_names("author.handle = joe.bsky.social", HANDLE)
    assert not expression_names("author.handle = jo", HANDLE)
    with pytest.raises(ValueError, match="TOML"):
        rules_that_name("[[rule", HANDLE)
