"""The index against the plain meaning: random queries, posts in several scripts, queries that change."""

from __future__ import annotations

import csv
import datetime as dt
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rapport.core.errors import InvalidQuery
from rapport.core.post import Author, Media, Post
from rapport.core.query import Matcher, compile_topics, evaluate, parse
from rapport.core.query.frequency import WINDOW, Frequencies
from rapport.core.query.index import Index
from rapport.core.query.needles import Needles
from rapport.core.query.parse import read_by_grammar
from rapport.core.query.plain import read_plain
from rapport.core.query.view import View
from rapport.core.text import words

DATA = Path(__file__).parents[3].parent / "shared" / "data"
NOW = dt.datetime(2026, 11, 21, 10, tzinfo=dt.UTC)
#: every so many posts teach the index; posts are repeated so often in these tests that each of them does
TEACHING = 9

# ---------------------------------------------------------------- random queries and posts

SCRIPTS = [
    "delay",
    "Délay",
    "delays",
    "won’t",
    "bag",
    "10",
    "йод",
    "航班延误",
    "航",
    "延误",
    "รถไฟ",
    "हिन्दी",
    "ﬁne",
    "a",
    "_b",
]
WILD = [
    "del*",
    "*lay",
    "*ela*",
    "d?lay",
    "del*s",
    "*e?ay",
    "?e?ay",
    "d*a*y",
    "a?b?c*",
    "#del*",
    "#*lay",
    "@b?g*",
    "йо?*д",
    "fi*e",
]
PIECES = [*SCRIPTS, *["#" + word for word in SCRIPTS[:9]], *["@" + word for word in SCRIPTS[:6]]]
PIECES += [
    "@bag@a.example",
    "https://shop.a.example/x",
    "?",
    "😡",
    "’",
    "AirAsia",
    "xAirAsiax",
    "say no now",
    "a'b",
    "fin",
]
FIELDS = [
    'raw:"AirAsia"',
    'raw:"say no now"',
    'raw:"é"',
    "raw:a",
    "author:ann",
    "author:ann@b.example",
    "author:7",
    "lang:zh",
    "lang:zh-hant",
    "network:x",
    "network:mastodon",
    "kind:reply",
    "link:a.example",
    "link:shop.a.example/x",
    "has:media",
    "has:link",
    "has:question",
    "has:mention",
    "has:hashtag",
    "followers:>=10",
    "followers:<10",
    "followers:10",
    "followers:>9.5",
    "rating:<=2",
    "verified:true",
    "bot:false",
]

texts = st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from([" ", " ", " ", "", ", ", "\n"])), max_size=9).map(
    lambda pairs: "".join(piece + gap for piece, gap in pairs)
)
authors = st.builds(
    Author,
    id=st.sampled_from(["7", "ANN"]),
    handle=st.sampled_from(["ann", "Ann@b.example", ""]),
    followers=st.sampled_from([None, 0, 9, 10, 11]),
    verified=st.booleans(),
    bot=st.booleans(),
)
posts = st.builds(
    Post,
    network=st.sampled_from(["x", "Mastodon"]),
    id=st.just("1"),
    text=texts | st.text(max_size=20),
    created_at=st.just(NOW),
    author=authors,
    kind=st.sampled_from(["post", "reply"]),
    lang=st.sampled_from([None, "en", "zh-CN", "zh_Hant_TW"]),
    hashtags=st.lists(st.sampled_from([*SCRIPTS, "Del-ay"]), max_size=2).map(tuple),
    mentions=st.lists(st.sampled_from(["delay", "bag@a.example", "航班", "b*g", "x\ndelays"]), max_size=2).map(tuple),
    links=st.sampled_from([(), ("https://shop.a.example/xyz",), ("https://nota.example/",)]),
    media=st.sampled_from([(), (Media(),)]),
    rating=st.sampled_from([None, 1.0, 2.0, 5.0]),
)

words_of_queries = st.sampled_from([*SCRIPTS, "#delay", "#航班延误", "@bag", "@bag@a.example", "wi-fi", "航班delay"])
phrases = st.lists(st.sampled_from([*SCRIPTS, "del*", "#bag"]), min_size=2, max_size=4).map(
    lambda words: f'"{" ".join(words)}"'
)
places = words_of_queries | phrases | st.sampled_from(WILD)
operands = places | st.lists(places, min_size=2, max_size=3).map(lambda parts: "(" + " OR ".join(parts) + ")")
nears = st.builds(
    lambda a, b, n, o: f"{a} {o}NEAR/{n} {b}", operands, operands, st.integers(1, 4), st.sampled_from(["", "O"])
)
leaves = places | words_of_queries | st.sampled_from(FIELDS) | nears.map(lambda near: f"({near})")
queries = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=4).map(lambda parts: "(" + " ".join(parts) + ")"),
        st.lists(inner, min_size=2, max_size=4).map(lambda parts: "(" + " OR ".join(parts) + ")"),
        inner.map(lambda part: f"NOT ({part})"),
    ),
    max_leaves=7,
)


def readable(query: str) -> bool:
    try:
        parse(query)
    except InvalidQuery:
        return False
    return True


def expected(topics: dict[str, str], post: Post) -> tuple[str, ...]:
    return tuple(name for name, text in topics.items() if evaluate(parse(text), post))


@settings(max_examples=250, deadline=None)
@given(st.lists(queries.filter(readable), min_size=1, max_size=12), st.lists(posts, min_size=1, max_size=4))
def test_any_queries_find_what_each_of_them_finds_alone(topics: list[str], seen: list[Post]) -> None:
    named = {str(number): text for number, text in enumerate(topics)}
    wanted = [expected(named, post) for post in seen]
    assert compile_topics(list(named.items())).match(seen) == wanted


changes = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.none() | queries.filter(readable) | words_of_queries), max_size=8
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(changes, posts), min_size=1, max_size=5))
def test_queries_may_be_added_changed_and_removed_between_batches(
    steps: list[tuple[list[tuple[str, str | None]], Post]],
) -> None:
    matcher = Matcher()
    topics: dict[str, str] = {}
    for changed, post in steps:
        for name, text in changed:
            if text is not None:
                matcher.add(name, text)
                topics[name] = text
            elif name in topics:
                matcher.remove(name)
                del topics[name]
        assert matcher.match([post] * TEACHING) == [expected(topics, post)] * TEACHING
        assert len(matcher) == len(topics)
        assert [name in matcher for name in "abcdefgh"] == [name in topics for name in "abcdefgh"]


@settings(max_examples=100, deadline=None)
@given(st.lists(queries.filter(readable), max_size=12), st.lists(posts, max_size=2))
def test_an_index_whose_queries_are_all_removed_is_empty(topics: list[str], seen: list[Post]) -> None:
    index = Index()
    for order, text in enumerate(topics):
        index.add(order, parse(text).root)
    for post in seen:
        view = View(post)
        index.learn(view.known.union(index.find(view)[1]))
        index.refresh()
    for order in range(len(topics)):
        index.remove(order)
    assert not index.by_key
    assert not index.by_pair
    assert not index.wildcards
    assert not index.conditions


def test_many_queries_at_one_word_find_what_each_of_them_finds_alone() -> None:
    chance = random.Random(7)
    others = ["bag", "late", "crew", "seat", "gate", "del*", "@bag", "#late"]
    topics: dict[str, str] = {}
    for number in range(400):
        one, two, three = chance.sample(others, 3)
        forms = [f"delay {one}", f"delay {one} {two}", f"delay NOT {one}", f"delay NOT ({one} OR {two})"]
        forms += [
            f"delay OR {one}",
            f"(delay OR {one}) NOT {two}",
            f'"delay bag" {one}',
            f"delay {one} NOT {two} NOT {three}",
        ]
        topics[str(number)] = chance.choice([*forms, f"delay NEAR/2 {chance.choice(others[:5])}", "delay has:media"])
    seen = [make(" ".join(chance.choices(["delay", "bag", "late", "crew", "seat", "gate"], k=4))) for _ in range(40)]
    matcher = compile_topics(list(topics.items()))
    assert matcher.match(seen) == [expected(topics, post) for post in seen]
    for name in chance.sample(list(topics), 300):
        matcher.remove(name)
        del topics[name]
    assert matcher.match(seen) == [expected(topics, post) for post in seen]


def make(text: str) -> Post:
    return Post(network="x", id="1", text=text, created_at=NOW, author=Author(handle="ann"))


# ---------------------------------------------------------------- learning which words are frequent


def test_a_query_moves_from_a_word_that_turns_out_frequent_to_one_that_is_not() -> None:
    index = Index()
    index.add(0, parse("cancellation bag").root)
    assert list(index.by_key) == ["cancellation"]  # longer, so it was taken for the rarer
    frequent = View(make("my cancellation"))
    for _ in range(100):
        index.learn(frequent.known)
        index.refresh()
    assert list(index.by_key) == ["bag"]


def test_a_phrase_of_frequent_words_hangs_on_two_of_them() -> None:
    index = Index()
    for order, query in enumerate(['"this is my delay"', '"the bag"', '"where is nordavia"']):
        index.add(order, parse(query).root)
    assert set(index.by_pair) == {("my", "delay"), ("the", "bag")}
    assert set(index.by_key) == {"nordavia"}


def test_what_was_learnt_is_forgotten_after_two_windows() -> None:
    frequencies = Frequencies()
    before = frequencies.share("nordavia")
    for _ in range(WINDOW):
        frequencies.learn({"nordavia"})
    assert frequencies.share("nordavia") > 0.9
    for _ in range(2 * WINDOW):
        frequencies.learn({"other"})
    assert frequencies.share("nordavia") < before


# ---------------------------------------------------------------- the parts

letters = st.text(st.sampled_from("aB1_''##@@  .,éß航延’\u0301\u200d😀กิ™＠½ﬁ\ufe0f…Σя\u20e3ª"), max_size=15)


@settings(max_examples=1_000)
@given(letters | st.text(max_size=15))
def test_the_short_path_to_words_finds_what_the_long_one_finds(text: str) -> None:
    short, long = words(text), words(text + " я")  # which cannot be spelt in ASCII
    assert long.words[-1] == "я"
    assert (short.words, short.tags, short.glued) == (long.words[:-1], long.tags, long.glued)


@given(
    st.lists(
        st.text("abcé", min_size=1, max_size=5) | st.text("ab", min_size=60, max_size=70), max_size=80, unique=True
    ),
    st.text("abcé", max_size=200),
    st.data(),
)
def test_many_needles_are_found_wherever_they_are(needles: list[str], text: str, data: st.DataObject) -> None:
    sought = Needles()
    for needle in [*needles, *needles]:
        sought.add(needle)
    text += "".join(needles[:3])
    gone = data.draw(st.sets(st.sampled_from(needles))) if needles else set()
    for needle in gone:
        sought.remove(needle)
        sought.remove(needle)
    assert sorted(sought.found_in(text)) == sorted(
        needle for needle in needles if needle in text and needle not in gone
    )


pieces_of_plain = st.sampled_from(
    [
        "a",
        "bag",
        '"a b"',
        '"a"',
        "wi-fi",
        "AND",
        "OR",
        "NOT",
        "NEAR/3",
        "ONEAR/2",
        "NEAR",
        "near/3",
        "-x",
        "&&",
        "cancel*",
        '"cancel* x"',
        "航班",
        "#tag",
        "@ann@x.y",
        "author:ann",
        "raw:x",
        "has:foo",
        "(",
        ")",
        '"',
        "NEAR/0",
        "NEAR/9999",
        "not",
        "“a b”",
        "won't",
        '"don\'t"',
        'x"y"',
        "a:b",
        'AND"a"',
        'raw:"a b"',
        "?",
        ":(",
        "\\",
        "NEAR/3NEAR/3",
    ]
)


@settings(max_examples=1_000)
@given(st.lists(st.tuples(pieces_of_plain, st.sampled_from([" ", " ", " ", ""])), max_size=7) | st.text(max_size=20))
@example("a NEAR/3 NOT b")
@example("NOT a NEAR/3 b")
@example('"  "')
def test_a_plain_query_is_read_as_the_grammar_reads_it(pieces: list[tuple[str, str]] | str) -> None:
    text = pieces if isinstance(pieces, str) else "".join(piece + gap for piece, gap in pieces)
    plain = read_plain(text) if text.strip() else None
    if plain is not None:
        assert plain == read_by_grammar(text)


@pytest.mark.parametrize(
    "text", ["delay", "a b c", "a AND b OR c NOT d", "(a OR b) NOT (c OR d)", '"customer service" bag*', "a NEAR/3 b c"]
)
def test_everyday_queries_are_plain(text: str) -> None:
    assert read_plain(text) == read_by_grammar(text)


# ---------------------------------------------------------------- real posts


def real_texts(count: int) -> list[str]:
    """Tweets in eight languages, and customers' tweets in yet others."""
    texts: list[str] = []
    for folder in sorted((DATA / "01b_xlmt_multilingual").glob("*")):
        for path in sorted(folder.glob("*text*")):
            texts += path.read_text("utf-8").splitlines()[: count // 10]
    with (DATA / "03_twcs" / "threads.csv").open(encoding="utf-8", newline="") as rows:
        foreign = [
            row["text"] for row in csv.DictReader(rows) if any(character > "\u0370" for character in row["text"])
        ]
    return texts + foreign[: count // 5]


def queries_from(texts: list[str], count: int, chance: random.Random) -> Iterator[str]:
    """Queries of all forms from the very words of the texts, so that they find something."""
    while count:
        words = [word for word in chance.choice(texts).split() if '"' not in word and not set("()“”„（）") & set(word)]
        if len(words) < 4:
            continue
        at = chance.randrange(len(words) - 3)
        a, b, c, d = words[at : at + 4]
        other = chance.choice(chance.choice(texts).split())
        query = chance.choice(
            [
                a,
                f"{a} {c}",
                f"{a} OR {other}",
                f'"{a} {b}"',
                f'"{a} {b} {c}"',
                f"{a} NOT {other}",
                f"{a} NEAR/3 {c}",
                f"{b} ONEAR/2 {a}",
                f"{a[:4]}*",
                f"*{a[-4:]}",
                f"*{a[1:5]}*",
                f'raw:"{a}"',
                f'({a} OR {other}) "{b} {c}"',
                f"({a} OR {b}) NOT ({c} OR {other})",
                f'"{a} {b}" NEAR/4 ({d} OR {other})',
                f"{a} has:link",
                a[:3],
                a[-2:],
            ]
        )
        if readable(query):
            count -= 1
            yield query


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_real_posts_in_many_scripts_get_what_the_plain_evaluation_says(seed: int) -> None:
    if not (DATA / "03_twcs" / "threads.csv").exists():
        pytest.skip("the real tweets are not beside the project")
    chance = random.Random(seed)
    seen = [make(text) for text in real_texts(2_000)]
    chance.shuffle(seen)
    topics = {str(number): query for number, query in enumerate(queries_from([p.text for p in seen], 600, chance))}
    roots = {name: parse(text).root for name, text in topics.items()}
    matcher = compile_topics(list(topics.items()))
    answers = [answer for at in range(0, len(seen), 100) for answer in matcher.match(seen[at : at + 100])]
    assert sum(map(len, answers)) > len(seen)
    for post, answer in zip(seen, answers, strict=True):
        view = View(post)
        assert answer == tuple(name for name, root in roots.items() if root.holds(view)), post.text
