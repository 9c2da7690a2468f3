"""Reading an Instagram account from what stands in for the Graph API."""

from __future__ import annotations

import datetime as dt
import json

import pytest

import instagram_payloads as told
from graph_server import ANN, IG, NOON, PAGE, V, error, listing
from rapport.core.errors import InvalidInput, Reauthorise
from rapport.core.post import Post
from rapport.networks.base import Account, Page
from rapport.networks.http import GuardedSession
from rapport.networks.instagram.pull import pull_pages
from stand_in import StandIn, Told

MEDIA, TAGS, TALKS = f"{V}/{IG}/media", f"{V}/{IG}/tags", f"{V}/{PAGE}/conversations"
READ_BEFORE = json.dumps({"at": (NOON - dt.timedelta(minutes=30)).isoformat()})


def read(account: Account, session: GuardedSession, cursor: str = READ_BEFORE, stream: str = "comments") -> list[Page]:
    return list(pull_pages(account, stream, cursor, session, NOON))


def posts_of(pages: list[Page]) -> list[Post]:
    return [post for page in pages for post in page.posts]


def test_one_request_reads_media_comments_and_the_answers_to_them(
    graph: StandIn, brand: Account, session: GuardedSession
) -> None:
    comment = told.comment(minutes=90, replies=listing(told.ours()))
    graph.say(
        "GET", MEDIA, listing(told.medium(minutes=20, comments=listing(told.comment("17870913679156999"), comment)))
    )
    medium, newest, answer = posts_of(read(brand, session))
    assert (medium.id, medium.author.ours, medium.hashtags) == (f"media:{told.MEDIA_ID}", True, ("fernway",))
    assert (newest.id, newest.url) == ("17870913679156999", "https://www.instagram.com/p/AbC/")
    # the comment lies below the cursor and was read before; the answer to it is new and knows where it belongs
    assert (answer.thread, answer.in_reply_to, answer.author.ours) == (told.COMMENT_ID, told.COMMENT_ID, True)
    assert len(graph.calls) == 1


def test_a_burst_is_read_down_to_the_cursor_and_a_new_account_is_told_of_more(
    graph: StandIn, brand: Account, session: GuardedSession
) -> None:
    newest = [told.comment(f"1787{n:013}", n / 10) for n in range(25)]
    older = [told.comment(f"1787{n:013}", n / 10) for n in range(25, 75)]
    last = [told.comment(f"1787{n:013}", n) for n in range(75, 80)]
    graph.say("GET", MEDIA, listing(told.medium(comments=listing(*newest, after="c1"))))
    graph.say("GET", f"{V}/{told.MEDIA_ID}/comments", listing(*older, after="c2"), listing(*last, after="c3"))
    assert len(posts_of(read(brand, session))) == 75
    [first] = read(brand, session, "")
    assert first.gap is not None
    assert len(first.posts) == 26


def test_media_that_tag_us_can_be_answered_as_mentions(graph: StandIn, brand: Account, session: GuardedSession) -> None:
    graph.say("GET", TAGS, listing(told.medium("17887498072083520", 5, username="ann.field")))
    [post] = posts_of(read(brand, session, stream="mentions"))
    assert (post.id, post.author.handle, post.author.ours) == ("mention:17887498072083520", "ann.field", False)


def test_the_words_of_an_announced_mention_are_read_by_its_own_stream(
    graph: StandIn, brand: Account, session: GuardedSession
) -> None:
    said = {
        "mentioned_comment": told.comment("17894227972186120", 5, "see @fernway", media={"id": "1", "permalink": "https://www.instagram.com/p/X/"}),
        "id": IG,
    }  # fmt: skip
    graph.say("GET", f"{V}/{IG}", said)
    stream = "mention:17887498072083520:17894227972186120"
    [post] = posts_of(read(brand, session, "", stream))
    assert (post.id, post.text, post.url) == (stream, "see @fernway", "https://www.instagram.com/p/X/")
    assert graph.calls[0].query["fields"].startswith("mentioned_comment.comment_id(17894227972186120){")
    graph.say("GET", f"{V}/{IG}", Told(400, error(100, 33)))
    assert posts_of(read(brand, session, "", "mention:17887498072083520")) == []
    with pytest.raises(InvalidInput):
        read(brand, session, "", "mention:1){id},me{id}")


def test_messages_are_those_of_the_page_behind_the_account(
    graph: StandIn, brand: Account, session: GuardedSession
) -> None:
    graph.say("GET", TALKS, listing(told.conversation(told.stored("aWdfZAG1=5", 2, IG, "Hello!"), told.stored())))
    theirs, ours = posts_of(read(brand, session, stream="messages"))
    assert graph.calls[0].query["platform"] == "instagram"
    assert (theirs.author.handle, theirs.id) == ("ann.field", f"dm:{ANN}:aWdfZAG1=1")
    assert ours.author.ours


def test_a_dead_token_is_said(graph: StandIn, brand: Account, session: GuardedSession) -> None:
    graph.say("GET", MEDIA, Told(400, error(190, 460)))
    with pytest.raises(Reauthorise, match="password"):
        read(brand, session)
    with pytest.raises(InvalidInput):
        read(brand, session, stream="reels")
