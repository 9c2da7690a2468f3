"""Markup of networks -> plain text."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.networks.html import plain_text

LONG = (
    '<a href="https://example.com/a/long/path?x=1&amp;y=2" rel="nofollow"><span class="invisible">https://</span>'
    '<span class="ellipsis">example.com/a/lo</span><span class="invisible">ng/path?x=1&amp;y=2</span></a>'
)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<p>one<br>two<br/>three<br />four</p>", "one\ntwo\nthree\nfour"),
        ("<p>a &amp; b &lt;c&gt; &#39;d&#39; &nbsp;e</p>", "a & b <c> 'd'  e"),
        ("plain", "plain"),
        ("", ""),
        (f"<p>see {LONG} now</p>", "see https://example.com/a/long/path?x=1&y=2 now"),
        (
            '<span><a href="https://s.example/@brand" class="u-url mention">@<span>brand</span></a></span> hello',
            "@brand hello",
        ),
        ('<a href="https://s.example/tags/delay" class="mention hashtag" rel="tag">#<span>delay</span></a>', "#delay"),
        ('<a href="https://evil.example/x">https://bank.example</a>', "https://bank.example (https://evil.example/x)"),
        ('<a href="https://evil.example/x" class="mention">my bank</a>', "my bank (https://evil.example/x)"),
        ('<a href="https://example.com/">example.com</a>', "https://example.com/"),
        ('<a href="javascript:alert(1)">click</a>', "click"),
        ('<a href="https://a.example/">', "https://a.example/"),
        ("<a href='https://a.example/1'>one</a> <a href=https://a.example/2>two</a>",
         "one (https://a.example/1) two (https://a.example/2)"),
        ("<ul><li>one</li><li>two</li></ul><p>end</p>", "- one\n- two\n\nend"),
        ("a<!-- hidden -->b", "ab"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("<svg/onload=alert(1)>x", "x"),
    ],
)  # fmt: skip
def test_the_text_reads_as_it_was_written(html: str, text: str) -> None:
    assert plain_text(html)[0] == text


def test_links_are_listed_whole_and_mentions_are_not_links() -> None:
    html = f'{LONG} <a class="mention" href="https://s.example/@a">@a</a> <a href="https://b.example">b.example</a>'
    assert plain_text(html)[1] == ("https://example.com/a/long/path?x=1&y=2", "https://b.example")


@given(st.text(alphabet="<>/ab ='\"&;#\n!-", max_size=300))
def test_no_markup_makes_it_fail(html: str) -> None:
    plain_text(html)


@pytest.mark.parametrize(
    "piece", ["<", "<a href=", "<a href='", "<!--", "&", "</p>", "<a>", "\n", " ", "<p ", '<a x="']
)
def test_hostile_markup_takes_time_in_proportion_to_its_length(piece: str) -> None:
    html = piece * (1_000_000 // len(piece))
    start = time.perf_counter()
    plain_text(html)
    assert time.perf_counter() - start < 5
