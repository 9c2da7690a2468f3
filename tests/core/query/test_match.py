"""The matcher against the plain meaning of the language, and that against a second, independent reading of it."""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.core.errors import InvalidQuery
from rapport.core.post import Author, Media, Post
from rapport.core.query import compile_topics, evaluate, parse

DATA = Path(__file__).parents[3].parent / "shared" / "data"
NOW = dt.datetime(2026, 11, 21, 10, tzinfo=dt.UTC)


def post(text: str, **more: object) -> Post:
    return Post(network="x", id="1", text=text, created_at=NOW, author=Author(handle="ann"), **more)  # type: ignore[arg-type]


# ---------------------------------------------------------------- a matcher equals the plain evaluation

VOCABULARY = [
    "delay",
    "Délay",
    "cancelled",
    "won’t",
    "bag",
    "йод",
    "ΣΟΦΟΣ",
    "航班延误",
    "航",
    "延误",
    "รถไฟ",
    "हिन्दी",
    "10",
    "ﬁne",
]
words_of_texts = st.sampled_from(VOCABULARY) | st.sampled_from(VOCABULARY).map(lambda word: "#" + word)
words_of_texts |= st.sampled_from(VOCABULARY).map(lambda word: "@" + word) | st.sampled_from(
    ["?", "https://a.example/b", "😡"]
)
texts = st.lists(st.tuples(words_of_texts, st.sampled_from([" ", ", ", "", "\n", "…"])), max_size=10).map(
    lambda pairs: "".join(word + gap for word, gap in pairs)
)
posts = st.builds(
    post,
    texts,
    hashtags=st.lists(st.sampled_from(VOCABULARY), max_size=2).map(tuple),
    mentions=st.lists(st.sampled_from(["delay", "bag@a.example", "航班"]), max_size=2).map(tuple),
    lang=st.sampled_from([None, "en", "zh-CN"]),
    media=st.sampled_from([(), (Media(),)]),
)
simple = st.sampled_from(
    [
        *VOCABULARY,
        "del*",
        "can?elled",
        "*lay",
        "#del*",
        "@bag",
        "@bag@a.example",
        "#航班延误",
        '"delay bag"',
        '"航班 delay"',
        '"del* bag"',
    ]
)
others = st.sampled_from(
    ['raw:"Dé"', "has:media", "has:question", "has:hashtag", "has:mention", "lang:zh", "link:a.example", "author:ann"]
)
nears = st.builds(
    lambda a, b, n, o: f"({a} {o}NEAR/{n} {b})", simple, simple, st.integers(1, 4), st.sampled_from(["", "O"])
)
queries = st.recursive(
    simple | others | nears,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: "(" + " ".join(parts) + ")"),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: "(" + " OR ".join(parts) + ")"),
        inner.map(lambda part: f"NOT ({part})"),
    ),
    max_leaves=6,
)


def readable(query: str) -> bool:
    try:
        parse(query)
    except InvalidQuery:
        return False
    return True


@settings(max_examples=300, deadline=None)
@given(st.lists(queries.filter(readable), min_size=1, max_size=12), st.lists(posts, min_size=1, max_size=4), st.data())
def test_the_matcher_finds_exactly_what_each_query_finds_alone(
    topics: list[str], seen: list[Post], data: st.DataObject
) -> None:
    named = [(f"t{number}", text) for number, text in enumerate(topics)]
    matcher = compile_topics(named)
    for removed in data.draw(st.lists(st.sampled_from(named), max_size=2, unique=True)):
        matcher.remove(removed[0])
        named.remove(removed)
    expected = [tuple(name for name, text in named if evaluate(parse(text), one)) for one in seen]
    assert matcher.match(seen) == expected


# ---------------------------------------------------------------- the plain evaluation against a second reading

Truth = Callable[[list[str]], bool]
FORMS = {
    "delay": ("delay", "#Delay", "DELAY"),
    "йод": ("йод", "#Йод"),
    "cafe": ("Café", "cafe", "#café"),
    "bag": ("bag", "#bag"),
}
FORM_OF = {form: word for word, forms in FORMS.items() for form in forms}
NOISE = ["@delay", "delays", "иод", "-", "@bag"]


def is_word(word: str) -> Truth:
    return lambda seen: any(FORM_OF.get(form) == word for form in seen)


def is_phrase(first: str, second: str) -> Truth:
    return lambda seen: any(FORM_OF.get(a) == first and FORM_OF.get(b) == second for a, b in pairwise(seen))


def is_near(first: str, second: str, distance: int, ordered: bool) -> Truth:
    return lambda seen: any(
        FORM_OF.get(a) == first
        and FORM_OF.get(b) == second
        and (0 < j - i <= distance or (not ordered and 0 < i - j <= distance))
        for i, a in enumerate(seen)
        for j, b in enumerate(seen)
    )


terms = st.sampled_from(sorted(FORMS))
leaves = st.one_of(
    terms.map(lambda word: (word.upper(), is_word(word))),
    st.builds(lambda a, b: (f'"{a} {b}"', is_phrase(a, b)), terms, terms),
    st.builds(
        lambda a, b, n, o: (f"({a} {'O' * o}NEAR/{n} {b})", is_near(a, b, n, o)),
        terms,
        terms,
        st.integers(1, 5),
        st.booleans(),
    ),
)
both = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda a, b: (f"{a[0]} AND {b[0]}", lambda seen: a[1](seen) and b[1](seen)), leaves, leaves),
        st.builds(lambda a, b: (f"({a[0]}) ({b[0]})", lambda seen: a[1](seen) and b[1](seen)), inner, inner),
        st.builds(lambda a, b: (f"{a[0]} OR {b[0]}", lambda seen: a[1](seen) or b[1](seen)), inner, inner),
        st.builds(lambda a, b: (f"({a[0]}) NOT ({b[0]})", lambda seen: a[1](seen) and not b[1](seen)), inner, inner),
    ),
    max_leaves=6,
)


@settings(max_examples=400, deadline=None)
@given(both, st.lists(st.sampled_from([*FORM_OF, *NOISE]), max_size=9))
def test_a_query_means_what_its_words_say(query: tuple[str, Truth], seen: list[str]) -> None:
    text, truth = query
    shown = [form for form in seen if form != "-"]  # a dash between words is no word
    assert evaluate(parse(text), post(" ".join(seen))) is truth(shown)


# ---------------------------------------------------------------- changing a matcher

POST = post("a long delay, and my bag was cancelled")


def test_ids_come_in_the_order_of_definition() -> None:
    assert compile_topics([("z", "bag"), ("a", "delay"), ("m", "bag")]).match([POST]) == [("z", "a", "m")]


def test_a_query_that_is_defined_again_keeps_its_place_and_changes_its_meaning() -> None:
    matcher = compile_topics([("z", "refund"), ("a", "delay")])
    matcher.add("z", "bag")
    assert matcher.match([POST, post("refund")]) == [("z", "a"), ()]
    assert len(matcher) == 2


def test_a_query_that_is_refused_leaves_the_matcher_as_it_was() -> None:
    matcher = compile_topics([("a", "delay")])
    with pytest.raises(InvalidQuery):
        matcher.add("a", "delay OR")
    assert matcher.match([POST]) == [("a",)]


def test_a_removed_query_is_gone_and_an_unknown_one_is_an_error() -> None:
    matcher = compile_topics([("a", "delay OR del*"), ("b", "raw:delay")])
    matcher.remove("a")
    assert matcher.match([POST]) == [("b",)]
    with pytest.raises(KeyError):
        matcher.remove("a")


def test_hashtags_and_mentions_that_only_the_network_lists_are_found() -> None:
    hidden = post("look", hashtags=("Delay", "航班延误"), mentions=("ann@a.example", "ben.b.example"))
    for query in ("#delay", "delay", "del*", "航班延误", "班延", "@ann", "@ann@a.example", "@ben", "@ben.b.example"):
        assert evaluate(parse(query), hidden), query
    for query in ("ann", '"look delay"', "look NEAR/9 delay", "@ann@b.example"):
        assert not evaluate(parse(query), hidden), query


# ---------------------------------------------------------------- real posts

GREP: list[tuple[str, Callable[[str], bool]]] = [
    ("@JetBlue", lambda text: re.search(r"@jetblue(?!\w)", text) is not None),
    ("united", lambda text: re.search(r"(?<![@\w])united(?![\w])(?!'\w)", text) is not None),
    (
        '"customer service"',
        lambda text: re.search(r"(?<![@\w])customer[^\w@]+service(?!\w|'\w)", text) is not None,
    ),
    (
        "(delay* OR cancel*) NOT (thanks OR thank)",
        lambda text: (
            re.search(r"(?<![@\w'])(delay|cancel)", text) is not None
            and re.search(r"(?<![@\w])(thanks|thank)(?!\w|'\w)", text) is None
        ),
    ),
    ("bag lost", lambda text: all(re.search(rf"(?<![@\w]){w}(?!\w|'\w)", text) for w in ("bag", "lost"))),
    ("#fail", lambda text: re.search(r"#fail(?!\w)", text) is not None),
]


@pytest.mark.data
@pytest.mark.parametrize(("query", "expected"), GREP, ids=[query for query, _ in GREP])
def test_typical_queries_find_in_real_tweets_what_a_search_by_expression_finds(
    query: str, expected: Callable[[str], bool]
) -> None:
    sources = [DATA / "02_airline" / "airline_tweets.csv", DATA / "03_twcs" / "threads.csv"]
    if not all(source.exists() for source in sources):
        pytest.skip("the real tweets are not beside the project")
    seen: list[Post] = []
    for source in sources:
        with source.open(encoding="utf-8", newline="") as rows:
            seen += [post(row["text"]) for row in csv.DictReader(rows) if row["text"].isascii()]
    found = {one.text for one, topics in zip(seen, compile_topics([("q", query)]).match(seen), strict=True) if topics}
    wanted = {one.text for one in seen if expected(one.text.lower())}
    assert len(wanted) >= 20
    assert found == wanted
