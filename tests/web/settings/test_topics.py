"""Topics: boxes and text side by side, tried on stored posts, with the place of an error shown."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import msgspec
import pytest
from django.test import Client

BASE = "/w/fernway/settings/topics/"


@pytest.fixture
def lea(cast: Any, enter: Any) -> Client:
    client: Client = enter(cast.lea)
    return client


def test_the_empty_page_says_how_to_begin(lea: Client) -> None:
    assert "Begin with the name of your brand" in lea.get(BASE).content.decode()


def test_a_topic_is_made_changed_and_deleted(lea: Client, cast: Any) -> None:
    from rapport.store.models import Topic

    made = {"name": "Delays", "query": 'delay* NOT "on time"\r\nOR late', "active": "on"}
    answer = lea.post(f"{BASE}new/", made)
    topic = Topic.objects.get()
    assert answer.headers["Location"] == f"{BASE}{topic.pk}/"
    assert (topic.slug, topic.query, topic.active) == ("delays", 'delay* NOT "on time"\nOR late', True)
    lea.post(f"{BASE}{topic.pk}/", {"name": "Delays here", "query": "delay"})
    topic.refresh_from_db()
    assert (topic.slug, topic.name, topic.query, topic.active) == ("delays", "Delays here", "delay", False)
    lea.post(f"{BASE}{topic.pk}/delete/")
    assert not Topic.objects.exists()


def test_a_change_is_in_force_at_once(lea: Client, cast: Any) -> None:
    before = cast.workspace.config_version
    lea.post(f"{BASE}new/", {"name": "Delays", "query": "delay", "active": "on"})
    cast.workspace.refresh_from_db()
    assert cast.workspace.config_version > before


def test_an_error_shows_its_place_and_keeps_what_was_typed(lea: Client) -> None:
    from rapport.store.models import Topic

    answer = lea.post(f"{BASE}new/", {"name": "Delays", "query": "late OR\r\ncolour:red", "active": "on"})
    page = answer.content.decode().replace("\r\n", "\n")
    assert answer.status_code == 422
    assert "late OR\ncolour:red" in page
    assert 'value="Delays"' in page
    assert "at character 9" in page
    assert '<span class="no">2</span><span class="code">colour:red</span>' in page
    assert '<span class="code">^</span>' in page
    assert not Topic.objects.exists()


def test_the_list_counts_what_each_topic_found_in_as_many_queries_however_long(
    lea: Client, cast: Any, now: Any, django_assert_max_num_queries: Any
) -> None:
    from rapport.store.models import Channel, Handle, Person, Post, Topic, TopicMatch

    space = {"workspace": cast.workspace}
    channel = Channel.objects.create(network="file", slug="f", name="f", **space)
    person = Person.objects.create(first_seen=now, last_seen=now, **space)
    handle = Handle.objects.create(person=person, network="file", external_id="1", **space)
    times = {"created_at": now, "seen_at": now, "sort_at": now}
    for number in range(40):
        topic = Topic.objects.create(slug=f"t{number}", name=f"T{number}", query="x", updated_at=now, **space)
        post = Post.objects.create(
            channel=channel,
            handle=handle,
            network="file",
            external_id=str(number),
            kind="post",
            text="x",
            **times,
            **space,
        )
        TopicMatch.objects.create(topic=topic, post=post, **space)
    lea.get(BASE)
    with django_assert_max_num_queries(11):
        page = lea.get(BASE).content.decode()
    assert page.count("1 post<") == 40


def test_markup_in_a_name_stays_text(lea: Client) -> None:
    lea.post(f"{BASE}new/", {"name": "<svg/onload=alert(1)>", "query": "delay", "active": "on"})
    page = lea.get(BASE).content.decode()
    assert "<svg/onload" not in page
    assert "&lt;svg/onload" in page


# ---------------------------------------------------------------- trying a query


def try_out(client: Client, **form: Any) -> tuple[str, dict[str, Any]]:
    """What the page gets while somebody types: the fragment, and the state that its script works with."""
    answer = client.post(f"{BASE}preview/", {"led": "text", **form}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    page = answer.content.decode()
    state = re.search(r'data-state="([^"]*)"', page)
    assert state is not None
    return page, json.loads(html.unescape(state[1]))


def test_the_count_and_marked_samples_of_a_query(lea: Client, hear: Any, make_post: Any) -> None:
    hear(make_post("My parcel has a delay"), make_post("No news"), make_post("<b>delay</b>"))
    page, state = try_out(lea, query="delay")
    assert re.search(r'<b class="num">2</b> <span>posts match', page)
    assert '<mark class="ask" title="">delay</mark>' in page
    assert "&lt;b&gt;" in page
    assert "<b>delay" not in page
    assert "Counted over all stored posts" in page
    assert state["said"] == "2 posts match."


def test_what_a_change_adds_and_drops_is_shown_before_it_is_saved(
    lea: Client, cast: Any, hear: Any, make_post: Any
) -> None:
    from rapport.actions.listening import save_topic
    from rapport.store.models import Topic

    topic = save_topic(cast.lea, "", "Delays", "delay", now=make_post().created_at)
    hear(make_post("delay"), make_post("late"), make_post("late again"))
    page, state = try_out(lea, query="late", topic=str(topic.pk))
    assert "+2</b> posts would be added" in page
    assert "−1</b> post would be dropped" in page
    assert state["said"] == "2 posts match. The change adds 2 and drops 1."
    assert Topic.objects.get().query == "delay"


def test_hidden_posts_are_folded_away_and_counted(lea: Client, hear: Any, make_post: Any) -> None:
    hear(make_post("delay"), make_post("delay, win a giveaway"))
    page, _state = try_out(lea, query="delay", hides="giveaway\r\n\r\n")
    assert '<b class="num">2</b> <span>posts match, 1 of them hidden' in page
    shown, _, folded = page.partition("hidden-samples")
    assert "win a" not in shown
    assert "win a" in folded


def test_text_and_boxes_say_the_same(lea: Client, channel: Any) -> None:
    _page, state = try_out(lea, query='delay (train OR "night bus") NOT refund network:mastodon')
    assert state["boxes"]["b_every"] == "delay"
    assert state["boxes"]["b_groups"] == 'train "night bus"'
    assert (state["boxes"]["b_none"], state["boxes"]["b_network"]) == ("refund", ["mastodon"])
    boxes = {"b_every": "delay", "b_groups": "train, bus\r\nlate lost", "b_phrases": "on hold", "b_left": "my",
             "b_right": "bag", "b_distance": "3", "b_ordered": "on", "b_none": "refund",
             "b_kind": ["reply"]}  # fmt: skip
    _page, state = try_out(lea, led="boxes", query="of before", **boxes)
    assert state["query"] == (
        'delay "on hold" (train OR bus) (late OR lost) kind:reply my ONEAR/3 bag NOT refund'
    )  # fmt: skip


@pytest.mark.parametrize(
    "query", ["(delay late) OR lost", "a,b", "network:nowhere delay", "delay kind:REPLY NOT (a b)"]
)
def test_a_text_that_boxes_cannot_show_leads_and_is_left_alone(lea: Client, query: str) -> None:
    _page, state = try_out(lea, query=query)
    assert (state["query"], state["boxes"], state["problem"]) == (query, {}, "")
    assert state["beyond"]


def test_the_place_of_an_error_is_named_and_the_last_count_stays(lea: Client) -> None:
    answer = lea.post(f"{BASE}preview/", {"led": "text", "query": "delay\r\ncolour:red x"})
    assert answer.headers["HX-Reswap"] == "none"
    _page, state = try_out(lea, query="delay\r\ncolour:red x")
    assert state["place"] == [6, 16]
    assert "there is no field" in state["problem"]
    assert "one of raw, author" in state["problem"]
    _page, state = try_out(lea, query="delay OR ")
    assert state["place"] == [6, 8]


def test_an_error_in_the_list_that_hides_is_told_there(lea: Client) -> None:
    _page, state = try_out(lea, query="delay", hides="fine\n(lost")
    assert state["problem"] == ""
    assert state["hides_problem"].startswith("Line 2 of the list that hides, at character 1")
    answer = lea.post(f"{BASE}new/", {"name": "Delays", "query": "delay", "hides": "(lost", "active": "on"})
    assert answer.status_code == 422
    assert "Line 1 of the list that hides" in answer.content.decode()


def test_a_long_count_goes_on_where_it_was(lea: Client, hear: Any, make_post: Any, monkeypatch: Any) -> None:
    from rapport.web.settings import topics

    monkeypatch.setattr(topics, "FIRST", 0)
    monkeypatch.setattr(topics, "NEXT", 0)
    hear(*[make_post(f"delay {n}") for n in range(250)])
    page, state = try_out(lea, query="delay")
    assert "Counting, 100 posts read so far" in page
    assert state["said"] == ""
    rounds = 1
    while so_far := re.search(r'hx-vals="([^"]*)"', page):
        page, state = try_out(lea, query="delay", **json.loads(html.unescape(so_far[1])))
        rounds += 1
    assert rounds == 3
    assert state["said"] == "250 posts match."
    assert page.count('<li class="sample"') == 20


def test_a_count_that_somebody_made_up_shows_nothing_of_others(
    lea: Client, cast: Any, hear: Any, make_post: Any
) -> None:
    """The page hands the count back; ids in it that are not this workspace's find nothing."""
    from rapport.actions.hearing import hear as hear_posts
    from rapport.actions.listening import open_file_channel
    from rapport.bus.table import TableBus
    from rapport.store.models import Post
    from rapport.store.queries.topic_part import Part
    from rapport.store.queries.topics import Asked, Count

    now = make_post().created_at
    theirs = open_file_channel(cast.charlie.workspace, "f", "mastodon", now=now)
    hear_posts(theirs, [make_post("a secret delay")], TableBus(), now=now)
    rows = list(Post.objects.values_list("pk", flat=True))
    made_up = Count(digest=Asked("delay").digest, now=now, below=0, samples=rows, people=Part(samples=rows))
    for automated in ("", "without"):
        page, _state = try_out(
            lea, query="delay", so_far=msgspec.json.encode(made_up).decode(), automated=automated
        )  # fmt: skip
        assert "secret" not in page


def test_a_topic_of_another_workspace_is_missing(lea: Client, cast: Any, now: Any) -> None:
    from rapport.actions.listening import save_topic

    theirs = save_topic(cast.charlie, "", "Theirs", "delay", now=now)
    assert lea.post(f"{BASE}preview/", {"query": "late", "topic": str(theirs.pk)}).status_code == 404
    assert lea.get(f"{BASE}{theirs.pk}/apply/").status_code == 404
    assert lea.post(f"{BASE}{theirs.pk}/apply/").status_code == 404


def test_without_a_script_buttons_do_the_same(lea: Client, hear: Any, make_post: Any) -> None:
    from rapport.store.models import Topic

    hear(make_post("delay"))
    page = lea.post(f"{BASE}new/", {"led": "text", "query": "delay", "do": "show"}).content.decode()
    assert re.search(r'<b class="num">1</b> <span>post matches', page)
    assert 'name="b_every" value="delay"' in page
    page = lea.post(f"{BASE}new/", {"led": "text", "query": "late", "b_every": "delay", "do": "build"}).content.decode()
    assert re.search(r"<textarea[^>]*id=.id_query.[^>]*>\s*delay</textarea>", page)
    assert not Topic.objects.exists()


def test_a_topic_without_a_name_is_refused_and_keeps_its_query(lea: Client) -> None:
    answer = lea.post(f"{BASE}new/", {"name": " ", "query": "delay", "active": "on"})
    assert answer.status_code == 422
    assert "A topic needs a name." in answer.content.decode()
    assert ">\ndelay</textarea>" in answer.content.decode()


# ---------------------------------------------------------------- stored posts, share of voice


def test_saving_can_apply_the_query_to_stored_posts(lea: Client, hear: Any, make_post: Any, cast: Any) -> None:
    from rapport.actions.rematch import carry_on_rematches
    from rapport.store.models import Topic, TopicMatch

    hear(make_post("delay"))
    lea.post(f"{BASE}new/", {"name": "Delays", "query": "delay", "active": "on", "apply": "on"})
    topic = Topic.objects.get()
    running = lea.get(f"{BASE}{topic.pk}/apply/").content.decode()
    assert 'hx-trigger="every 1s"' in running
    assert "<progress" in running
    carry_on_rematches(cast.workspace, now=make_post().created_at)
    done = lea.get(f"{BASE}{topic.pk}/apply/").content.decode()
    assert "Applied to 1 stored posts: 1 added, 0 dropped." in done
    assert "every 1s" not in done
    assert TopicMatch.objects.count() == 1
    lea.post(f"{BASE}{topic.pk}/apply/")
    assert "every 1s" in lea.get(f"{BASE}{topic.pk}/").content.decode()


def test_the_share_of_voice_over_a_period(
    lea: Client, cast: Any, hear: Any, make_post: Any, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rapport.actions.listening import save_topic

    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
    save_topic(cast.lea, "", "Delays", "delay", now=now)
    save_topic(cast.lea, "", "Praise", "thanks", now=now)
    hear(make_post("delay", created_at=now), make_post("delay, thanks", created_at=now))
    page = lea.get(f"{BASE}?days=7").content.decode()
    rows = re.findall(
        r'<tr><th scope="row">.*?>([^<]*)</a></th><td class="num"[^>]*>(\d+)</td><td class="num"[^>]*>(\d+) %', page
    )
    assert rows == [("Delays", "2", "67"), ("Praise", "1", "33")]
    assert re.search(r'href="\?days=7[^"]*" aria-current="true"', page)


# ---------------------------------------------------------------- people and machines apart


def test_machines_are_told_apart_and_one_switch_leaves_them_out(
    lea: Client, hear: Any, make_post: Any, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rapport.core.post import Author
    from rapport.store.models import Topic

    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
    lea.post(f"{BASE}new/", {"name": "Delays", "query": "delay", "active": "on"})
    topic = Topic.objects.get()
    robots = [Author(id=f"r{n}", handle=f"robot{n}", bot=True) for n in range(3)]
    hear(
        make_post("I love this delay, thank you so much", author="ann", created_at=now),
        *[make_post("A terrible, terrible delay, I hate it", author=each, created_at=now) for each in robots],
    )
    page, state = try_out(lea, query="delay")
    assert re.search(r'<b class="num">4</b> <span>posts match', page)
    assert "3 of them are from accounts that look automated." in page
    assert "Without them 0 % are negative instead of 75 %." in page
    assert state["said"] == "4 posts match."
    page, state = try_out(lea, query="delay", automated="without")
    assert re.search(r'<b class="num">1</b> <span>post matches', page)
    assert "3 more are from accounts that look automated, and left out here." in page
    assert (page.count('<li class="sample"'), state["said"]) == (1, "1 post matches.")
    # the address says it, on the page of the topic and over the share of voice, and saving keeps it
    for address in (f"{BASE}{topic.pk}/?automated=without", f"{BASE}new/?automated=without"):
        form = lea.get(address).content.decode()
        assert 'name="automated" value="without" id="id_automated" checked' in form or "Nothing to count yet" in form
    answer = lea.post(f"{BASE}{topic.pk}/", {"name": "Delays", "query": "delay", "automated": "without"})
    assert answer.headers["Location"] == f"{BASE}{topic.pk}/?automated=without"
    voices = lea.get(f"{BASE}?days=7").content.decode()
    assert "3 of these are from accounts that look automated" in voices
    assert 'href="?days=7&amp;automated=without#voice-title"' in voices
    voices = lea.get(f"{BASE}?days=7&automated=without").content.decode()
    assert "3 more are from accounts that look automated, and left out here." in voices
    assert 'href="?days=30&amp;automated=without#voice-title"' in voices
