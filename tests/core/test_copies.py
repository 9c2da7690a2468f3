"""Near-copies: who says nearly the same, whatever handles, links and numbers stand in it."""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import NOON
from rapport.core.copies import ALIKE, MOST_IN_BAND, Window, fingerprints, likeness, resemblance, shingles

WAVE = "They cut the power of the whole street and nobody from @fernway answers the phone"
WORDS = st.lists(st.sampled_from([f"word{letter}" for letter in "abcdefghijklmnopqrst"]), min_size=8, max_size=40)


def alike(one: str, other: str) -> float:
    return likeness(frozenset(shingles(one)), frozenset(shingles(other)))


def test_handles_links_numbers_and_letter_case_make_no_difference() -> None:
    other = (
        "RT @ann: THEY cut the power of the whole street 4711 and nobody from @other answers the phone https://a.b/c?d"
    )
    assert alike(WAVE, other) == 1.0


def test_other_words_do() -> None:
    assert alike(WAVE, "They cut the power of the whole street and Nadia from @fernway came with a lamp") < ALIKE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Thank you so much @fernway!",
        "1 2 3 4 5 6 7 8 9 10",
        "@a @b @c @d @e @f @g @h @i",
        "buy " * 40,
        "谢谢你们的帮助真好",
    ],
)
def test_a_short_text_is_never_judged(text: str) -> None:
    assert shingles(text) == []
    assert fingerprints([text]) == [b""]


def test_texts_without_spaces_are_judged_by_their_characters() -> None:
    one = "昨天晚上整条街都停电了客服电话一直没有人接真的太过分了"
    assert alike(one, one + "!") == 1.0
    assert alike(one, "今天早上我在你们的店里买了一个新的手机非常喜欢谢谢大家") < 0.2


@given(WORDS, WORDS)
def test_fingerprints_estimate_the_likeness(one: list[str], other: list[str]) -> None:
    first, second = fingerprints([" ".join(one), " ".join(other)])
    if first and second:
        # six standard deviations of sixty permutations at one half
        assert abs(resemblance(first, second) - alike(" ".join(one), " ".join(other))) < 0.39


@given(WORDS)
def test_the_same_words_have_the_same_fingerprint_in_every_batch(said: list[str]) -> None:
    text = " ".join(said)
    assert fingerprints([text])[0] == fingerprints(["something else", text, WAVE])[1]


def test_a_window_finds_what_was_added_and_forgets_what_was_taken_out() -> None:
    window = Window()
    [digest, near, far] = fingerprints(
        [WAVE, WAVE + " today", "We would like to know when the shop in Leeds will open again"]
    )
    window.add(7, digest, NOON)
    assert window.near(near) == [7]
    assert window.near(far) == []
    window.forget(7)
    window.forget(7)
    assert window.near(digest) == []


def test_what_was_kept_before_a_moment_goes_and_the_oldest_makes_room() -> None:
    window = Window(most=3)
    texts = fingerprints([f"{WAVE} {word} {word}er {word}est" for word in ("high", "low", "slow", "fast")])
    for number, digest in enumerate(texts):
        window.add(number, digest, NOON + dt.timedelta(hours=number))
    assert len(window) == 3
    assert 0 not in window.near(texts[0])
    window.forget_before(NOON + dt.timedelta(hours=3))
    assert len(window) == 1
    assert window.near(texts[3]) == [3]


def test_a_family_of_texts_that_are_nearly_alike_does_not_cost_its_square() -> None:
    window = Window()
    [digest] = fingerprints([WAVE])
    for number in range(1_000):
        window.add(number, digest, NOON)
    assert len(window.near(digest)) == MOST_IN_BAND


# ---------------------------------------------------------------- real posts


def read_texts(file: Path, key: str) -> list[str]:
    """The texts of a file, each post once: some files hold the same one several times."""
    with file.open(newline="", encoding="utf-8") as lines:
        return list({row[key]: row["text"] for row in csv.DictReader(lines)}.values())


def all_pairs(cut: Sequence[frozenset[str]]) -> Iterator[tuple[int, int]]:
    """Every pair of texts that are copies by their exact likeness: nothing is estimated and nothing left out."""
    holders: dict[str, list[int]] = {}
    for number, each in enumerate(cut):
        shared = Counter(other for shingle in each for other in holders.get(shingle, ()))
        for other, count in shared.items():
            if count / (len(each) + len(cut[other]) - count) >= ALIKE:
                yield other, number
        for shingle in each:
            holders.setdefault(shingle, []).append(number)


def find_pairs(texts: Sequence[str]) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
    """The pairs that are copies, and those that the window gives as candidates."""
    cut = [frozenset(shingles(text)) for text in texts]
    found, window = set(), Window()
    for number, digest in enumerate(fingerprints(texts)):
        if digest:
            firsts = window.near(digest)
            found |= {(first, number) for first in firsts}
            if not any(likeness(cut[first], cut[number]) >= ALIKE for first in firsts):
                window.add(number, digest, NOON)
    return set(all_pairs(cut)), found


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "key", "copies"),
    [
        ("05_spam_bots/seattle_stream_with_retweets.csv", "id", 600),
        ("02_airline/airline_tweets.csv", "tweet_id", 50),
    ],
)
def test_of_real_posts_the_same_are_folded_as_by_comparing_each_with_each(
    real_data: Path, file: str, key: str, copies: int
) -> None:
    texts = read_texts(real_data / file, key)
    pairs, candidates = find_pairs(texts)
    by_number: dict[int, set[int]] = {}
    for first, number in pairs:
        by_number.setdefault(number, set()).add(first)
    folded: set[int] = set()
    for number in sorted(by_number):
        if by_number[number] - folded:  # one of them stands for itself
            folded.add(number)
    found = {number for first, number in candidates & pairs}
    assert len(folded) >= copies
    assert len(found & folded) / len(folded) >= 0.99
    assert len(found & folded) / len(found) >= 0.99
    # candidates are compared word by word, which costs: few may be in vain
    assert len(candidates - pairs) <= 0.01 * len(texts)


@pytest.mark.data
def test_people_who_say_the_same_in_their_own_words_are_not_folded(real_data: Path) -> None:
    file = real_data / "05_spam_bots" / "twitter_url_paraphrase_train_sample.tsv"
    rows = [line.split("\t") for line in file.read_text(encoding="utf-8").splitlines()]
    values = {(one, other): alike(one, other) for one, other, *_ in rows}
    folded = [pair for pair, value in values.items() if value >= ALIKE]
    votes = {(row[0], row[1]): int(row[2][1]) for row in rows}
    assert len(rows) >= 90
    # what nobody calls the same must never be folded
    assert all(votes[pair] > 2 for pair in folded)
