"""Files of every layout, whole and damaged, become posts or rejects with a reason."""

import contextlib
import csv
import datetime as dt
import io
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.errors import InvalidInput
from rapport.core.post import Post
from rapport.networks.files.read import MAX_CELL, Reject, Row, open_rows

NOW = dt.datetime(2026, 11, 21, 10, tzinfo=dt.UTC)
REAL = Path(__file__).parents[4] / "shared" / "data"

TWEETS = "tweet_id,author_id,inbound,created_at,text,response_tweet_id,in_response_to_tweet_id\n"
TWEET = "{id},{author},{inbound},Tue Oct 31 22:10:47 +0000 2017,{text},,{parent}\n"


def tweet(id_: str = "1", author: str = "115712", inbound: str = "True", text: str = "hello", parent: str = "") -> str:
    return TWEET.format(id=id_, author=author, inbound=inbound, text=text, parent=parent)


def read(content: str | bytes) -> list[Row | Reject]:
    raw = content.encode() if isinstance(content, str) else content
    return list(open_rows(io.BytesIO(raw), NOW)[1])


def posts(content: str | bytes) -> list[Post]:
    rows = read(content)
    assert all(isinstance(row, Row) for row in rows), rows
    return [post for row in rows if isinstance(row, Row) for post in row.posts]


def only_post(content: str) -> Post:
    (post,) = posts(content)
    return post


def line(**fields: object) -> str:
    return json.dumps({"network": "x", "id": "1", "text": "hi", "created_at": "2026-11-21T09:00:00Z"} | fields) + "\n"


ANN = {"handle": "ann"}


# ---------------------------------------------------------------- Customer Support on Twitter
def test_a_customers_tweet_becomes_a_post_on_x() -> None:
    post = only_post(TWEETS + tweet(text='"@AcmeHelp #late again &amp; again: https://t.co/a?b#c."'))
    assert (post.network, post.id, post.kind) == ("x", "1", "post")
    assert post.created_at == dt.datetime(2017, 10, 31, 22, 10, 47, tzinfo=dt.UTC)
    assert post.text == "@AcmeHelp #late again & again: https://t.co/a?b#c."
    assert (post.author.id, post.author.handle, post.author.ours) == ("115712", "115712", False)
    assert (post.mentions, post.hashtags, post.links) == (("AcmeHelp",), ("late",), ("https://t.co/a?b#c",))


def test_what_is_not_inbound_is_ours_and_answers_its_parent() -> None:
    post = only_post(TWEETS + tweet(author="AcmeHelp", inbound="False", parent="7"))
    assert (post.author.ours, post.in_reply_to, post.kind) == (True, "7", "reply")


def test_threads_never_come_from_the_root_column() -> None:
    header = "thread_root_id," + TWEETS
    assert only_post(header + "99," + tweet(parent="7")).thread is None


def test_a_repost_by_hand_is_a_repost() -> None:
    assert only_post(TWEETS + tweet(text="RT @ann: hello")).kind == "repost"


def test_a_row_without_an_id_gets_the_same_id_every_time() -> None:
    first, second = (only_post(TWEETS + tweet(id_="")).id for _ in range(2))
    assert first == second
    assert first != only_post(TWEETS + tweet(id_="", text="other")).id


def test_an_id_that_a_spreadsheet_rounded_is_refused() -> None:
    (reject,) = read(TWEETS + tweet(id_="5.70306E+17"))
    assert isinstance(reject, Reject)
    assert "spreadsheet" in reject.reason


def test_ids_that_went_through_floats_are_mended() -> None:
    assert only_post(TWEETS + tweet(parent="119236.0")).in_reply_to == "119236"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (tweet(inbound="maybe"), "inbound: 'maybe' is neither True nor False"),
        (tweet(author=""), "author_id: must not be empty"),
        (tweet().replace("Oct", "Okt"), "created_at: 'Tue Okt"),
        (tweet().replace("2017", "2099"), "created_at: 2099"),
        (tweet().replace("2017", "99999"), "created_at: "),
        ("1,2,True\n", "3 cells, but the header names 7 columns"),
        (tweet(id_="a\x00b"), "id: contains NUL"),
        (tweet(text="x" * 100_001), "text: 100,001 characters"),
        (tweet(text='"open'), "broken quotes"),
    ],
)
def test_a_bad_row_is_rejected_with_its_line_and_the_rest_goes_on(row: str, reason: str) -> None:
    bad, good = read(TWEETS + row + tweet(id_="2"))
    assert isinstance(bad, Reject)
    assert (bad.line, bad.reason[: len(reason)]) == (2, reason)
    assert isinstance(good, Row)
    assert good.line == 3


def test_a_nul_in_a_text_does_not_cost_the_post() -> None:
    assert only_post(TWEETS + tweet(text="a\x00b")).text == "a\ufffdb"


def test_quoted_newlines_stay_in_the_text_and_lines_keep_their_numbers() -> None:
    rows = read(TWEETS + tweet(text='"one\ntwo\n\nthree"') + tweet(id_="2"))
    assert [row.line for row in rows] == [2, 6]
    assert isinstance(rows[0], Row)
    assert rows[0].posts[0].text == "one\ntwo\n\nthree"


def test_a_quote_left_open_costs_one_row_and_not_the_rows_after_it() -> None:
    rows = read(TWEETS + tweet(id_="1", text='"open') + "".join(tweet(id_=str(n)) for n in range(2, 50)))
    assert isinstance(rows[0], Reject)
    assert [row.posts[0].id for row in rows if isinstance(row, Row)] == [str(n) for n in range(2, 50)]


def test_a_quote_left_open_for_megabytes_stops_the_reading_and_says_so() -> None:
    filler = tweet(text="x" * 80_000) * (MAX_CELL // 80_000 + 1)
    (reject,) = read(TWEETS + tweet(text='"open') + filler)
    assert isinstance(reject, Reject)
    assert "nothing after it was read" in reject.reason


def test_a_line_that_is_not_utf8_is_rejected_alone() -> None:
    bad, good = read(TWEETS.encode() + tweet(text="caf\xe9").encode("latin-1") + tweet(id_="2").encode())
    assert isinstance(bad, Reject)
    assert "not UTF-8 at byte" in bad.reason
    assert isinstance(good, Row)


# ---------------------------------------------------------------- the other tables
def test_an_airline_tweet_keeps_its_zone_and_handle() -> None:
    post = only_post("tweet_id,name,text,tweet_created,retweet_count\n57,jn,@Fly why?,2015-02-24 11:35:52 -0800,3\n")
    assert post.created_at == dt.datetime(2015, 2, 24, 19, 35, 52, tzinfo=dt.UTC)
    assert (post.author.handle, post.mentions, post.metrics.reposts) == ("jn", ("Fly",), 3)
    assert post.url == "https://x.com/jn/status/57"


FULL = "Name,Review ID,Review Title,Review Text,Rating,Review Time,Reply Text,Company Domain,Language\n"


def test_a_companys_reply_answers_the_review_as_ours() -> None:
    review, reply = posts(FULL + "Acme Ltd,r1,Slow,It came late,2,2025-10-06T13:56:28.000Z,Sorry!,www.acme.test,en\n")
    assert (review.kind, review.rating, review.text, review.lang) == ("review", 2.0, "Slow\n\nIt came late", "en")
    assert not review.author.ours
    assert (reply.in_reply_to, reply.author.handle, reply.author.ours) == ("r1", "acme.test", True)
    assert reply.created_at > review.created_at


def test_a_title_that_only_begins_the_text_is_not_said_twice() -> None:
    review = only_post(FULL + "A,r1,I call your...,I call your number,1,2025-10-06T13:56:28Z,,acme.test,en\n")
    assert review.text == "I call your number"


def test_the_plain_review_layout_is_read() -> None:
    post = only_post(
        "brand,id,text,rating,title,likes,experienced,published\nacme,a1,Fine,5,Great,2,,2015-12-19T01:38:04Z\n"
    )
    assert (post.id, post.rating, post.text, post.metrics.likes) == ("a1", 5.0, "Great\n\nFine", 2)
    assert post.mentions == ("acme",)


def test_a_rating_out_of_range_is_rejected() -> None:
    (reject,) = read(FULL + "A,r1,T,Text,6,2025-10-06T13:56:28Z,,acme.test,en\n")
    assert isinstance(reject, Reject)
    assert "outside 1 to 5" in reject.reason


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_tables_with_other_signs_between_cells_are_read(sign: str) -> None:
    content = io.StringIO()
    writer = csv.writer(content, delimiter=sign)
    writer.writerow(["tweet_id", "name", "text", "tweet_created"])
    writer.writerow(["1", "ann", "a,b;c\td", "2015-02-24 11:35:52 -0800"])
    assert only_post(content.getvalue()).text == "a,b;c\td"


# ---------------------------------------------------------------- whole files
def test_a_byte_order_mark_is_no_part_of_the_first_column() -> None:
    assert len(posts(b"\xef\xbb\xbf" + (TWEETS + tweet()).encode())) == 1
    assert len(posts(b"\xef\xbb\xbf" + line(author=ANN).encode())) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ((TWEETS + tweet()).encode("utf-16"), "UTF-16"),
        (b"\x1f\x8b\x08\x00rest", "packed"),
        (b"[{}]", "one object a line"),
        (b"a,b,c\n1,2,3\n", "no table that I know"),
        (b"caf\xe9,b\n", "not UTF-8"),
        (TWEETS.replace(",created_at", "").encode(), "these columns are missing: created_at"),
        (TWEETS.replace("text", "tweet_id").encode(), "names a column twice: tweet_id"),
        (b'"open header\n', "header cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_at_all_says_what_to_do(content: bytes, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        read(content)


def test_a_missing_column_names_every_layout_there_is() -> None:
    with pytest.raises(InvalidInput) as refused:
        read(TWEETS.replace(",text", ""))
    for title in ("Customer Support on Twitter", "Twitter US Airline Sentiment", "Trustpilot reviews"):
        assert title in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"\n\n \n", b"\xef\xbb\xbf"])
def test_an_empty_file_has_no_rows(content: bytes) -> None:
    assert read(content) == []


def test_jsonl_goes_on_after_lines_that_are_no_posts() -> None:
    bad = ['{"network":"x"}', "{", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "[]", "null", "17"]
    rows = read(line(author=ANN) + "\n".join(bad) + "\n\n" + line(id="2", author=ANN))
    assert [type(row).__name__ for row in rows] == ["Row", *["Reject"] * len(bad), "Row"]
    assert rows[-1].line == len(bad) + 3


def test_jsonl_whose_first_line_is_broken_is_still_jsonl() -> None:
    bad, good = read("oops\n" + line(author=ANN))
    assert isinstance(bad, Reject)
    assert isinstance(good, Row)


def test_a_date_at_the_edge_of_the_calendar_is_rejected_and_not_a_crash() -> None:
    rows = read(line(author=ANN, created_at="0001-01-01T00:00:00+14:00") + line(id="2", author=ANN))
    assert [type(row).__name__ for row in rows] == ["Reject", "Row"]


@given(st.binary(max_size=400))
def test_no_bytes_after_a_good_header_crash_the_reading(noise: bytes) -> None:
    for row in read(TWEETS.encode() + noise):
        assert row.line >= 2


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused_in_words(noise: bytes) -> None:
    with contextlib.suppress(InvalidInput):
        assert all(row.line >= 1 for row in read(noise))


@given(st.lists(st.text(max_size=60).filter(lambda text: text.encode("utf-8", "ignore").decode() == text), max_size=8))
def test_every_text_that_a_correct_writer_writes_comes_back(texts: list[str]) -> None:
    content = io.StringIO(newline="")
    writer = csv.writer(content)
    writer.writerow(TWEETS.strip().split(","))
    for number, text in enumerate(texts):
        writer.writerow([number, "115", "True", "Tue Oct 31 22:10:47 +0000 2017", text, "", ""])
    found = [row.posts[0].id for row in read(content.getvalue()) if isinstance(row, Row)]
    assert found == [str(number) for number in range(len(texts))]


def test_rows_are_handed_out_before_the_file_is_read_to_its_end() -> None:
    class Endless(io.RawIOBase):
        served = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            chunk = (TWEETS if not self.served else tweet(id_=str(self.served))).encode()
            buffer[: len(chunk)] = chunk
            self.served += 1
            return len(chunk)

    source = Endless()
    rows = open_rows(io.BufferedReader(source, 512), NOW)[1]
    assert [next(rows).line for _ in range(10)] == list(range(2, 12))
    assert source.served < 100


# ---------------------------------------------------------------- real files
def real(name: str) -> Path:
    path = REAL / name
    if not path.exists():
        pytest.skip(f"the real data is not beside the project: {name}")
    return path


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "rows", "written"),
    [
        ("03_twcs/threads.csv", 8137, 8137),
        ("03_twcs/agent_replies.csv", 3500, 3500),
        ("02_airline/airline_tweets.csv", 9529, 9529),
        ("08_reviews/trustpilot_pet_insurance.csv", 710, 710),
        ("08_reviews/trustpilot_with_replies.csv", 1327, 1757),
    ],
)
def test_every_row_of_the_real_files_is_read(name: str, rows: int, written: int) -> None:
    with real(name).open("rb") as file:
        found = list(open_rows(file, NOW)[1])
    assert [row for row in found if isinstance(row, Reject)] == []
    assert len(found) == rows
    assert sum(len(row.posts) for row in found if isinstance(row, Row)) == written


@pytest.mark.data
def test_the_real_threads_are_linked_by_replies_to_known_tweets() -> None:
    with real("03_twcs/threads.csv").open("rb") as file:
        found = [row.posts[0] for row in open_rows(file, NOW)[1] if isinstance(row, Row)]
    kinds = Counter(post.kind for post in found)
    assert kinds["reply"] > kinds["post"] > 0
    assert sum(post.author.ours for post in found) == 4459
