"""The door of the vocabulary: what may come in, what is bounded, what is refused and why."""

import datetime as dt
import json
import tarfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core import post as vocabulary
from rapport.core.errors import InvalidPost
from rapport.core.post import Author, Media, Metrics, Post, admit, decode_post

NOON = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
PLAIN: dict[str, Any] = {
    "network": "mastodon",
    "id": "111",
    "text": "Where is my parcel?",
    "created_at": "2026-11-21T10:00:00Z",
    "author": {"id": "7", "handle": "ann@example.social", "name": "Ann", "followers": 12},
}


def decoded(**fields: Any) -> Post:
    return decode_post(json.dumps(PLAIN | fields), NOON)


def refusal(line: bytes | str) -> InvalidPost:
    with pytest.raises(InvalidPost) as caught:
        decode_post(line, NOON)
    return caught.value


def refused(**fields: Any) -> InvalidPost:
    return refusal(json.dumps(PLAIN | fields))


# ---------------------------------------------------------------- what is taken in as it is


def test_the_example_of_the_format_comes_in_unchanged() -> None:
    line = """{"network":"mastodon","id":"111","url":"https://example.social/@ann/111","kind":"post",
     "text":"plain text","html":null,"lang":null,"created_at":"2026-11-21T10:00:00Z","edited_at":null,"deleted":false,
     "author":{"id":"7","handle":"ann@example.social","name":"Ann","url":null,"bio":null,"followers":12,"following":3,
     "posts":100,"created_at":null,"verified":false,"bot":false,"ours":false},
     "in_reply_to":null,"thread":null,"mentions":["brand"],"hashtags":["delay"],"links":[],
     "media":[{"kind":"image","url":"https://example.social/1.png","alt":"a parcel"}],
     "metrics":{"likes":0,"reposts":0,"replies":0},"rating":null,"visibility":"public"}"""
    post = decode_post(line, NOON)
    assert post.author.key == "7"
    assert post.media == (Media(url="https://example.social/1.png", alt="a parcel"),)
    assert post.mentions == ("brand",)
    assert post.created_at == dt.datetime(2026, 11, 21, 10, 0, tzinfo=dt.UTC)


def test_the_required_fields_are_enough() -> None:
    post = decoded(author={"handle": "ann"})
    assert (post.kind, post.visibility, post.author.key) == ("post", "public", "ann")


def test_unknown_keys_are_kept_out_and_no_error() -> None:
    assert decoded(colour="red", author={"id": "7", "shoe_size": 38}) == decoded(author={"id": "7"})


def test_a_post_with_nothing_to_bound_is_not_copied() -> None:
    post = decoded(lang="en", links=["https://example.com/a"], metrics={"likes": 3}, hashtags=["delay"])
    assert admit(post, NOON) is post


def test_times_come_out_in_utc() -> None:
    post = decoded(created_at="2026-11-21T12:00:00+02:00", edited_at="2026-11-21T06:30:00-05:00")
    assert post.created_at.isoformat() == "2026-11-21T10:00:00+00:00"
    assert post.edited_at is not None
    assert post.edited_at.isoformat() == "2026-11-21T11:30:00+00:00"


# ---------------------------------------------------------------- what is refused, and why


@pytest.mark.parametrize("field", ["network", "id", "text", "created_at", "author"])
def test_a_missing_field_is_refused_by_name(field: str) -> None:
    error = refusal(json.dumps({key: value for key, value in PLAIN.items() if key != field}))
    assert field in str(error)


@pytest.mark.parametrize("field", ["network", "id"])
@pytest.mark.parametrize("value", ["", " ", "\t\n"])
def test_an_empty_identity_is_refused(field: str, value: str) -> None:
    assert refused(**{field: value}).field == field


@pytest.mark.parametrize("author", [{}, {"id": "", "handle": " "}, {"name": "Ann"}])
def test_an_author_without_id_and_handle_is_refused(author: dict[str, str]) -> None:
    assert refused(author=author).field == "author"


@pytest.mark.parametrize("field", ["network", "id", "in_reply_to", "thread"])
@pytest.mark.parametrize("bad", ["a\x00b", "a\ud800b", "\udfff"])
def test_nul_and_lone_surrogates_in_an_id_are_refused(field: str, bad: str) -> None:
    assert refused(**{field: bad}).field == field


@pytest.mark.parametrize("field", ["id", "handle"])
@pytest.mark.parametrize("bad", ["a\x00b", "a\ud800b", "a" * 501])
def test_a_hostile_author_is_refused(field: str, bad: str) -> None:
    assert refused(author={"id": "7", "handle": "ann"} | {field: bad}).field == f"author.{field}"


@pytest.mark.parametrize(("field", "limit"), [("network", 32), ("id", 500), ("in_reply_to", 500), ("thread", 500)])
def test_an_id_that_no_column_can_hold_is_refused(field: str, limit: int) -> None:
    assert getattr(decoded(**{field: "x" * limit}), field) == "x" * limit
    assert str(limit) in refused(**{field: "x" * (limit + 1)}).reason


def test_a_megabyte_of_text_is_refused_with_the_limit() -> None:
    assert refused(text="a" * 1_000_000).reason == "1,000,000 characters; at most 100,000 are taken in"
    assert len(decoded(text="a" * 100_000).text) == 100_000


@pytest.mark.parametrize("field", ["created_at", "edited_at"])
@pytest.mark.parametrize(
    ("moment", "why"),
    [
        ("2099-01-01T00:00:00Z", "future"),
        ("9999-12-31T23:59:59-14:00", "future"),
        ("2026-11-22T12:00:01Z", "future"),
        ("2026-11-21T10:00:00", "no time zone"),
        ("0001-01-01T00:00:00+14:00", "before 1970"),
        ("0001-01-01T00:00:00Z", "before 1970"),
        ("yesterday", "datetime"),
        ("2026-02-30T10:00:00Z", "datetime"),
        (1_700_000_000, "datetime"),
    ],
)
def test_a_date_that_cannot_be_is_refused(field: str, moment: object, why: str) -> None:
    error = refused(**{field: moment})
    assert error.field == field
    assert why in error.reason


def test_a_clock_that_runs_a_day_ahead_is_forgiven() -> None:
    assert decoded(created_at="2026-11-22T12:00:00Z").created_at == NOON + dt.timedelta(days=1)


@pytest.mark.parametrize("rating", ["0", "0.99", "5.01", "-3", "1e400", "NaN", "Infinity", '"5"'])
def test_a_rating_outside_one_to_five_is_refused(rating: str) -> None:
    assert refusal(json.dumps(PLAIN)[:-1] + f', "rating": {rating}}}').field in {"rating", "json"}


def test_a_rating_that_is_not_a_number_is_refused_from_a_network_too() -> None:
    with pytest.raises(InvalidPost, match="rating"):
        admit(msgspec.structs.replace(decoded(), rating=float("nan")), NOON)


@pytest.mark.parametrize(("field", "value"), [("kind", "shout"), ("visibility", "secret"), ("deleted", "yes")])
def test_a_word_that_the_format_does_not_have_is_refused(field: str, value: str) -> None:
    assert refused(**{field: value}).field == field


@pytest.mark.parametrize(
    "line",
    [
        b"", b"null", b"[]", b"{}", b'"text"', b"{", b"\xff\xfe", b"\xef\xbb\xbf{}", b"\x00", b"NaN",
        json.dumps(PLAIN).encode("utf-16"),
        json.dumps(PLAIN)[:-1].encode() + b', "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        json.dumps(PLAIN)[:-1].encode() + b', "x": ' + b'{"x":' * 100_000,
        json.dumps(PLAIN)[:-1].encode() + b', "text": "\xed\xa0\x80"}',
    ],
    ids=lambda line: line[:12].hex() + str(len(line)),
)  # fmt: skip
def test_what_is_no_post_is_refused_in_words(line: bytes) -> None:
    assert refusal(line).reason


# ---------------------------------------------------------------- what is bounded


def test_ten_thousand_mentions_become_five_hundred() -> None:
    post = decoded(mentions=[f"m{n}" for n in range(10_000)], hashtags=["h"] * 10_000)
    assert post.mentions == tuple(f"m{n}" for n in range(500))
    assert len(post.hashtags) == 500


@pytest.mark.parametrize("field", ["mentions", "hashtags"])
def test_one_very_long_item_is_cut_even_when_it_is_alone(field: str) -> None:
    assert getattr(decoded(**{field: ["x" * 1_000_000]}), field) == ("x" * 500,)


def test_names_biographies_and_markup_are_cut() -> None:
    post = decoded(author={"id": "7", "name": "n" * 9_999, "bio": "b" * 9_999}, html="<p>" * 400_000)
    assert (len(post.author.name), len(post.author.bio or ""), len(post.html or "")) == (500, 5_000, 500_000)


def test_nul_and_half_an_emoji_in_running_text_keep_the_words_around_them() -> None:
    line = json.dumps(PLAIN | {"text": "so angry \ud83d and\x00 late", "author": {"id": "7", "name": "Ann \udc4d"}})
    for each in (line, line.encode()):
        post = decode_post(each, NOON)
        assert post.text == "so angry \ufffd and\ufffd late"
        assert post.author.name == "Ann \ufffd"


def test_a_string_of_python_may_hold_half_an_emoji_as_it_is() -> None:
    line = json.dumps(PLAIN | {"text": "so angry \ud83d"}, ensure_ascii=False)
    assert decode_post(line, NOON).text == "so angry \ufffd"


def test_two_halves_of_an_emoji_become_one() -> None:
    assert decoded(text="\ud83d\ude21").text == "😡"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", " https://example.com", "java\nscript:alert(1)",
        "data:text/html,x", "file:///etc/passwd", "//example.com", "ftp://example.com", "", "http:example.com", "https://\x00",
        "https://\ud800", "https://" + "a" * 4_000,
    ],
)  # fmt: skip
def test_only_web_addresses_are_kept_as_addresses(url: str) -> None:
    post = decoded(url=url, author={"id": "7", "url": url}, links=[url, "https://example.com/a"], media=[{"url": url}])
    assert (post.url, post.author.url) == (None, None)
    assert post.links == ("https://example.com/a",)
    assert post.media == (Media(url=""),)


def test_a_web_address_alone_does_not_let_a_script_through_beside_it() -> None:
    assert decoded(url="javascript:alert(1)").url is None
    assert decoded(author={"id": "7", "url": "javascript:alert(1)"}).author.url is None
    assert decoded(links=["javascript:alert(1)"]).links == ()


@pytest.mark.parametrize("count", [-1, 2**53 + 1, 2**63, 10**30])
def test_a_counter_that_no_count_can_have_is_left_out(count: int) -> None:
    post = decoded(author={"id": "7", "followers": count, "following": count, "posts": count}, metrics={"likes": count})
    assert (post.author.followers, post.author.following, post.author.posts, post.metrics.likes) == (
        None,
        None,
        None,
        0,
    )


@pytest.mark.parametrize("tag", ["", "x" * 17, "de\x00", "\ud800", "Deutsch!", "日本語", "-"])
def test_a_language_tag_that_is_none_is_left_out(tag: str) -> None:
    assert decoded(lang=tag).lang is None


@pytest.mark.parametrize("tag", ["en", "pt-BR", "zh_Hant", "sr-Latn-RS"])
def test_a_language_tag_is_kept(tag: str) -> None:
    assert decoded(lang=tag).lang == tag


@pytest.mark.parametrize("moment", ["2099-01-01T00:00:00Z", "2020-01-01T00:00:00", "0001-01-01T00:00:00+14:00"])
def test_an_author_who_joined_at_an_impossible_time_does_not_cost_the_post(moment: str) -> None:
    assert decoded(author={"id": "7", "created_at": moment}).author.created_at is None


def test_an_empty_reference_is_no_reference() -> None:
    post = decoded(in_reply_to="", thread="")
    assert (post.in_reply_to, post.thread) == (None, None)


# ---------------------------------------------------------------- properties

#: any text that Python can hold: all of Unicode, NUL, lone surrogates
ANYTHING = st.text(st.characters(codec=None, exclude_categories=()), max_size=40)
ADDRESSES = st.one_of(ANYTHING, st.sampled_from(["https://example.com/a", "HTTP://EXAMPLE.COM", "javascript:alert(1)"]))
MOMENTS = st.one_of(
    st.datetimes(timezones=st.just(dt.UTC)),
    st.datetimes(timezones=st.timezones()),
    st.datetimes(),
    st.datetimes(min_value=dt.datetime(2020, 1, 1), max_value=dt.datetime(2026, 1, 1), timezones=st.just(dt.UTC)),  # noqa: DTZ001
)
NUMBERS = st.one_of(st.integers(), st.integers(0, 10**6), st.none())
IDENTITIES = st.one_of(ANYTHING, st.text("abc123", min_size=1, max_size=8))
AUTHORS = st.builds(
    Author, id=IDENTITIES, handle=IDENTITIES, name=ANYTHING, url=st.none() | ADDRESSES, bio=st.none() | ANYTHING,
    followers=NUMBERS, following=NUMBERS, posts=NUMBERS, created_at=st.none() | MOMENTS,
)  # fmt: skip
POSTS = st.builds(
    Post, network=IDENTITIES, id=IDENTITIES, text=ANYTHING, created_at=MOMENTS, author=AUTHORS,
    url=st.none() | ADDRESSES, html=st.none() | ANYTHING, lang=st.none() | ANYTHING | st.sampled_from(["en", "pt-BR"]),
    edited_at=st.none() | MOMENTS, in_reply_to=st.none() | IDENTITIES, thread=st.none() | IDENTITIES,
    mentions=st.lists(ANYTHING, max_size=3).map(tuple), hashtags=st.lists(ANYTHING, max_size=3).map(tuple),
    links=st.lists(ADDRESSES, max_size=3).map(tuple),
    media=st.lists(st.builds(Media, kind=ANYTHING, url=ADDRESSES, alt=ANYTHING), max_size=2).map(tuple),
    metrics=st.builds(Metrics, likes=st.integers(), reposts=st.integers(0, 9), replies=st.integers(0, 9)),
    rating=st.none() | st.floats() | st.floats(1, 5),
)  # fmt: skip


def admitted(post: Post) -> Post | None:
    try:
        return admit(post, NOON)
    except InvalidPost:
        return None


@given(POSTS)
def test_whatever_a_network_says_is_taken_in_whole_or_refused_with_a_reason(post: Post) -> None:
    taken = admitted(post)
    if taken is None:
        return
    raw = msgspec.json.encode(taken)
    assert raw.decode("utf-8")
    assert msgspec.json.decode(raw, type=Post) == taken
    assert decode_post(raw, NOON) == taken
    assert admit(taken, NOON) == taken


@given(POSTS)
def test_what_is_taken_in_fits_the_database(post: Post) -> None:
    taken = admitted(post)
    if taken is None:
        return
    author = taken.author
    texts = [taken.text, taken.html, taken.url, taken.lang, author.name, author.bio, author.url, *taken.mentions]
    assert not any("\x00" in text for text in texts if text)
    assert all(count is None or 0 <= count < 2**63 for count in (author.followers, author.following, author.posts))
    assert all(moment is None or moment.tzinfo is dt.UTC for moment in (taken.created_at, taken.edited_at))
    assert len(taken.lang or "") <= vocabulary.MAX_LANG
    assert len(taken.network) <= vocabulary.MAX_NETWORK


@given(st.text(st.characters(codec=None, exclude_categories=())) | st.binary())
def test_no_line_of_a_file_raises_anything_but_a_refusal(line: str | bytes) -> None:
    with pytest.raises(InvalidPost):
        decode_post(line, NOON)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANYTHING,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANYTHING, inner, max_size=3),
    max_leaves=5,
)
FIELDS = st.sampled_from([field.name for field in msgspec.structs.fields(Post)])


@given(st.dictionaries(FIELDS, JSON_VALUES, max_size=3))
def test_no_value_of_any_field_raises_anything_but_a_refusal(fields: dict[str, Any]) -> None:
    try:
        post = decode_post(json.dumps(PLAIN | fields), NOON)
    except InvalidPost:
        return
    assert admit(post, NOON) == post


# ---------------------------------------------------------------- strings and files that others collected


@pytest.mark.data
def test_every_naughty_string_comes_in_as_text_or_is_refused_as_an_id(real_data: Path) -> None:
    strings = json.loads((real_data / "11_hostile" / "blns.json").read_text(encoding="utf-8"))
    assert len(strings) > 500
    for each in strings:
        post = decoded(text=each, author={"id": "7", "name": each, "bio": each}, mentions=[each], url=each)
        assert post.text == each
        assert post.url is None or post.url.lower().startswith(("https://", "http://"))
        try:
            assert decoded(id=each).id == each
        except InvalidPost as error:
            assert error.field == "id"  # noqa: PT017  (either outcome is right)


@pytest.mark.data
def test_every_file_of_the_json_test_suite_is_taken_or_refused_in_words(real_data: Path) -> None:
    seen = 0
    with tarfile.open(real_data / "09_payloads" / "JSONTestSuite.tar.gz") as archive:
        for member in archive:
            file = archive.extractfile(member)
            if file is None or not member.name.endswith(".json"):
                continue
            raw = file.read()
            seen += 1
            # no file of the suite is a post by itself; as the value of an unknown key only JSON may pass
            refusal(raw)
            beside = json.dumps(PLAIN).encode()[:-1] + b', "beside": ' + raw + b"}"
            if Path(member.name).name.startswith("n_"):
                _refused_or_harmless(beside)
            elif Path(member.name).name.startswith("y_"):
                assert decode_post(beside, NOON).id == "111", member.name
    assert seen > 300


def _refused_or_harmless(line: bytes) -> None:
    """What is no JSON alone may become JSON inside an object; then it must not have touched the post."""
    try:
        assert decode_post(line, NOON).id == "111"
    except InvalidPost as error:
        assert error.reason  # noqa: PT017  (either outcome is right)
