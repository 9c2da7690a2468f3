"""Looks at feeds on a real server: every new item once, politely, and a gap is never silent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from rapport.core.errors import GiveUp, InvalidInput, RetryLater
from rapport.networks.feeds.hosts import BURST
from rapport.networks.feeds.known import MOST_KNOWN, Memory
from rapport.networks.feeds.pull import FIRST_PULL, PAGE_SIZE

Entry = Callable[..., str]


def entries(write: Entry, first: int, last: int) -> list[str]:
    """The newest first, as feeds show them."""
    return [write(number) for number in range(last, first - 1, -1)]


def test_every_new_item_comes_oldest_first_and_once(site: Any, reader: Any, write_entry: Entry) -> None:
    url = site.feed("/f", *entries(write_entry, 1, 10))
    assert reader.titles(url) == [f"Story {n}" for n in range(1, 11)]
    site.feed("/f", *entries(write_entry, 8, 17))
    reader.later()
    assert reader.titles(url) == [f"Story {n}" for n in range(11, 18)]
    reader.later()
    assert reader.titles(url) == []


def test_a_feed_that_has_nothing_new_is_not_sent_again(site: Any, reader: Any, write_entry: Entry) -> None:
    for path, name, value in (("/e", "ETag", 'W/"v1"'), ("/m", "Last-Modified", "Sat, 21 Nov 2026 10:00:00 GMT")):
        url = site.feed(path, write_entry(1), **{name: value})
        reader.posts(url)
        reader.later()
        assert reader.posts(url) == []
        asked = site.asked[-1][1]
        assert (asked["If-None-Match"] or asked["If-Modified-Since"]) == value


def test_a_feed_is_left_alone_as_long_as_it_asks(site: Any, reader: Any, write_entry: Entry) -> None:
    url = site.feed("/f", write_entry(1), Cache_Control="public, max-age=3600", Age="600")
    reader.posts(url)
    reader.later(minutes=49)
    reader.posts(url)
    assert len(site.asked) == 1
    reader.later(minutes=2)
    reader.posts(url)
    assert len(site.asked) == 2


def test_without_a_wish_it_is_asked_every_few_minutes(site: Any, reader: Any, write_entry: Entry) -> None:
    url = site.feed("/f", write_entry(1))
    reader.posts(url)
    reader.later(minutes=4)
    reader.posts(url)
    assert len(site.asked) == 1
    reader.later(minutes=2)
    reader.posts(url)
    assert len(site.asked) == 2


def test_a_changed_item_comes_again_as_an_edit(site: Any, reader: Any, write_entry: Entry) -> None:
    url = site.feed("/f", write_entry(2), write_entry(1))
    before = {post.id: post for post in reader.posts(url)}
    site.feed("/f", write_entry(2), write_entry(1, "We were wrong about the fee."))
    reader.later()
    (edited,) = reader.posts(url)
    assert edited.edited_at == reader.now
    assert before[edited.id].text == "Story 1\n\nWords of story 1."
    assert edited.text == "Story 1\n\nWe were wrong about the fee."


def test_two_servers_that_differ_do_not_edit_for_ever(site: Any, reader: Any, write_entry: Entry) -> None:
    url = site.feed("/f", write_entry(1))
    reader.posts(url)
    edits = 0
    for look in range(6):
        site.feed("/f", write_entry(1, "The other server's words." if look % 2 == 0 else ""))
        reader.later()
        edits += len(reader.posts(url))
    assert edits == 1


def test_a_new_date_is_no_news(site: Any, reader: Any, write_entry: Entry) -> None:
    url = site.feed("/f", write_entry(1))
    reader.posts(url)
    site.feed("/f", write_entry(1, at=dt.datetime(2026, 11, 21, 11, 30, tzinfo=dt.UTC)))
    reader.later()
    assert reader.posts(url) == []


def test_a_new_guid_on_old_words_is_no_news(site: Any, reader: Any, write_entry: Entry) -> None:
    url = site.feed("/f", *entries(write_entry, 1, 3))
    reader.posts(url)
    site.feed("/f", write_entry(4), *(write_entry(n, guid=f"https://new.example/{n}") for n in (3, 2, 1)))
    reader.later()
    assert reader.titles(url) == ["Story 4"]


def test_a_site_that_was_moved_with_new_dates_and_guids_says_nothing_twice(
    site: Any, reader: Any, write_entry: Entry
) -> None:
    url = site.feed("/f", *entries(write_entry, 1, 5))
    reader.posts(url)
    moved = dt.datetime(2026, 11, 21, 11, 45, tzinfo=dt.UTC)
    site.feed("/f", *(write_entry(n, guid=f"new-{n}", at=moved) for n in range(5, 0, -1)))
    reader.later()
    assert reader.posts(url) == []


def test_the_same_words_on_another_day_are_news(site: Any, reader: Any) -> None:
    def outage(day: int) -> str:
        return (
            f"<rss version='2.0'><channel><title>Status</title><item><title>Outage</title><guid>{day}</guid>"
            f"<link>https://status.example/</link><pubDate>{day} Nov 2026 10:00:00 GMT</pubDate></item></channel></rss>"
        )

    url = site.put("/f", outage(18))
    assert len(reader.posts(url)) == 1
    site.put("/f", outage(19))
    reader.later()
    assert len(reader.posts(url)) == 1


def test_items_without_a_guid_are_known_by_link_and_title(site: Any, reader: Any) -> None:
    def feed(*titles: str) -> str:
        items = "".join(f"<item><title>{t}</title><link>https://s.example/{t}</link></item>" for t in titles)
        return f"<rss version='2.0'><channel><title>S</title>{items}</channel></rss>"

    url = site.put("/f", feed("two", "one"))
    first = reader.posts(url)
    assert [post.text for post in first] == ["one", "two"]
    assert first[0].created_at < first[1].created_at <= reader.now
    site.put("/f", feed("three", "two", "one"))
    reader.later()
    assert reader.titles(url) == ["three"]


def test_a_feed_that_gives_all_items_one_guid_loses_none(site: Any, reader: Any) -> None:
    def feed(*titles: str) -> str:
        items = "".join(
            f"<item><guid>https://s.example/</guid><title>{t}</title><link>https://s.example/{t}</link></item>"
            for t in titles
        )
        return f"<rss version='2.0'><channel><title>S</title>{items}</channel></rss>"

    url = site.put("/f", feed("two", "one"))
    assert reader.titles(url) == ["one", "two"]
    site.put("/f", feed("three"))
    reader.later()
    assert reader.titles(url) == ["three"]


def test_the_first_look_takes_the_newest_and_says_so(site: Any, reader: Any, write_entry: Entry) -> None:
    url = site.feed("/f", *entries(write_entry, 1, FIRST_PULL + 30))
    pages = reader.pages(url)
    assert sum(len(page.posts) for page in pages) == FIRST_PULL
    assert "newest 100 of 130" in pages[0].gap.reason
    site.feed("/f", *entries(write_entry, 1, FIRST_PULL + 31))
    reader.later()
    assert reader.titles(url) == [f"Story {FIRST_PULL + 31}"]


def test_a_quiet_feed_loses_nothing_of_the_burst_after_it(site: Any, reader: Any, write_entry: Entry) -> None:
    url = site.feed("/f")
    assert reader.posts(url) == []
    site.feed("/f", *entries(write_entry, 1, 250))
    reader.later()
    assert reader.titles(url) == [f"Story {n}" for n in range(1, 251)]


def test_a_look_that_was_cut_off_between_pages_misses_nothing(site: Any, reader: Any, write_entry: Entry) -> None:
    url = site.feed("/f", write_entry(0), ETag='"a"')
    reader.posts(url)
    site.feed("/f", *entries(write_entry, 0, PAGE_SIZE * 2), ETag='"b"')
    reader.later()
    account = reader.account(url)
    (stream,) = reader.network.streams(account)
    first = next(reader.network.pull(account, stream, reader.cursors[stream], reader.session))
    reader.cursors[stream] = first.cursor
    reader.later()
    rest = reader.titles(url)
    assert [post.text.partition("\n")[0] for post in first.posts] + rest == [
        f"Story {n}" for n in range(1, PAGE_SIZE * 2 + 1)
    ]


def test_a_first_look_that_was_cut_off_does_not_take_what_it_left_out(
    site: Any, reader: Any, write_entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rapport.networks.feeds.pull.PAGE_SIZE", 40)
    url = site.feed("/f", *entries(write_entry, 1, FIRST_PULL + 50))
    account = reader.account(url)
    (stream,) = reader.network.streams(account)
    first = next(reader.network.pull(account, stream, "", reader.session))
    reader.cursors[stream] = first.cursor
    reader.later()
    assert reader.titles(url) == [f"Story {n}" for n in range(91, FIRST_PULL + 51)]


def test_a_feed_that_shows_nothing_known_tells_of_the_gap(site: Any, reader: Any, write_entry: Entry) -> None:
    url = site.feed("/f", *entries(write_entry, 1, 10))
    reader.posts(url)
    site.feed("/f", *entries(write_entry, 51, 60))
    reader.later()
    (page,) = reader.pages(url)
    assert len(page.posts) == 10
    assert "may have been missed between 2026-11-21 10:10 and 2026-11-21 10:51" in page.gap.reason
    assert (page.gap.since, page.gap.until) == (page.gap.since.replace(minute=10), page.gap.since.replace(minute=51))


def test_an_item_that_is_pinned_to_the_top_hides_no_gap(site: Any, reader: Any, write_entry: Entry) -> None:
    pinned = write_entry(1)
    url = site.feed("/f", pinned, *entries(write_entry, 2, 10))
    reader.posts(url)
    site.feed("/f", pinned, *entries(write_entry, 51, 60))
    reader.later()
    assert reader.pages(url)[0].gap is not None


def test_an_item_that_was_taken_back_makes_no_gap(site: Any, reader: Any, write_entry: Entry) -> None:
    url = site.feed("/f", *entries(write_entry, 1, 10))
    reader.posts(url)
    site.feed("/f", write_entry(11), *entries(write_entry, 1, 9))
    reader.later()
    (page,) = reader.pages(url)
    assert (len(page.posts), page.gap) == (1, None)


def test_older_pages_fill_the_gap(site: Any, reader: Any, write_entry: Entry) -> None:
    url = site.feed("/f", *entries(write_entry, 1, 10))
    reader.posts(url)
    site.feed("/a1", *entries(write_entry, 1, 20))
    site.feed("/a2", *entries(write_entry, 21, 40), older="a1")
    site.feed("/f", *entries(write_entry, 41, 50), older="/a2")
    reader.later()
    pages = reader.pages(url)
    titles = [post.text.partition("\n")[0] for page in pages for post in page.posts]
    assert titles == [f"Story {n}" for n in range(11, 51)]
    assert all(page.gap is None for page in pages)


def test_an_older_page_that_does_not_answer_is_tried_again_before_the_gap_is_told(
    site: Any, reader: Any, write_entry: Entry
) -> None:
    url = site.feed("/f", *entries(write_entry, 1, 10))
    reader.posts(url)
    site.put("/a", "busy", status=503)
    site.feed("/f", *entries(write_entry, 41, 50), older="/a")
    for _ in range(3):
        reader.later(days=1)
        with pytest.raises(RetryLater, match="503"):
            reader.pages(url)
    reader.later(days=1)
    (page,) = reader.pages(url)
    assert len(page.posts) == 10
    assert "older pages could not be read" in page.gap.reason


def test_a_feed_that_says_it_is_complete_has_no_gap(site: Any, reader: Any, write_entry: Entry) -> None:
    def feed(first: int, last: int) -> str:
        inside = "".join(entries(write_entry, first, last))
        history = 'xmlns:h="http://purl.org/syndication/history/1.0"'
        return f'<feed xmlns="http://www.w3.org/2005/Atom" {history}><title>T</title><h:complete/>{inside}</feed>'

    url = site.put("/f", feed(1, 10))
    reader.posts(url)
    site.put("/f", feed(51, 60))
    reader.later()
    (page,) = reader.pages(url)
    assert (len(page.posts), page.gap) == (10, None)


def test_older_pages_in_a_circle_end(site: Any, reader: Any, write_entry: Entry) -> None:
    url = site.feed("/f", *entries(write_entry, 1, 10))
    reader.posts(url)
    site.feed("/a1", *entries(write_entry, 31, 40), older="/a2")
    site.feed("/a2", *entries(write_entry, 21, 30), older="/a1")
    site.feed("/f", *entries(write_entry, 41, 50), older="/a1")
    reader.later()
    pages = reader.pages(url)
    assert sum(len(page.posts) for page in pages) == 30
    assert pages[0].gap is not None


def test_a_permanent_redirect_is_remembered_and_a_passing_one_is_not(
    site: Any, reader: Any, write_entry: Entry
) -> None:
    site.feed("/new", write_entry(1))
    site.feed("/other", write_entry(1))
    moved = site.put("/old", "", status=301, Location="/new")
    passing = site.put("/busy", "", status=302, Location="/other")
    ids = {post.id for post in reader.posts(moved, passing)}
    assert len(ids) == 2
    reader.later()
    assert reader.posts(moved, passing) == []
    assert [path for path, _ in site.asked] == ["/old", "/new", "/busy", "/other", "/new", "/busy", "/other"]


def test_an_address_that_it_moved_to_and_that_died_is_forgotten(site: Any, reader: Any, write_entry: Entry) -> None:
    site.feed("/new", write_entry(1))
    url = site.put("/old", "", status=308, Location="/new")
    reader.posts(url)
    del site.pages["/new"]
    reader.later()
    with pytest.raises(GiveUp, match="404"):
        reader.posts(url)
    site.feed("/old", write_entry(2), write_entry(1))
    reader.later(days=1)
    assert reader.titles(url) == ["Story 2"]


def test_a_feed_that_is_gone_says_so_loudly_and_is_left_alone(site: Any, reader: Any, write_entry: Entry) -> None:
    url = site.feed("/f", write_entry(1))
    reader.posts(url)
    site.put("/f", "gone", status=410)
    reader.later()
    account = reader.account(url)
    (stream,) = reader.network.streams(account)
    pull = reader.network.pull(account, stream, reader.cursors[stream], reader.session)
    page = next(pull)
    assert "gone for good (410)" in page.gap.reason
    with pytest.raises(GiveUp, match="gone for good"):
        next(pull)
    reader.cursors[stream] = page.cursor
    asked = len(site.asked)
    reader.later()
    with pytest.raises(GiveUp, match="Take it off the list"):
        reader.posts(url)
    assert len(site.asked) == asked
    site.feed("/f", write_entry(2), write_entry(1))
    reader.later(days=2)
    assert reader.titles(url) == ["Story 2"]


def test_a_pause_that_the_server_asks_for_is_kept(site: Any, reader: Any, write_entry: Entry) -> None:
    url = site.put("/f", "slow down", status=429, Retry_After="7200")
    with pytest.raises(RetryLater, match="429") as caught:
        reader.posts(url)
    assert caught.value.after == 7200
    reader.later(hours=1)
    with pytest.raises(RetryLater) as caught:
        reader.posts(url)
    assert caught.value.after == pytest.approx(3600, abs=5)
    assert len(site.asked) == 1
    site.feed("/f", write_entry(1))
    reader.later(hours=2)
    assert reader.titles(url) == ["Story 1"]


def test_a_server_that_fails_is_asked_less_and_less(site: Any, reader: Any) -> None:
    url = site.put("/f", "oops", status=500)
    waits = []
    for _ in range(9):
        with pytest.raises(RetryLater) as caught:
            reader.posts(url)
        waits.append(caught.value.after)
        reader.later(seconds=caught.value.after + 1)
    assert waits[:3] == [600, 1200, 2400]
    assert waits[-1] == 12 * 3600
    assert "9 looks in a row" in str(caught.value)


def test_a_feed_that_moved_to_a_private_address_is_not_followed(site: Any, reader: Any) -> None:
    url = site.put("/f", "", status=301, Location="http://169.254.169.254/latest")
    with pytest.raises(GiveUp, match="metadata"):
        reader.posts(url)
    (cursor,) = reader.cursors.values()
    assert msgspec.json.decode(cursor, type=Memory).moved == ""


def test_a_limit_that_is_used_up_is_obeyed_on_a_good_answer_too(site: Any, reader: Any, write_entry: Entry) -> None:
    url = site.feed("/f", write_entry(1), X_RateLimit_Remaining="0", Retry_After="3000")
    assert reader.titles(url) == ["Story 1"]
    reader.later(minutes=45)
    reader.posts(url)
    assert len(site.asked) == 1


def test_many_feeds_of_one_host_are_read_in_portions(site: Any, reader: Any, write_entry: Entry) -> None:
    urls = [site.feed(f"/{n}", write_entry(n)) for n in range(BURST + 10)]
    assert len(reader.posts(*urls)) == BURST
    reader.later(seconds=20)
    assert len(reader.posts(*urls)) == 10


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("<!DOCTYPE html><html><head><title>Sorry</title></head><body>Error</body></html>", "a web page, not a feed"),
        (
            '<html><head><link rel="alternate" type="application/rss+xml" href="/real.xml"></head></html>',
            "the page names a feed: http://127.0.0.1",
        ),
        ("", "the answer is empty"),
        ("Internal error", "no feed that is known"),
        ("<rubbish/>", "no feed that is known"),
        ('{"items": []}', "no JSON Feed"),
        ('{"version": "https://jsonfeed.org/version/1.1", "items": 7}', "no list of items"),
        ('{"version": "https://jsonfeed.org/version/1.1", ' + '"a":[' * 100_000, "cannot be read"),
        (b"\x89PNG\r\n\x1a\n" + bytes(300), "no feed that is known"),
        (
            '<!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;"><!ENTITY c "&b;&b;"><!ENTITY d "&c;&c;">]><rss/>',
            "made of other entities",
        ),
        (f'<!DOCTYPE rss [<!ENTITY a "{"A" * 60_000}">]><rss version="2.0"/>', "more entities"),
        (b"<rss version='2.0'>" + b" " * 6_000_000 + b"</rss>", "more than 5,000,000 bytes"),
    ],
    ids=range(12),
)
def test_what_is_no_feed_is_refused_with_the_reason(site: Any, reader: Any, body: str | bytes, reason: str) -> None:
    url = site.put("/f", body)
    with pytest.raises((GiveUp, RetryLater)) as caught:
        reader.posts(url)
    assert reason in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_an_entity_never_reads_a_file(site: Any, reader: Any) -> None:
    bomb = (
        '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss version="2.0"><channel><title>T</title>'
        "<item><title>a &x; b</title><guid>1</guid></item></channel></rss>"
    )
    assert "root:" not in "".join(post.text for post in reader.posts(site.put("/f", bomb)))


def test_a_body_that_names_a_file_opens_none(site: Any, reader: Any) -> None:
    with pytest.raises(GiveUp, match="no feed that is known"):
        reader.posts(site.put("/f", "/etc/passwd"))


def test_the_wrong_charset_costs_letters_and_not_items(site: Any, reader: Any) -> None:
    body = '<rss version="2.0"><channel><title>T</title><item><title>Grüße</title><guid>1</guid></item></channel></rss>'
    latin = site.put("/l", body.encode("latin-1"), Content_Type="application/xml; charset=iso-8859-1")
    lying = site.put("/u", body.encode("latin-1"), Content_Type="application/xml; charset=utf-8")
    told = site.put("/w", ('<?xml version="1.0" encoding="windows-1252"?>' + body).encode("cp1252"))
    texts = [post.text for post in reader.posts(latin, lying, told)]
    assert texts[0] == texts[2] == "Grüße"
    assert texts[1].startswith("Gr")


def test_a_cursor_that_cannot_be_read_starts_anew_and_says_so(site: Any, reader: Any, write_entry: Entry) -> None:
    url = site.feed("/f", write_entry(1))
    account = reader.account(url)
    (stream,) = reader.network.streams(account)
    for cursor in ("{", "[]", '{"marks": 7}'):
        (page,) = reader.network.pull(account, stream, cursor, reader.session)
        assert len(page.posts) == 1
        assert "unreadable" in page.gap.reason


def test_a_cursor_of_a_clock_that_ran_ahead_is_no_reason_to_wait(site: Any, reader: Any, write_entry: Entry) -> None:
    url = site.feed("/f", write_entry(1))
    account = reader.account(url)
    (stream,) = reader.network.streams(account)
    ahead = Memory(wait_until=reader.now + dt.timedelta(days=400)).encode()
    (page,) = reader.network.pull(account, stream, ahead, reader.session)
    assert len(page.posts) == 1


def test_what_is_remembered_stays_bounded(site: Any, reader: Any, write_entry: Entry) -> None:
    url = site.feed("/f", write_entry(0))
    for start in range(0, 2000, 250):
        site.feed("/f", *entries(write_entry, start, start + 260))
        reader.later()
        reader.posts(url)
    (cursor,) = reader.cursors.values()
    assert len(msgspec.json.decode(cursor, type=Memory).marks) <= MOST_KNOWN + 261 + 260
    assert len(cursor) < 150_000


def test_a_deleted_entry_is_told(site: Any, reader: Any, write_entry: Entry) -> None:
    url = site.feed("/f", write_entry(1))
    (post,) = reader.posts(url)
    body = (
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:at="http://purl.org/atompub/tombstones/1.0"><title>T</title>'
        '<at:deleted-entry ref="tag:parcel.example,2026:1" when="2026-11-21T11:00:00Z"/>' + write_entry(2) + "</feed>"
    )
    site.put("/f", body)
    reader.later()
    (page,) = reader.pages(url)
    assert page.deleted == (post.id,)


def test_one_feed_in_two_channels_or_by_http_and_https_has_the_same_ids(site: Any, reader: Any) -> None:
    from rapport.networks.feeds.parse import feed_key

    assert feed_key("https://www.parcel.example/feed/") == feed_key("http://www.parcel.example/feed")
    assert feed_key("https://parcel.example/a") != feed_key("https://parcel.example/b")


def test_a_stream_that_the_channel_does_not_have_is_refused(reader: Any) -> None:
    with pytest.raises(InvalidInput, match="no feed"):
        list(reader.network.pull(reader.account(), "feed:other", "", reader.session))


def test_who_chooses_a_shorter_time_does_not_wait_for_the_longer_one_to_end(
    site: Any, reader: Any, write_entry: Entry
) -> None:
    address = site.feed("/a.xml", write_entry(1))
    reader.pages(address, every="1440")
    site.feed("/a.xml", write_entry(2), write_entry(1))
    reader.later(minutes=6)
    assert reader.pages(address, every="1440") == []
    [page] = reader.pages(address, every="5")
    assert [post.text.partition("\n")[0] for post in page.posts] == ["Story 2"]


def test_a_server_that_asks_to_be_left_alone_is_left_alone_whatever_is_chosen(
    site: Any, reader: Any, write_entry: Entry
) -> None:
    address = site.feed("/a.xml", write_entry(1), Cache_Control="max-age=3600")
    reader.pages(address, every="1440")
    reader.later(minutes=30)
    assert reader.pages(address, every="5") == []
    reader.later(minutes=31)
    assert len(reader.pages(address, every="5")) == 1
