"""How often it is seen that a voucher would be unfit, on real posts that speak of one.

labels/gifts.csv: 177 posts of customers that name a voucher, coupon, gift card or discount, labelled 1 where a voucher
as the answer would be unfit (they deride one, had a useless one, want none, or leave). One person labelled them and
wrote the patterns, having read all; the first half (in the order of the file) was used to mend the patterns, the second
only to measure.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from rapport.core.unfit import leaves, refuses_gifts

LABELS = Path(__file__).parent / "labels" / "gifts.csv"
#: label file -> where the posts stand: file, column of the id, column of the text
SOURCES = {
    "airline": [("02_airline/airline_tweets.csv", "tweet_id", "text")],
    "twcs": [("03_twcs/threads.csv", "tweet_id", "text")],
    "intent": [
        ("04_intent/airline_complaints_followers.csv", "tweet_id", "tweet_text"),
        ("04_intent/complaints_preotiuc2019.csv", "tweet_id", "text"),
    ],
    "reviews": [("08_reviews/trustpilot_with_replies.csv", "Review ID", "Review Text")],
}


def read_posts(folder: Path) -> dict[tuple[str, str], str]:
    """(source, id) -> text of every post that could be labelled."""
    found = {}
    csv.field_size_limit(10**7)
    for source, files in SOURCES.items():
        for name, number, text in files:
            with (folder / name).open(encoding="utf-8", errors="replace", newline="") as lines:
                for row in csv.DictReader(lines):
                    found.setdefault((source, row[number]), row[text] or "")
    return found


@pytest.mark.data
def test_most_of_those_whom_a_voucher_would_annoy_are_seen_and_few_others(real_data: Path) -> None:
    posts = read_posts(real_data)
    with LABELS.open(encoding="utf-8", newline="") as lines:
        labelled = [(posts[row["source"], row["id"]], row["unfit"] == "1") for row in csv.DictReader(lines)]
    second = labelled[len(labelled) // 2 :]
    seen = [(bool(refuses_gifts(text) or leaves(text)), unfit) for text, unfit in second]
    right = sum(found and unfit for found, unfit in seen)
    precision = right / sum(found for found, _ in seen)
    recall = right / sum(unfit for _, unfit in seen)
    print(f"unfit voucher: precision {precision:.2f}, recall {recall:.2f}, {len(second)} posts")
    assert precision >= 0.75
    assert recall >= 0.7
