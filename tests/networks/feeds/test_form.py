"""Connecting feeds: addresses, pages that name a feed, OPML; what is wrong is named with the remedy."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.errors import InvalidInput
from rapport.networks.feeds.discover import feeds_of_page
from rapport.networks.feeds.form import MOST_FEEDS, read_addresses
from rapport.networks.feeds.opml import read_opml
from rapport.networks.http import GuardedSession

PAGE = """<!doctype html><html><head><base href="/blog/">
<!-- <link rel="alternate" type="application/rss+xml" href="/old.xml"> -->
<link rel="stylesheet" href="/x.css">
<link rel="alternate" type="application/rss+xml" title="Comments" href="comments.xml">
<link title='News &amp; more' href='feed.xml' type=application/atom+xml rel="Alternate home">
<link rel="alternate" type="application/feed+json" href="javascript:alert(1)">
</head></html>"""


def test_addresses_are_tried_and_the_channel_is_named_after_the_first_feed(
    site: Any, reader: Any, write_entry: Any
) -> None:
    one, two = site.feed("/1", write_entry(1)), site.feed("/2", write_entry(2))
    connected = reader.network.connect({"feeds": f"{one}\n\n {two} \n{one}"}, reader.session)
    assert connected.settings == {"feeds": [one, two], "every": "5"}
    assert connected.identity.name == "The Daily Parcel"
    assert connected.token == ""
    again = reader.network.connect({"feeds": one, "name": "Trade press"}, reader.session)
    assert again.identity.name == "Trade press"
    assert again.identity.account_id != connected.identity.account_id


def test_a_page_that_names_a_feed_is_as_good_as_its_address(site: Any, reader: Any, write_entry: Any) -> None:
    feed = site.feed("/blog/feed.xml", write_entry(1))
    page = site.put("/about", PAGE, Content_Type="text/html")
    assert reader.network.connect({"feeds": page}, reader.session).settings["feeds"] == [feed]


def test_what_does_not_lead_to_a_feed_is_named(site: Any, reader: Any, write_entry: Any) -> None:
    good = site.feed("/1", write_entry(1))
    page = site.put("/page", "<!doctype html><html><body>Hello</body></html>")
    with pytest.raises(InvalidInput) as caught:
        reader.network.connect({"feeds": f"{good}\n{page}\n{site.url}/none"}, reader.session)
    assert "2 addresses cannot be read" in str(caught.value)
    assert "it names no feed" in str(caught.value)
    assert "does not exist (404)" in str(caught.value)


@pytest.mark.parametrize(
    ("entered", "reason"),
    [
        ("", "at least one address"),
        ("http://127.0.0.1:1/feed", "loopback"),
        ("http://169.254.169.254/latest", "metadata"),
        ("file:///etc/passwd", "only http and https"),
        ("https://user:pw@site.example/", "user-info"),
        ("http://0x7f000001/", "number"),
        ("https://localhost/feed", "no address of a site"),
        ("<opml><body/></opml>", "names no feeds"),
        ("<html><body>Hello</body></html>", "no OPML"),
        ("<opml version='2.0'><body><outline", "damaged"),
        ('<!DOCTYPE opml [<!ENTITY a "b">]><opml><body>&a;</body></opml>', "declares entities"),
        ("https://a.example/" + "x" * 3000, "longer than"),
    ],
)
def test_what_cannot_be_an_address_is_refused_with_the_reason(reader: Any, entered: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        reader.network.connect({"feeds": entered}, reader.session)
    assert reason in str(caught.value)


def test_an_opml_file_may_hold_a_dead_feed(site: Any, reader: Any, write_entry: Any) -> None:
    good = site.feed("/1", write_entry(1))
    outlines = f'<outline text="a"><outline xmlUrl="{site.url}/dead"/><outline text="b" xmlUrl="{good}"/></outline>'
    connected = reader.network.connect({"feeds": f"<opml><body>{outlines}</body></opml>"}, reader.session)
    assert connected.settings["feeds"] == [f"{site.url}/dead", good]


def test_settings_try_what_is_new_and_keep_the_rest(site: Any, reader: Any, write_entry: Any) -> None:
    account = reader.account(f"{site.url}/dead")
    good = site.feed("/1", write_entry(1))
    chosen = {"feeds": f"{site.url}/dead\r\n{good}", "every": "15"}
    kept = reader.network.check_settings(chosen, account, reader.session)
    assert kept == {"feeds": [f"{site.url}/dead", good], "every": "15"}
    with pytest.raises(InvalidInput, match="404"):
        reader.network.check_settings({"feeds": f"{site.url}/other", "every": "15"}, account, reader.session)
    with pytest.raises(InvalidInput, match="how often"):
        reader.network.check_settings({"feeds": good, "every": "0"}, account, reader.session)


def test_addresses_are_taken_as_people_write_them() -> None:
    session = GuardedSession()
    entered = "feed://a.example/x  feed:https://b.example/y c.example/z#top http://a.example/x/ <https://d.example>"
    assert read_addresses(entered, session) == (
        ["https://a.example/x", "https://b.example/y", "https://c.example/z", "https://d.example"],
        False,
    )
    many = [f"https://site{n}.example/" for n in range(MOST_FEEDS + 1)]
    assert len(read_addresses("\n".join(many[:-1]), session)[0]) == MOST_FEEDS
    with pytest.raises(InvalidInput, match="501 feeds; at most 500"):
        read_addresses("\n".join(many), session)
    with pytest.raises(InvalidInput, match="2,505 addresses; at most 500"):
        read_addresses("\n".join(many * 5), session)


def test_an_opml_file_of_any_program_is_read() -> None:
    text = """\ufeff<?xml version="1.0" encoding="ISO-8859-1"?><opml version="1.0"><body>
      <outline text="News"><outline text="Caf&eacute; & more" type="rss" xmlURL=" https://a.example/?x=1&y=2 "/>
      <outline title="B" xmlUrl="https://b.example/"/></outline><outline type="link" url="https://c.example/"/>
      <outline text="again" xmlUrl="https://b.example/"/></body></opml>"""
    assert [(one.address, one.title) for one in read_opml(text)] == [
        ("https://a.example/?x=1&y=2", "Café & more"),
        ("https://b.example/", "B"),
    ]


def test_a_page_names_its_feeds_those_of_comments_last() -> None:
    found = feeds_of_page(PAGE.encode(), "https://parcel.example/about")
    assert [(one.address, one.title) for one in found] == [
        ("https://parcel.example/blog/feed.xml", "News & more"),
        ("https://parcel.example/blog/comments.xml", "Comments"),
    ]


@given(st.text(alphabet="<>!-link relatn=\"'/&;ophymu", max_size=300))
def test_any_text_names_feeds_or_none(text: str) -> None:
    assert isinstance(feeds_of_page(text.encode(), "https://a.example/"), list)
    try:
        read_opml(text)
    except InvalidInput:  # anything else fails the test
        return
