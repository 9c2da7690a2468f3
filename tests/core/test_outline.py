"""The outline of a query: boxes and text say the same, and the words that an index looks for are really needed."""

from __future__ import annotations

import datetime as dt
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.errors import InvalidQuery
from rapport.core.outline import BeyondForm, NearPair, Need, Parts, compose, parts_of, split_box, words_needed
from rapport.core.post import Author, Post
from rapport.core.query import evaluate, parse

WORDS = st.sampled_from(["delay", "late", "refund", "łódź", "straße", "#fernway", "@fernway", "cancel*", "won't"])
TERMS = WORDS | st.sampled_from(['"on hold"', "has:link", 'raw:"A b"', '"a \\"b\\" c"', "followers:>=10"])
GROUPS = st.lists(TERMS, min_size=2, max_size=3).map(tuple)
NEAR = st.builds(
    NearPair,
    st.lists(WORDS, min_size=1, max_size=2).map(tuple),
    st.lists(WORDS, min_size=1, max_size=2).map(tuple),
    st.integers(1, 1000),
    st.booleans(),
)
PARTS = st.builds(
    Parts,
    every=st.lists(TERMS.filter(lambda term: term[0] != '"'), max_size=3).map(tuple),
    groups=st.lists(GROUPS.filter(lambda group: len({t.partition(":")[0] for t in group}) > 1), max_size=2).map(tuple),
    phrases=st.lists(st.sampled_from(["on hold", 'say "no"', "c:\\x", "where is it?"]), max_size=2).map(tuple),
    none=st.lists(TERMS, max_size=2).map(tuple),
    near=st.none() | NEAR,
    languages=st.lists(st.sampled_from(["en", "de", "pt-br"]), max_size=2).map(tuple),
    networks=st.lists(st.sampled_from(["x", "mastodon"]), max_size=2).map(tuple),
    kinds=st.lists(st.sampled_from(["reply", "review"]), max_size=2).map(tuple),
)


@given(PARTS)
def test_what_boxes_say_as_text_comes_back_into_the_same_boxes(parts: Parts) -> None:
    text = compose(parts)
    try:
        parse(text)
    except InvalidQuery:
        assert msgspec.structs.replace(parts, none=()) == Parts()  # nothing but what a post is not
        return
    assert parts_of(text) == parts


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("delay", Parts(every=("delay",))),
        ("delay AND late", Parts(every=("delay", "late"))),
        ("(delay late) refund", Parts(every=("delay", "late", "refund"))),
        ('fernway OR "fern way" OR #fernway', Parts(groups=(("fernway", '"fern way"', "#fernway"),))),
        ("(a1 OR b1) AND (c1 OR (d1 OR e1))", Parts(groups=(("a1", "b1"), ("c1", "d1", "e1")))),
        ("delay NOT (refund OR lost)", Parts(every=("delay",), none=("refund", "lost"))),
        ("NOT NOT delay", Parts(every=("delay",))),
        ("delay （late OR “on hold”）", Parts(every=("delay",), groups=(("late", "“on hold”"),))),
        ("lang:en delay", Parts(every=("delay",), languages=("en",))),
        ("(lang:en OR lang:de) delay", Parts(every=("delay",), languages=("en", "de"))),
        ("lost ONEAR/2 (bag OR suitcase)", Parts(near=NearPair(("lost",), ("bag", "suitcase"), 2, True))),
    ],
)
def test_a_text_fills_the_boxes(text: str, parts: Parts) -> None:
    assert parts_of(text) == parts


@pytest.mark.parametrize(
    ("text", "without_place"),
    [
        ("(delay late) OR refund", "(delay late) OR refund"),
        ("delay NOT (lost bag)", "(lost bag)"),
        ("delay (late OR (a b)) lang:en", "(late OR (a b))"),
        ("a1 NEAR/2 b1 c1 NEAR/3 d1", "c1 NEAR/3 d1"),
    ],
)
def test_what_boxes_have_no_place_for_is_named(text: str, without_place: str) -> None:
    parse(text)
    with pytest.raises(BeyondForm) as refusal:
        parts_of(text)
    assert text[refusal.value.start : refusal.value.end] == without_place


@pytest.mark.parametrize(
    ("typed", "terms"),
    [
        ("delay, late;lost", ("delay", "late", "lost")),
        ('"on hold" late', ('"on hold"', "late")),
        ('late "on ho', ("late", '"on ho"')),
        ("“on hold”", ("“on hold”",)),
        ("this OR that", ("this", '"OR"', "that")),
        ("(delay)", ('"(delay)"',)),
        ('""', ()),
        ('raw:"A B" x', ('raw:"A B"', "x")),
    ],
)
def test_what_is_typed_into_a_box_becomes_terms(typed: str, terms: tuple[str, ...]) -> None:
    assert split_box(typed) == terms


@given(st.text(alphabet='ab "()“”:*,NOTRE/5\\', max_size=40))
def test_any_typing_splits_into_terms_that_stay_as_they_are(typed: str) -> None:
    terms = split_box(typed)
    assert split_box(" ".join(terms)) == terms


# ---------------------------------------------------------------- words that are needed


def words_of(text: str) -> set[str]:
    """As the index of words cuts a text: letters and digits, in lower case, Latin without the marks of its letters."""
    import unicodedata

    bare = "".join(c for c in unicodedata.normalize("NFD", text.lower()) if not "\u0300" <= c <= "\u0331")
    return set(re.findall(r"[^\W_]+", unicodedata.normalize("NFC", bare)))


def held(need: Need, words: set[str]) -> bool:
    if need.kind == "word":
        return need.word in words
    if need.kind == "beginning":
        return any(word.startswith(need.word) for word in words)
    return (all if need.kind == "and" else any)(held(part, words) for part in need.parts)


SAID = st.lists(
    st.sampled_from(
        ["Delay", "delays", "Łódź", "lodz", "Straße", "strasse", "#Fernway's", "@fernway.example", "cancelled", "won’t",
         "wi-fi", "on hold", "café", "10:30", "Ærø", "航班延误", "не", "йод", "refund", "LATE!"]
    ),
    max_size=6,
).map(" ".join)  # fmt: skip
ASKED = st.recursive(
    st.sampled_from(
        ["delay", "delay*", "lodz", "łódź", "strasse", "straße", "#fernway", "@fernway", "cancel*", "won't", "wi-fi",
         '"on hold"', "cafe", '"10:30"', "aero", "航班", "йод", "c?ncelled", "*fund", "lang:en", 'raw:"De"', "canc?l*"]
    ),
    lambda part: st.one_of(
        st.tuples(part, part).map(lambda pair: f"({pair[0]} {pair[1]})"),
        st.tuples(part, part).map(lambda pair: f"({pair[0]} OR {pair[1]})"),
        st.tuples(part, part).map(lambda pair: f"({pair[0]} NOT {pair[1]})"),
    ),
    max_leaves=5,
)  # fmt: skip


@given(ASKED, SAID)
def test_every_text_that_matches_holds_the_words_that_are_needed(query: str, text: str) -> None:
    post = Post("x", "1", text, dt.datetime(2026, 11, 21, tzinfo=dt.UTC), Author(handle="a"), lang="en")
    need = words_needed(query)
    if need is not None and evaluate(parse(query), post):
        assert held(need, words_of(text))


@pytest.mark.parametrize("query", ["lang:en", 'raw:"x y"', "c?ncel", "*port", "航班", "delay OR lang:en"])
def test_where_no_word_can_be_named_none_is(query: str) -> None:
    assert words_needed(query) is None


def test_what_is_excluded_is_not_needed() -> None:
    assert words_needed("mean NOT beer") == words_needed("mean")
