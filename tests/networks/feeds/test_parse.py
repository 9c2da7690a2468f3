"""Items of real and hostile feeds become posts, or are refused with a reason."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.core.errors import InvalidInput, InvalidPost
from rapport.core.post import MAX_ID, MAX_TEXT, Post, admit
from rapport.networks.feeds.document import Attachment, Document, Item
from rapport.networks.feeds.parse import item_key, parse_item, post_id
from rapport.networks.feeds.read import read_document

NOON = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
AT = "https://parcel.example/feed"


def posts_of(body: str | bytes) -> list[Post]:
    document = read_document(body.encode() if isinstance(body, str) else body, {}, AT)
    return [parse_item(item, document, AT, item_key(item), NOON) for item in document.items]


def test_an_item_of_rss_keeps_all_that_the_desk_can_show() -> None:
    (post,) = posts_of(
        """<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
             xmlns:slash="http://purl.org/rss/1.0/modules/slash/" xmlns:dc="http://purl.org/dc/elements/1.1/">
           <channel><title>Parcel News</title><link>https://parcel.example/</link><language>en-gb</language>
           <item><title>Fernway &amp;amp; the flood</title><link>/2026/flood?a=1&amp;b=2</link>
           <guid isPermaLink="false">p-1</guid><pubDate>Sat, 21 Nov 2026 09:30:00 +0100</pubDate>
           <dc:creator>Nadia Novak</dc:creator><category>Customer Service</category><category>#delay</category>
           <description>Short.</description><slash:comments>7</slash:comments>
           <content:encoded><![CDATA[<p>Long <a href="/help">words</a>.</p><p>Second.</p>
             <img src="/van.jpg" alt="A van in the water"><script>alert(1)</script>]]></content:encoded>
           <enclosure url="https://cdn.example/talk.mp3" type="audio/mpeg" length="1"/></item></channel></rss>"""
    )
    assert post.network == "feeds"
    assert post.id.startswith("parcel.example~")
    assert post.text.startswith("Fernway & the flood\n\nLong words (https://parcel.example/help).\n\nSecond.")
    assert "alert" not in post.text
    assert post.url == "https://parcel.example/2026/flood?a=1&b=2"
    assert post.created_at == dt.datetime(2026, 11, 21, 8, 30, tzinfo=dt.UTC)
    assert (post.author.name, post.author.handle) == ("Nadia Novak", "parcel.example")
    assert post.hashtags == ("CustomerService", "delay")
    assert post.links == ("https://parcel.example/help",)
    assert {(one.kind, one.url, one.alt) for one in post.media} == {
        ("audio", "https://cdn.example/talk.mp3", ""),
        ("image", "https://parcel.example/van.jpg", "A van in the water"),
    }
    assert (post.kind, post.metrics.replies, post.lang) == ("topic", 7, "en-gb")
    assert post.html is not None
    assert "<script" not in post.html


@pytest.mark.parametrize("version", ["1", "1.1"])
def test_an_item_of_json_feed_is_read_in_both_versions(version: str) -> None:
    author = {"author": {"name": "Nadia"}} if version == "1" else {"authors": [{"name": "Nadia"}]}
    item = {
        "id": 7,
        "url": "/7",
        "content_html": "<p>Late again</p><script>alert(1)</script><style>p{}</style>",
        "date_published": "2026-11-21T09:00:00-02:00",
        "tags": ["delay"],
        "attachments": [{"url": "https://cdn.example/a.mp4", "mime_type": "video/mp4", "title": "A"}],
        **author,
    }
    feed = {"version": f"https://jsonfeed.org/version/{version}", "title": "T", "items": [item, "rubbish", {"id": "8"}]}
    document = read_document(json.dumps(feed).encode(), {}, AT)
    assert len(document.items) == 2
    post = parse_item(document.items[0], document, AT, "7", NOON)
    assert (post.text, post.url, post.author.name) == ("Late again", "https://parcel.example/7", "Nadia")
    assert post.created_at == dt.datetime(2026, 11, 21, 11, 0, tzinfo=dt.UTC)
    assert post.media[0].kind == "video"
    with pytest.raises(InvalidPost, match="neither a title nor words nor a link"):
        parse_item(document.items[1], document, AT, "8", NOON)


@pytest.mark.parametrize(
    ("body", "version"),
    [
        ('<rss version="0.91"><channel><title>T</title><item><title>A</title></item></channel></rss>', "rss091u"),
        ('<rss version="0.92"><channel><title>T</title><item><title>A</title></item></channel></rss>', "rss092"),
        (f'<RDF xmlns="{RDF}"><item xmlns="http://purl.org/rss/1.0/"><title>A</title></item></RDF>', "rss10"),
        (
            '<feed version="0.3" xmlns="http://purl.org/atom/ns#"><entry><title>A</title></entry></feed>',
            "atom03",
        ),
        ('<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>A</title></entry></feed>', "atom10"),
    ],
)
def test_every_format_is_read(body: str, version: str) -> None:
    assert read_document(body.encode(), {}, AT).version == version
    assert [post.text for post in posts_of(body)] == ["A"]


def test_a_title_that_only_repeats_the_words_is_left_out() -> None:
    feed = Document("json11")
    long = Item(guid="1", title="The van was late again and…", text="The van was late again and nobody called.")
    other = Item(guid="2", title="Late", text="The van.")
    assert parse_item(long, feed, AT, "1", NOON).text == "The van was late again and nobody called."
    assert parse_item(other, feed, AT, "2", NOON).text == "Late\n\nThe van."


def test_a_comment_names_what_it_answers() -> None:
    (post,) = posts_of(
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:thr="http://purl.org/syndication/thread/1.0"><entry>'
        '<id>c1</id><title>Re</title><thr:in-reply-to ref="tag:parcel.example,2026:1"/></entry></feed>'
    )
    assert (post.kind, post.in_reply_to) == ("comment", post_id(AT, "tag:parcel.example,2026:1"))


def test_dates_that_cannot_be_are_replaced_by_when_it_was_seen() -> None:
    feed = Document("rss20")
    for year in (1, 1969, 2099, 9999):
        item = Item(guid="1", title="A", published=dt.datetime(year, 1, 1, tzinfo=dt.UTC))
        assert parse_item(item, feed, AT, "1", NOON).created_at == NOON


def test_a_text_that_is_too_long_is_cut_and_says_so() -> None:
    post = parse_item(Item(guid="1", text="word " * 50_000), Document("rss20"), AT, "1", NOON)
    assert len(post.text) <= MAX_TEXT
    assert post.text.endswith("[…]")


def test_two_people_of_one_feed_are_two_and_one_without_a_name_is_the_feed() -> None:
    feed = Document("rss20", title="Parcel News")

    def author(**fields: str) -> tuple[str, str]:
        post = parse_item(Item(guid="1", title="A", **fields), feed, AT, "1", NOON)
        return post.author.key, post.author.name

    assert author(author="Ann")[0] != author(author="Ben")[0]
    assert author(author="Ann") == author(author="Ann")
    assert author()[1] == "Parcel News"
    key, name = author(author_email="ann.lee@parcel.example")
    assert name == "ann.lee"
    assert "ann" not in key


words = st.text(max_size=60)


@given(
    guid=st.text(max_size=600),
    title=words,
    html=st.text(alphabet="<>&/abp \"'=\x00\ud800!-[]é", max_size=80),
    link=words,
    author=words,
    tags=st.lists(words, max_size=3),
    media=st.lists(words, max_size=2),
    published=st.none() | st.datetimes().map(lambda moment: moment.replace(tzinfo=dt.UTC)),
)
@settings(max_examples=300, deadline=None)
def test_any_item_becomes_a_post_that_may_be_stored_or_is_refused(
    guid: str, title: str, html: str, link: str, author: str, tags: list[str], media: list[str], published: dt.datetime
) -> None:
    item = Item(
        guid=guid,
        title=title,
        html=html,
        link=link,
        author=author,
        tags=tuple(tags),
        attachments=tuple(Attachment(url) for url in media),
        published=published,
    )
    try:
        post = parse_item(item, Document("rss20"), AT, item_key(item), NOON)
    except InvalidPost:
        return
    assert admit(post, NOON) == post
    assert len(post.id) <= MAX_ID
    assert post.id == post_id(AT, item_key(item))


@given(st.binary(max_size=300) | st.text(alphabet="<>/?!rsfeditm\"'= {}[]:,&;-1", max_size=200).map(str.encode))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_a_feed_or_refused(body: bytes) -> None:
    for prefix in (b"", b'<rss version="2.0"><channel><item><title>', b'{"version":"https://jsonfeed.org/version/1",'):
        try:
            read_document(prefix + body, {}, AT)
        except InvalidInput:  # anything else fails the test
            continue
