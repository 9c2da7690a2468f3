"""One rule is changed, and everything else keeps its bytes."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.core.rules import compile_rules, default_document
from rapport.core.rules.edit import (
    add_group,
    compose,
    find_piece,
    insert,
    move,
    pieces,
    put,
    put_group,
    put_in_group,
    remove,
    switch,
    switch_group,
    write,
)

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


COMMENTED = """[[rule]]
name = "A"
when = "true"
then = [  # what follows
    # because of the queue
    "tag:a",  # first
    "tag:b",  # second
    "tag:c"   # third
]
"""


@pytest.mark.parametrize(
    ("then", "written"),
    [
        # the first taken out: its comments go with it
        (["tag:b", "tag:c"], '    "tag:b",  # second\n    "tag:c"   # third\n'),
        (
            ["tag:c", "tag:a"],
            '    "tag:c",   # third\n    # because of the queue\n    "tag:a"  # first\n',
        ),
        # one is changed where it stands, one is new
        (
            ["tag:x", "tag:c", "tag:d"],
            '    # because of the queue\n    "tag:x",  # first\n    "tag:c",   # third\n    "tag:d"\n',
        ),
    ],
)
def test_comments_in_a_list_follow_their_actions(then: list[str], written: str) -> None:
    changed = put(COMMENTED, 0, "then", then)
    assert changed == COMMENTED[: COMMENTED.index("    #")] + written + "]\n"


@st.composite
def lists(draw: Any) -> str:
    """A list of texts as people write them: over lines or not, with comments anywhere."""
    blank = st.sampled_from(["", " ", "\n", "\n    ", "  # 1, 2\n  ", "\n# [x]\n\n  ", " # a\n # b\n"])
    actions = draw(st.lists(st.sampled_from(["a", "b,#", "c'", "d\n"]), min_size=1, max_size=4, unique=True))
    text = "[" + draw(blank)
    for number, action in enumerate(actions):
        comma = "," if number + 1 < len(actions) or draw(st.booleans()) else ""
        text += write(action, draw(st.sampled_from(['"', "'", "'''"]))) + draw(st.sampled_from(["", " "]))
        text += draw(st.one_of(st.just(""), blank)) + comma + draw(blank)
    return text + "]"


@settings(max_examples=200)
@given(lists(), st.lists(st.sampled_from(["a", "b,#", "c'", "d\n", "e"]), max_size=5, unique=True))
def test_a_list_written_in_any_way_says_what_it_should(written: str, then: list[str]) -> None:
    document = f"[[rule]]\nname = 'A'\nthen = {written} # behind\nstop = true\n"
    changed = put(document, 0, "then", then)
    assert tomllib.loads(changed)["rule"] == [{"name": "A", "then": then, "stop": True}]
    assert changed.endswith(" # behind\nstop = true\n")


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


@pytest.mark.parametrize(
    "document", ["a." * 50_000 + "a = 1", '"a".' * 50_000 + "a = 1", "a = " + "[" * 20_000 + "]" * 20_000]
)
def test_a_draft_written_to_hurt_is_refused_as_fast_as_a_document_in_force(document: str) -> None:
    with pytest.raises(ValueError, match="line 1"):
        pieces(document)


@pytest.mark.parametrize("then", ["5", '"tag:a"', "{a = 1}"])
def test_a_draft_may_have_something_else_where_its_actions_should_be(then: str) -> None:
    document = f"[[rule]]\nname = 'A'\nthen = {then}  # why\n"
    (piece,) = pieces(document)
    assert piece.then == ()
    assert put(document, 0, "then", ["tag:b"]) == document.replace(then, '["tag:b"]')
    assert pieces("[[rule]]\nname = 'A'\nthen = ['tag:a', 5]\n")[0].then == ("tag:a", "5")
    assert pieces("group = ['A']\n[[rule]]\n", "group") == pieces("[group]\nname = 'A'\n", "group") == []


GROUPED = """version = 1

# for the night shift
[[group]]
name = "Night"  # a name
note = "What can wait"

# about A
[[rule]]
name = "A"
group = "Night"  # its group
when = 'true'
then = ["tag:a"]

[[rule]]
name = "B"
when = 'true'
then = ["tag:b"]
"""


def test_a_group_is_switched_off_and_on_as_one() -> None:
    off = switch_group(GROUPED, "Night", on=False)
    assert off == GROUPED.replace("# a name\n", "# a name\non = false\n")
    assert [rule.off for rule in compile_rules(off).rules] == ['the group "Night" is switched off', ""]
    assert switch_group(off, "Night", on=True) == GROUPED


def test_a_rule_is_put_into_a_group_and_out_of_it_at_its_place() -> None:
    inside = put_in_group(GROUPED, 1, "Night")
    assert inside == GROUPED.replace('name = "B"\n', 'name = "B"\ngroup = "Night"\n')
    assert put_in_group(inside, 1, "") == GROUPED
    assert put_in_group(GROUPED, 1, "") == GROUPED
    assert [piece.name for piece in pieces(put_in_group(GROUPED, 0, ""))] == ["A", "B"]


def test_a_group_that_is_renamed_keeps_its_rules() -> None:
    renamed = put_group(GROUPED, "Night", "name", "Late")
    assert renamed == GROUPED.replace('"Night"', '"Late"')
    compile_rules(put_group(renamed, "Late", "when", "not business_hours"))


def test_a_group_that_does_not_exist_is_said_so() -> None:
    for change in (
        lambda: switch_group(GROUPED, "Day", on=False),
        lambda: put_in_group(GROUPED, 0, "Day"),
        lambda: put_group(GROUPED, "Day", "note", "x"),
    ):
        with pytest.raises(KeyError, match="Day"):
            change()


@settings(max_examples=40)
@given(documents(headings=True), st.lists(NAMES, min_size=1, max_size=3, unique=True), st.data())
def test_groups_come_and_are_filled_without_a_change_of_anything_else(
    document: str, names: list[str], data: Any
) -> None:
    before, order = tomllib.loads(document), texts_of(document)
    for name in names:
        document = add_group(document, {"name": name, "note": "x"})
    assert [piece.name for piece in pieces(document, "group")] == names
    assert texts_of(document) == order
    number = data.draw(st.integers(0, len(order) - 1))
    grouped = put_in_group(document, number, names[-1])
    assert put_in_group(grouped, number, "") == document
    renamed = put_group(grouped, names[-1], "name", "New name")
    rules = tomllib.loads(renamed)["rule"]
    assert rules[number].pop("group") == "New name"
    assert rules == before["rule"]


def test_a_document_without_rules_can_have_a_group() -> None:
    assert tomllib.loads(add_group("", {"name": "A"})) == {"group": [{"name": "A"}]}
    assert tomllib.loads(add_group("version = 2", {"name": "A"}))["group"] == [{"name": "A"}]
