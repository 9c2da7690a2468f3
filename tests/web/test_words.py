"""Text by strangers as HTML: links that say where they lead, marks, and nothing else."""

import json
import re
import tarfile
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.web.words import Span, cut, words_as_html

ALLOWED = {"a": {"class", "href", "rel", "target", "dir"}, "b": set(), "mark": {"class", "title", "data-why"}}


class Audit(HTMLParser):
    """Collects what a browser would make of the markup."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.wrong: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ALLOWED:
            self.wrong.append(f"<{tag}>")
            return
        for name, value in attrs:
            if name not in ALLOWED[tag]:
                self.wrong.append(f"<{tag} {name}>")
            if name == "href" and not re.match(r"https?://", value or "", re.IGNORECASE):
                self.wrong.append(f"href={value}")
            if name == "rel" and value != "nofollow noopener noreferrer":
                self.wrong.append(f"rel={value}")

    def handle_comment(self, data: str) -> None:
        self.wrong.append("comment")

    def handle_decl(self, decl: str) -> None:
        self.wrong.append("declaration")

    def handle_data(self, data: str) -> None:
        self.text += data


def audit(text: str, marks: tuple[tuple[int, int, str], ...] = ()) -> Audit:
    found = Audit()
    found.feed(words_as_html(text, marks))
    found.close()
    return found


def test_a_link_shows_the_host_that_it_leads_to() -> None:
    html = words_as_html("see https://mybank.example@evil.example/login now")
    assert "<b>evil.example</b>/login</a> now" in html
    assert 'href="https://mybank.example@evil.example/login"' in html


def test_a_link_ends_before_the_punctuation_of_the_sentence() -> None:
    assert "<b>a.example</b>/b</a>." in words_as_html("(https://a.example/b.")
    assert "/b_(c)</a>" in words_as_html("https://a.example/b_(c)")


@pytest.mark.parametrize(
    "text", ["javascript:alert(1)", "data:text/html;base64,xx", "JaVaScRiPt://a.example/%0aalert(1)"]
)
def test_only_web_addresses_become_links(text: str) -> None:
    assert "<a" not in words_as_html(text)


def test_marked_words_say_why() -> None:
    html = words_as_html("still waiting & angry", [(0, 13, "complaint")])
    assert html == '<mark class="care" data-why="complaint" title="complaint">still waiting</mark> &amp; angry'


def test_marks_that_meet_are_cut_where_one_begins_or_ends() -> None:
    assert cut([(4, 9, "anger"), (0, 5, "complaint"), (0, 5, "complaint"), (12, 14, "praise"), (3, 3, "x")]) == [
        (0, 4, ("complaint",)), (4, 5, ("complaint", "anger")), (5, 9, ("anger",)), (12, 14, ("praise",)),
    ]  # fmt: skip


def test_a_word_that_carried_several_readings_names_them_all() -> None:
    html = words_as_html("angry now", [(0, 5, "anger"), (0, 5, "negative")], str.title)
    assert html == '<mark class="care" data-why="anger negative" title="Anger, Negative">angry</mark> now'


spans = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12), st.sampled_from("abc")), max_size=6)


@given(spans)
def test_every_letter_is_marked_for_exactly_the_readings_whose_words_it_stands_in(marks: list[Span]) -> None:
    pieces = cut(marks)
    assert all(first < last for first, last, _ in pieces)
    assert all(one[1] <= other[0] for one, other in pairwise(pieces))
    for place in range(13):
        expected = {why for start, end, why in marks if start <= place < end}
        found = [set(names) for first, last, names in pieces if first <= place < last]
        assert found == ([expected] if expected else [])


def test_marks_leave_the_letters_of_every_script_as_they_were() -> None:
    text = "أنا غاضب جدا من الخدمة"
    html = words_as_html(text, [(4, 8, "anger"), (4, 12, "negative")])
    assert re.sub("<[^>]+>", "", html) == text
    assert "dir=" not in html


def test_a_mark_never_cuts_a_link() -> None:
    text = "https://a.example/refund refund"
    html = words_as_html(text, [(18, 24, "request"), (25, 31, "request")])
    assert html.count("<mark") == 1
    assert html.endswith(">refund</mark>")


@given(st.text(), st.lists(st.tuples(st.integers(-3, 40), st.integers(-3, 40), st.text(max_size=8)), max_size=5))
def test_no_text_and_no_marks_make_other_markup(text: str, marks: list[tuple[int, int, str]]) -> None:
    assert audit(text, tuple(marks)).wrong == []


@given(st.text(alphabet="<>\"'&=/:htps. @x\u202e\u200b()[]"))
def test_no_mixture_of_markup_and_links_makes_other_markup(text: str) -> None:
    assert audit("https://a" + text).wrong == []


@pytest.mark.data
def test_hostile_strings_stay_text(real_data: Path) -> None:
    folder = real_data / "11_hostile"
    strings = [line for line in json.loads((folder / "blns.json").read_text(encoding="utf-8")) if line]
    script = (folder / "dompurify_expect.mjs").read_text(encoding="utf-8")
    payloads = re.findall(r"^\s*(?:\"?payload\"?):\s*(.+?),?$", script, re.MULTILINE)
    assert len(payloads) > 100
    with tarfile.open(folder / "bleach_tests.tar.gz") as archive:
        files = [archive.extractfile(member) for member in archive.getmembers() if member.isfile()]
        strings += [file.read().decode("utf-8", "replace") for file in files if file]
    for text in strings + payloads:
        assert audit(text).wrong == [], text
        assert audit(text, ((0, len(text), "complaint"),)).wrong == [], text
