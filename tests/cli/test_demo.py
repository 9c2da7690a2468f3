"""The sample of the demo: consistent, varied, harmless, and alive on the desk."""

import datetime as dt
import re
from collections import Counter

import pytest

from rapport.cli.demo import load_demo, make_posts, read_desk, read_lines, read_people
from rapport.core.post import admit
from rapport.core.query import compile_topics

NOW = dt.datetime(2026, 11, 21, 10, tzinfo=dt.UTC)


def test_every_line_has_a_speaker_and_answers_an_older_post_of_the_same_network() -> None:
    people, lines = read_people(), read_lines()
    by_id = {line.id: line for line in lines}
    assert len(by_id) == len(lines)
    for line in lines:
        speaker = people[line.by]
        if line.re is not None:
            parent = by_id[line.re]
            assert parent.ago > line.ago, line.id
            assert people[parent.by].network == speaker.network, line.id


def test_there_is_enough_of_everything() -> None:
    people, lines = read_people(), read_lines()
    assert len(lines) >= 280
    assert len({line.by for line in lines if not people[line.by].ours}) >= 75
    networks = Counter(people[line.by].network for line in lines)
    assert set(networks) == {"mastodon", "x", "bluesky", "trustpilot"}
    assert sum(line.stars is not None for line in lines) >= 20
    assert sum(line.direct for line in lines) >= 8
    assert min(line.ago for line in lines) < 15
    assert max(line.ago for line in lines) > 20 * 24 * 60


def test_every_text_is_different_except_what_is_passed_on() -> None:
    texts = Counter(line.text for line in read_lines() if not line.repost)
    assert [text for text, times in texts.items() if times > 1] == []


def test_nothing_leads_to_a_real_place() -> None:
    for post in make_posts(NOW):
        for link in post.links:
            assert re.match(r"https://[\w-]+\.example(/|$)", link), link
    for voice in read_people().values():
        if "@" in voice.handle or "." in voice.handle:
            assert voice.handle.endswith(".example"), voice.handle


def test_every_post_can_be_taken_in() -> None:
    posts = make_posts(NOW)
    assert [admit(post, NOW) for post in posts] == posts
    assert [post.created_at for post in posts] == sorted(post.created_at for post in posts)
    assert all(post.created_at < NOW for post in posts)


def test_the_topics_of_the_demo_compile() -> None:
    assert compile_topics([(topic.slug, topic.query) for topic in read_desk().topic])


@pytest.mark.django_db
def test_the_demo_fills_the_desk_and_leaves_it_alone_the_second_time() -> None:
    from rapport.store.models import BusMessage, Channel, Conversation, Membership, Note, Post, User

    owner = User.objects.create_user("owner@fernway.example")
    now = dt.datetime.now(dt.UTC)
    workspace = load_demo(owner, now)
    assert Post.objects.of(workspace).count() == len(read_lines())
    assert not BusMessage.objects.exists()
    conversations = Conversation.objects.of(workspace)
    states = Counter(conversations.values_list("state", flat=True))
    assert states["open"] > 60
    assert states["resolved"] > 20
    assert states["quarantined"] >= 1
    assert len(set(conversations.filter(state="open").values_list("basket__slug", flat=True))) >= 5
    assert Membership.objects.of(workspace).count() == 6
    assert Note.objects.of(workspace).count() >= 4
    assert conversations.filter(assignee__user=owner).exists()
    assert {channel.state for channel in Channel.objects.of(workspace)} == {"off"}
    assert load_demo(owner, now) == workspace
    assert Post.objects.of(workspace).count() == len(read_lines())
