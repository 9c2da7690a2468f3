"""One rule is changed, and everything else keeps its bytes."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.core.rules import compile_rules, default_document
from rapport.core.rules.edit import compose, find_piece, insert, move, pieces, put, remove, switch, write

TEXTS = st.text(
    st.sampled_from(list("abc'\"\\ #[]=,\tü€\x07🙂")),
    max_size=12,
)
NAMES = st.text(st.sampled_from(list("abcde '\"#[")), min_size=1, max_size=8).filter(str.strip)


@st.composite
def rule_texts(draw: Any, name: str) -> str:
    """One rule in one of the ways in which people write them."""
    quote = draw(st.sampled_from(["'", '"']))
    lines = [f"# {each}" for each in draw(st.lists(st.sampled_from(["why", "see [[rule]]", "x = 1"]), max_size=2))]
    lines.append("[[rule]]" + draw(st.sampled_from(["", "  # here", " "])))
    like = draw(st.sampled_from(['"', "'"]))
    lines.append(f"name = {write(name, like)}" + draw(st.sampled_from(["", " # n"])))
    lines.append(f"when = {quote}score > 1{quote}" + draw(st.sampled_from(["", "   # high"])))
    then = draw(st.lists(st.sampled_from(["tag:a", "tag:b", "basket:care"]), min_size=1, max_size=3, unique=True))
    if draw(st.booleans()):
        lines += ["then = [", *(f'    "{each}",  # {each}' for each in then), "]"]
    else:
        lines.append(f"then = {write(then)}")
    lines += draw(st.sampled_from([[], ["stop = true"], ["stop = true  # last"], ["stop=false"]]))
    return "\n".join(lines)


@st.composite
def documents(draw: Any, headings: bool = False) -> str:
    """Some rules, with comments and blank lines between them."""
    names = draw(st.lists(NAMES, min_size=1, max_size=5, unique=True))
    text = draw(st.sampled_from(["", "# top\nversion = 1\n\n", 'fallback = "care"\n']))
    for number, name in enumerate(names):
        if headings and draw(st.booleans()):
            text += "# ---------- part\n"
        text += draw(rule_texts(name))
        if number + 1 < len(names):
            text += draw(st.sampled_from(["\n", "\n\n", "\n\n\n"]))
    return text + draw(st.sampled_from(["", "\n", "\n\n"]))


def texts_of(document: str) -> list[str]:
    return [document[piece.start : piece.end] for piece in pieces(document)]


@settings(max_examples=40)
@given(documents(headings=True), st.data())
def test_a_key_that_is_set_and_set_back_leaves_the_document_as_it_was(document: str, data: Any) -> None:
    found = pieces(document)
    number = data.draw(st.integers(0, len(found) - 1))
    before = dict(found[number].values)
    name, when = data.draw(NAMES), data.draw(st.sampled_from(["score > 2", "author.bot", 'kind == "mail"']))
    changed = put(put(document, number, "name", name), number, "when", when)
    assert tomllib.loads(changed)["rule"][number] == {**before, "name": name, "when": when}
    others = [text for at, text in enumerate(texts_of(changed)) if at != number]
    assert others == [text for at, text in enumerate(texts_of(document)) if at != number]
    back = put(put(changed, number, "when", before["when"]), number, "name", before["name"])
    assert tomllib.loads(back) == tomllib.loads(document)
    if not any(mark in str(value) for value in (name, when, before["name"]) for mark in "'\"\\"):
        assert back == document


@settings(max_examples=40)
@given(documents(headings=True), st.data())
def test_a_rule_that_is_switched_off_and_on_again_leaves_the_document_as_it_was(document: str, data: Any) -> None:
    number = data.draw(st.integers(0, len(pieces(document)) - 1))
    off = switch(document, number, on=False)
    assert tomllib.loads(off)["rule"][number]["enabled"] is False
    assert switch(off, number, on=True) == document


@settings(max_examples=40)
@given(documents(), st.data())
def test_a_rule_that_is_moved_there_and_back_leaves_the_document_as_it_was(document: str, data: Any) -> None:
    last = len(pieces(document)) - 1
    number, to = data.draw(st.integers(0, last)), data.draw(st.integers(0, last))
    order = texts_of(document)
    order.insert(to, order.pop(number))
    moved = move(document, number, to)
    assert texts_of(moved) == order
    assert move(moved, to, number) == document


@settings(max_examples=40)
@given(documents(headings=True), st.data())
def test_a_move_past_headings_loses_nothing(document: str, data: Any) -> None:
    last = len(pieces(document)) - 1
    number, to = data.draw(st.integers(0, last)), data.draw(st.integers(0, last))
    order = texts_of(document)
    order.insert(to, order.pop(number))
    moved = move(document, number, to)
    assert texts_of(moved) == order
    assert sorted(moved.replace("\n", "")) == sorted(document.replace("\n", ""))


@settings(max_examples=40)
@given(documents(), st.data())
def test_a_rule_that_is_taken_out_and_put_back_leaves_the_document_as_it_was(document: str, data: Any) -> None:
    number = data.draw(st.integers(0, len(pieces(document)) - 1))
    without, text = remove(document, number)
    order = texts_of(document)
    assert texts_of(without) == order[:number] + order[number + 1 :]
    back = insert(without, number, text)
    assert texts_of(back) == order
    if len(order) > 1:
        assert back == document


@settings(max_examples=40)
@given(documents(headings=True), st.integers(0, 5), NAMES)
def test_a_rule_that_is_added_and_removed_leaves_the_others_alone(document: str, at: int, name: str) -> None:
    order = texts_of(document)
    at = min(at, len(order))
    text = compose({"name": name, "when": 'kind == "mail"', "then": ["tag:new"], "stop": True})
    added = insert(document, at, text)
    assert texts_of(added) == [*order[:at], text, *order[at:]]
    assert tomllib.loads(added)["rule"][at]["name"] == name
    assert texts_of(remove(added, at)[0]) == order


@given(TEXTS, st.sampled_from(["", '"', "'", "'''", '"""']))
def test_what_is_written_is_read_again(text: str, like: str) -> None:
    assert tomllib.loads(f"v = {write(text, like)}") == {"v": text}


@given(
    documents(),
    st.lists(st.sampled_from(["tag:a", "tag:b", "tag:c", "priority:low"]), min_size=1, unique=True),
    st.data(),
)
def test_a_list_over_several_lines_keeps_what_stays_in_it(document: str, then: list[str], data: Any) -> None:
    number = data.draw(st.integers(0, len(pieces(document)) - 1))
    changed = put(document, number, "then", then)
    assert tomllib.loads(changed)["rule"][number]["then"] == then
    others = [text for at, text in enumerate(texts_of(changed)) if at != number]
    assert others == [text for at, text in enumerate(texts_of(document)) if at != number]


def test_comments_in_a_list_stay_with_the_actions_that_stay() -> None:
    document = '[[rule]]\nname = "A"\nwhen = "true"\nthen = [\n    "tag:a",  # first\n    "tag:b",\n]\n'
    changed = put(document, 0, "then", ["tag:a", "tag:c", "tag:d"])
    assert changed == document.replace('"tag:b",', '"tag:c",\n    "tag:d",')


def test_a_heading_stays_where_it_is_when_the_rule_below_it_moves() -> None:
    document = default_document()
    moved = move(document, 0, 3)
    assert moved.index("# ---------------------------------------------------------------- noise") < moved.index(
        '"Ignored person"'
    )
    assert [piece.name for piece in pieces(moved)][:4] == ["Ignored person", "Spam", "Repost by a bot", "Our own post"]
    assert move(moved, 3, 0) == document
    compile_rules(moved)


def test_comments_right_below_the_last_key_of_a_rule_go_with_it() -> None:
    document = '[[rule]]\nname = "A"\n# stop = true\n\n[[rule]]\nname = "B"\n'
    assert texts_of(move(document, 0, 1)) == ['[[rule]]\nname = "B"', '[[rule]]\nname = "A"\n# stop = true']


def test_comments_above_a_rule_go_with_it() -> None:
    document = '[[rule]]\nname = "A"\n\n# about B\n[[rule]]\nname = "B"\n'
    without, text = remove(document, 1)
    assert text.startswith("# about B\n")
    assert "about" not in without


def test_a_rule_is_found_by_its_name_at_its_line() -> None:
    found = find_piece(default_document(), "Spam")
    assert found is not None
    assert default_document().splitlines()[found.line - 1] == "[[rule]]"
    assert find_piece(default_document(), "No such rule") is None


def test_a_document_that_is_no_toml_has_no_rules_to_edit() -> None:
    with pytest.raises(ValueError, match="line 2"):
        pieces("[[rule]]\nname = ]")
