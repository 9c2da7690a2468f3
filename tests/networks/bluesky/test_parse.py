"""The JSON of Bluesky becomes posts, or is refused with a reason."""

from __future__ import annotations

import copy
import datetime as dt
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.errors import InvalidPost
from rapport.core.post import Author, Post, admit
from rapport.networks.bluesky.parse import parse_record, parse_view, read_author, reason_of, refers_to

DATA = Path(__file__).parents[3].parent / "shared" / "data" / "09_payloads" / "bluesky_models_testdata.tar.gz"
NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
US, ANN = "did:plc:us", "did:plc:ann"
URI = f"at://{ANN}/app.bsky.feed.post/3k"

VIEW: dict[str, Any] = {
    "uri": URI,
    "cid": "bafy",
    "author": {
        "did": ANN,
        "handle": "ann.test",
        "displayName": "Ann",
        "description": "A traveller",
        "createdAt": "2024-01-01T00:00:00Z",
        "verification": {"verifiedStatus": "valid"},
        "labels": [{"val": "bot"}],
    },
    "record": {
        "$type": "app.bsky.feed.post",
        "text": "@us.test look: x.example/lo...",
        "createdAt": "2026-11-22T10:00:00.000Z",
        "langs": ["en", "de"],
        "tags": ["delay"],
        "facets": [
            {"index": {"byteStart": 0, "byteEnd": 8}, "features": [{"$type": "#mention", "did": US}]},
            {"index": {"byteStart": 15, "byteEnd": 30}, "features": [{"uri": "https://x.example/long"}]},
        ],
        "reply": {
            "root": {"uri": f"at://{US}/app.bsky.feed.post/3a", "cid": "b"},
            "parent": {"uri": f"at://{ANN}/app.bsky.feed.post/3b", "cid": "b"},
        },
        "embed": {"$type": "app.bsky.embed.external", "external": {"uri": "https://card.example/", "title": "Card"}},
    },
    "embed": {
        "$type": "app.bsky.embed.images#view",
        "images": [{"thumb": "https://cdn.example/t", "fullsize": "https://cdn.example/f", "alt": "a queue"}],
    },
    "likeCount": 3,
    "repostCount": 2,
    "quoteCount": 1,
    "replyCount": 4,
    "indexedAt": "2026-11-22T10:00:01.000Z",
}


def view(**changes: Any) -> dict[str, Any]:
    made = copy.deepcopy(VIEW)
    for path, value in changes.items():
        *way, last = path.split("__")
        place = made
        for step in way:
            place = place[step]
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    return made


def read(**changes: Any) -> Post:
    return admit(parse_view(view(**changes), US, "brand.us.test"), NOW)


def test_a_view_becomes_a_post_with_everything_in_it() -> None:
    post = read()
    assert (post.network, post.id, post.kind, post.lang) == ("bluesky", URI, "reply", "en")
    assert post.text == "@us.test look: https://x.example/long"
    assert post.url == f"https://bsky.app/profile/{ANN}/post/3k"
    assert post.created_at == dt.datetime(2026, 11, 22, 10, tzinfo=dt.UTC)
    assert post.in_reply_to == f"at://{ANN}/app.bsky.feed.post/3b"
    assert post.thread == f"at://{US}/app.bsky.feed.post/3a"
    assert post.mentions == ("brand.us.test",)  # ours by its DID, whatever the text calls us
    assert post.hashtags == ("delay",)
    assert post.links == ("https://x.example/long", "https://card.example/")
    assert [(each.kind, each.url, each.alt) for each in post.media] == [("image", "https://cdn.example/f", "a queue")]
    assert (post.metrics.likes, post.metrics.reposts, post.metrics.replies) == (3, 3, 4)
    assert (post.author.id, post.author.handle, post.author.name) == (ANN, "ann.test", "Ann")
    assert (post.author.verified, post.author.bot, post.author.ours) == (True, True, False)
    assert post.author.bio == "A traveller"


def test_our_own_posts_are_ours() -> None:
    own = parse_view(view(author__did=US, uri=f"at://{US}/app.bsky.feed.post/3k"), US, "brand.us.test")
    assert own.author.ours


def test_a_quote_is_told_from_a_post() -> None:
    quoted = {"$type": "app.bsky.embed.record", "record": {"uri": f"at://{US}/app.bsky.feed.post/3a", "cid": "b"}}
    assert read(record__reply=None, record__embed=quoted).kind == "quote"
    with_picture = {"$type": "app.bsky.embed.recordWithMedia", "record": quoted, "media": {"images": []}}
    assert read(record__reply=None, record__embed=with_picture).kind == "quote"
    feed = {"record": {"uri": f"at://{US}/app.bsky.feed.generator/x", "cid": "b"}}
    assert read(record__reply=None, record__embed=feed).kind == "post"


@pytest.mark.parametrize(
    ("said", "witnessed", "is_from"),
    [
        ("2026-11-22T09:00:00Z", "2026-11-22T10:00:00Z", "said"),
        ("2099-01-01T00:00:00Z", "2026-11-22T10:00:00Z", "witnessed"),
        ("2026-11-22T09:00:00.123456789Z", "2026-11-22T10:00:00Z", "said"),
        ("2023-07-20T10:17:40.298101", "2026-11-22T10:00:00Z", "said"),
        ("yesterday", "2026-11-22T10:00:00Z", "witnessed"),
        (None, "2026-11-22T10:00:00Z", "witnessed"),
        ("2026-11-22T09:00:00Z", None, "said"),
    ],
)
def test_a_post_was_written_when_its_author_says_but_never_after_it_was_seen(
    said: str | None, witnessed: str | None, is_from: str
) -> None:
    post = read(record__createdAt=said, indexedAt=witnessed)
    expected = dt.datetime.fromisoformat(str({"said": said, "witnessed": witnessed}[is_from])[:26].rstrip("Z"))
    assert abs(post.created_at.replace(tzinfo=None) - expected) < dt.timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"uri": "https://example.com"}, "uri"),
        ({"uri": f"at://{ANN}/app.bsky.feed.like/3k"}, "uri"),
        ({"uri": f"at://{ANN}"}, "uri"),
        ({"uri": "at://did:plc:somebody/app.bsky.feed.post/3k"}, "author"),
        ({"author__did": "ann"}, "author.did"),
        ({"author": None}, "item"),
        ({"record__text": 5.5}, "text"),
        ({"record__createdAt": None, "indexedAt": None}, "createdAt"),
        ({"record__createdAt": "1850-01-01T00:00:00Z"}, "created_at"),
        ({"author__did": "did:plc:" + "x" * 600, "uri": "at://did:plc:" + "x" * 600 + "/app.bsky.feed.post/3"}, "id"),
    ],
)
def test_what_cannot_be_a_post_is_refused_with_the_place(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidPost) as caught:
        read(**changes)
    assert caught.value.field == field


@pytest.mark.parametrize("item", [None, 1, "x", [], {}, {"uri": URI}, {"uri": 1, "author": [], "record": "x"}])
def test_what_is_no_view_is_refused(item: Any) -> None:
    with pytest.raises(InvalidPost):
        parse_view(item, US)


def test_an_author_without_a_handle_that_holds_is_known_by_the_did() -> None:
    assert read(author__handle="handle.invalid").author.handle == ANN


def test_broken_facets_take_nothing_with_them() -> None:
    facets = [
        None,
        {"index": {"byteStart": 3}},
        {"index": {"byteStart": 0, "byteEnd": 8}, "features": "x"},
        {"index": {"byteStart": 0, "byteEnd": 8}, "features": [{"$type": "#mention", "did": "did:plc:ben"}]},
    ]
    assert read(record__facets=facets).mentions == ("us.test",)


def test_addresses_of_scripts_are_never_links() -> None:
    embed = {"external": {"uri": "javascript:alert(1)"}}
    facets = [{"index": {"byteStart": 0, "byteEnd": 4}, "features": [{"uri": "data:text/html,x"}]}]
    assert read(record__embed=embed, record__facets=facets).links == ()


def test_a_bare_record_becomes_a_post_with_its_pictures_by_their_content() -> None:
    record = VIEW["record"] | {
        "embed": {"images": [{"alt": "x", "image": {"$type": "blob", "ref": {"$link": "bafkrei2"}}}]}
    }
    author = read_author_of(VIEW)
    post = parse_record(URI, author, record, NOW, US, "brand.us.test")
    assert post.media[0].url == f"https://cdn.bsky.app/img/feed_fullsize/plain/{ANN}/bafkrei2@jpeg"
    hostile = record | {"embed": {"images": [{"image": {"ref": {"$link": "../../x?y"}}}]}}
    assert parse_record(URI, author, hostile, NOW, US, "").media[0].url == ""


def read_author_of(item: dict[str, Any]) -> Author:
    return parse_view(item, US).author


def test_a_record_that_speaks_to_us_is_known() -> None:
    ours = f"at://{US}/app.bsky.feed.post/3a"
    plain = {"text": "hello"}
    mention = plain | {"facets": [{"index": {"byteStart": 0, "byteEnd": 5}, "features": [{"did": US}]}]}
    answer = plain | {"reply": {"root": {"uri": URI}, "parent": {"uri": ours}}}
    in_our_thread = plain | {"reply": {"root": {"uri": ours}, "parent": {"uri": URI}}}
    quote = plain | {"embed": {"record": {"uri": ours}}}
    for record in (mention, answer, in_our_thread, quote):
        assert refers_to(record, US)
        assert not refers_to(record, "did:plc:u")
    assert not refers_to(plain, US)
    assert not refers_to({"text": f"at://{US}/"}, US)
    for broken in (None, [], {"reply": 5}, {"facets": {}}, {"embed": []}):
        assert not refers_to(broken, US)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
PLACES = [
    "uri", "author", "author__did", "author__handle", "author__labels", "author__createdAt", "author__verification",
    "record", "record__text", "record__createdAt", "record__facets", "record__reply", "record__embed", "record__langs",
    "record__tags", "embed", "embed__images", "likeCount", "indexedAt",
]  # fmt: skip


@given(st.sampled_from(PLACES), JSON)
def test_whatever_stands_anywhere_in_a_view_it_becomes_a_post_or_is_refused(place: str, value: Any) -> None:
    try:
        post = read(**{place: value})
    except InvalidPost:
        return
    assert admit(post, NOW) == post


@given(JSON)
def test_whatever_a_record_is_it_becomes_a_post_or_is_refused(record: Any) -> None:
    refers_to(record, US)
    reason_of(record)
    try:
        admit(parse_record(URI, read_author_of(VIEW), record, NOW, US, ""), NOW)
    except InvalidPost:
        return


@pytest.mark.data
def test_the_recorded_answers_of_bluesky_are_read() -> None:
    if not DATA.exists():
        pytest.skip("needs shared/data/09_payloads/bluesky_models_testdata.tar.gz beside the repository")
    with tarfile.open(DATA) as archive:
        found = {
            Path(member.name).name: json.loads(file.read())
            for member in archive.getmembers()
            if member.name.endswith(".json") and (file := archive.extractfile(member)) is not None
        }
    assert len(found) == 10
    thread = found["thread_view_post_with_embed_media.json"]["thread"]["post"]
    post = admit(parse_view(thread), NOW)
    assert (post.kind, post.author.handle, len(post.media)) == ("quote", "test.marshal.dev", 1)
    assert post.media[0].url.startswith("https://cdn.bsky.app/img/")
    for name in ("post_record.json", "extended_post_record.json"):
        answer = found[name]
        did = answer["uri"].split("/")[2]
        read_one = parse_record(answer["uri"], Author(id=did), answer["value"], NOW, "", "")
        assert admit(read_one, NOW).text
    for follow in found["get_follows.json"]["follows"]:
        assert read_profile(follow).id == follow["did"]
    for name in ("like_record.json", "feed_record.json", "custom_record.json", "did_doc.json", "resolve_handle.json"):
        with pytest.raises(InvalidPost):
            parse_view(found[name])


def read_profile(item: dict[str, Any]) -> Author:
    from rapport.networks.bluesky.parse import Profile
    from rapport.networks.payload import take

    return read_author(take(item, Profile))
