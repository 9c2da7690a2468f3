"""Lists: whose, in which order, in which state, and what one may see."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db
ROOT = "/w/fernway/"


def names(client: Client, address: str) -> list[str]:
    """The previews of the shown rows, in order."""
    listing = client.get(address).context["listing"]
    return [row.conversation.preview for row in listing.rows]


def test_the_desk_opens_on_the_first_basket(cast: Any, enter: Any) -> None:
    assert enter(cast.alice).get(ROOT).headers["Location"] == f"{ROOT}b/care/"


def test_somebody_without_a_basket_is_told_whom_to_ask(cast: Any, enter: Any) -> None:
    from rapport.store.models import BasketMember

    BasketMember.objects.of(cast.workspace).filter(membership=cast.amir).delete()
    page = enter(cast.amir).get(ROOT)
    assert page.status_code == 200
    assert "A lead can open baskets to you" in page.content.decode()


def test_most_pressing_weighs_score_priority_and_waiting(cast: Any, enter: Any, many: Any) -> None:
    from django.utils import timezone

    now = timezone.now()
    many(1, preview="shade higher score", score=52, waiting_since=now)
    many(1, preview="urgent", score=40, priority=3, waiting_since=now)
    many(1, preview="waits a day", score=50, waiting_since=now - dt.timedelta(hours=25))
    assert names(enter(cast.alice), f"{ROOT}b/care/") == ["urgent", "waits a day", "shade higher score"]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("waiting", ["answered last", "new", "never waiting"]),
        ("newest", ["never waiting", "new", "answered last"]),
        ("oldest", ["answered last", "new", "never waiting"]),
    ],
)
def test_other_orders(cast: Any, enter: Any, many: Any, now: dt.datetime, sort: str, order: list[str]) -> None:
    hour = dt.timedelta(hours=1)
    many(1, preview="new", waiting_since=now - hour, last_post_at=now - hour)
    many(1, preview="answered last", waiting_since=now - 3 * hour, last_post_at=now - 3 * hour)
    many(1, preview="never waiting", waiting_since=None, last_post_at=now)
    assert names(enter(cast.alice), f"{ROOT}b/care/?sort={sort}") == order


def test_tabs_count_and_show_whose_they_are(cast: Any, enter: Any, many: Any) -> None:
    many(2, preview="free")
    many(1, preview="mine", assignee=cast.amir)
    many(1, preview="lea's", assignee=cast.lea)
    client = enter(cast.amir)
    listing = client.get(f"{ROOT}b/care/").context["listing"]
    assert [(tab.label, tab.count) for tab in listing.tabs] == [("Mine", 1), ("Unassigned", 2), ("All", 4)]
    assert names(client, f"{ROOT}b/care/?tab=mine") == ["mine"]
    assert names(client, f"{ROOT}b/care/?tab=unassigned") == ["free", "free"]


@pytest.mark.parametrize("state", ["open", "pending", "snoozed", "resolved", "folded"])
def test_each_state_has_its_list(cast: Any, enter: Any, many: Any, state: str) -> None:
    for each in ("open", "pending", "snoozed", "resolved", "folded", "quarantined", "merged", "unopened"):
        many(1, preview=each, state=each)
    assert names(enter(cast.alice), f"{ROOT}b/care/?state={state}") == [state]


def test_nonsense_in_the_address_shows_the_usual_list(cast: Any, enter: Any, many: Any) -> None:
    many(1, preview="here")
    for query in ("tab=x&sort=score__gt&state=merged&show=-1", "show=9999999999999", "show=١٢", "q=%00%00"):
        response = enter(cast.alice).get(f"{ROOT}b/care/?{query}")
        assert response.status_code == 200
        assert [row.conversation.preview for row in response.context["listing"].rows] == ["here"]


def test_a_longer_list_is_one_click_away(cast: Any, enter: Any, many: Any) -> None:
    many(60)
    client = enter(cast.alice)
    first = client.get(f"{ROOT}b/care/").context["listing"]
    assert len(first.rows) == 50
    assert len(client.get(first.more).context["listing"].rows) == 60
    assert client.get(first.more).context["listing"].more == ""


def test_a_row_says_why_it_is_here_how_far_it_reaches_and_who_has_it(cast: Any, enter: Any, many: Any) -> None:
    many(1, why="complaint 0.93, third in 30 days", assignee=cast.lea, priority=3)
    from rapport.store.models import Handle

    Handle.objects.of(cast.workspace).update(followers=4120)
    page = enter(cast.alice).get(f"{ROOT}b/care/").content.decode()
    for words in (
        "complaint, third in 30 days",
        'title="complaint 0.93, third in 30 days"',
        "4,120 followers",
        "Lea",
        'aria-label="urgent"',
        "waits ",
    ):
        assert words in page


def test_shares_of_a_post_are_counted_not_listed(
    cast: Any, enter: Any, complaint: Any, hear: Any, make_post: Any
) -> None:
    from rapport.store.models import Handle, Post

    root = Post.objects.of(cast.workspace).get()
    hear(*(make_post("", kind="repost", in_reply_to=root.external_id, author=name) for name in ("kim", "lu")))
    Post.objects.of(cast.workspace).filter(kind="repost").update(conversation_id=complaint.pk)
    page = enter(cast.alice).get(f"{ROOT}b/care/")
    assert "shared by 2<" in page.content.decode()
    Handle.objects.filter(handle="lu").update(bot_score=0.9)
    assert "shared by 2, 1 automated<" in enter(cast.alice).get(f"{ROOT}b/care/").content.decode()


@pytest.mark.parametrize("count", [3, 50])
def test_a_list_costs_the_same_queries_however_long(
    cast: Any, enter: Any, many: Any, count: int, django_assert_max_num_queries: Any
) -> None:
    many(count, assignee=cast.lea)
    client = enter(cast.alice)
    client.get(f"{ROOT}b/care/")
    # three to know who asks, seven for the frame, seven for the list
    with django_assert_max_num_queries(18):
        client.get(f"{ROOT}b/care/")


def test_only_what_is_in_ones_baskets_is_listed_found_or_counted(cast: Any, enter: Any, many: Any) -> None:
    many(1, preview="open to Amir secretword")
    hidden = many(1, basket="sales", preview="closed to Amir secretword")[0]
    from rapport.store.models import Person

    Person.objects.of(cast.workspace).update(name="Secretword")
    amir, lea = enter(cast.amir), enter(cast.lea)
    assert amir.get(f"{ROOT}b/sales/").status_code == 404
    assert lea.get(f"{ROOT}b/sales/").status_code == 200
    assert names(amir, f"{ROOT}search/?q=secretword") == ["open to Amir secretword"]
    assert len(names(lea, f"{ROOT}search/?q=secretword")) == 2
    assert amir.get(f"{ROOT}c/{hidden.pk}/").status_code == 404
    page = amir.get(f"{ROOT}b/care/").content.decode()
    assert "/b/sales/" not in page


def test_what_is_assigned_to_me_is_mine_to_see_in_any_basket(cast: Any, enter: Any, many: Any) -> None:
    row = many(1, basket="sales", assignee=cast.amir)[0]
    assert enter(cast.amir).get(f"{ROOT}c/{row.pk}/").status_code == 200


def test_search_looks_at_names_handles_and_words_of_posts(cast: Any, enter: Any, complaint: Any) -> None:
    client = enter(cast.alice)
    for words in ("NADIA", "left in the rain", "nadia"):
        assert len(names(client, f"{ROOT}search/?q={words}")) == 1
    assert names(client, f"{ROOT}search/?q=100%25") == []
    assert names(client, f"{ROOT}search/") == []


def test_a_search_leaves_near_copies_out_unless_asked(cast: Any, enter: Any, complaint: Any) -> None:
    client = enter(cast.alice)
    complaint.state = "folded"
    complaint.save(update_fields=["state"])
    assert names(client, f"{ROOT}search/?q=nadia") == []
    page = client.get(f"{ROOT}search/?q=nadia&state=folded")
    assert len(page.context["listing"].rows) == 1
    assert [(each.label, each.current) for each in page.context["listing"].states] == [
        ("All but near-copies", False),
        ("Near-copies", True),
    ]
    assert "state=folded" in page.context["listing"].beside


def test_htmx_gets_the_list_alone(cast: Any, enter: Any, many: Any) -> None:
    many(1)
    part = enter(cast.alice).get(f"{ROOT}b/care/", headers={"HX-Request": "true", "HX-Target": "list"}).content.decode()
    assert "<html" not in part
    assert "data-row=" in part


def test_late_baskets_are_counted_in_red(cast: Any, enter: Any, many: Any, now: dt.datetime) -> None:
    many(2, waiting_since=now - dt.timedelta(days=400))
    part = enter(cast.alice).get(f"{ROOT}counts?b=care").content.decode()
    assert "2 late" in part
    assert 'class="count late"' in part


# ---------------------------------------------------------------- by mood and intent


def test_a_list_is_filtered_by_mood_and_intent_in_its_address(cast: Any, enter: Any, many: Any) -> None:
    many(1, preview="angry complaint", mood=1, intents=1)
    many(1, preview="angry question", mood=1, intents=2)
    many(1, preview="calm complaint", mood=2, intents=1 | 2)
    client = enter(cast.amir)
    assert set(names(client, f"{ROOT}b/care/?mood=negative")) == {"angry complaint", "angry question"}
    assert names(client, f"{ROOT}b/care/?mood=negative&intent=complaint") == ["angry complaint"]
    assert len(names(client, f"{ROOT}b/care/?mood=x&intent=gt")) == 3
    assert names(client, f"{ROOT}search/?q=Person&mood=neutral") == ["calm complaint"]


def test_each_choice_of_a_filter_shows_its_count_and_leads_there_and_back(cast: Any, enter: Any, many: Any) -> None:
    many(2, mood=1, intents=1)
    many(1, mood=3, intents=8)
    many(1, mood=1, intents=2, assignee=cast.amir)
    client = enter(cast.amir)
    listing = client.get(f"{ROOT}b/care/?tab=unassigned&intent=complaint").context["listing"]
    assert [(choice.label, choice.count) for choice in listing.moods] == [
        ("Negative", 2), ("Neutral", 0), ("Positive", 0),
    ]  # fmt: skip
    counted = {choice.label: choice.count for choice in listing.intents}
    assert (counted["Complaint"], counted["Praise"], counted["Question"]) == (2, 1, 0)
    negative = client.get(listing.moods[0].url).context["listing"]
    assert (len(negative.rows), [choice.label for choice in negative.chosen]) == (2, ["Negative", "Complaint"])
    assert client.get(negative.chosen[0].url).context["listing"].asked == listing.asked
    empty = client.get(f"{ROOT}b/care/?mood=neutral")
    assert "Nothing fits" in empty.content.decode()


def test_machines_are_told_apart_and_one_switch_of_the_address_leaves_them_out(
    cast: Any, enter: Any, many: Any
) -> None:
    many(2, preview="a machine", mood=1, automated=True)
    many(1, preview="a person", mood=1, automated=False)
    many(1, preview="nobody looked", mood=3)
    client = enter(cast.amir)
    page = client.get(f"{ROOT}b/care/")
    listing = page.context["listing"]
    assert "4 open (2 automated)" in listing.summary
    assert page.content.decode().count("automated</span>") == 2
    assert (listing.machines.count, listing.machines.current) == (2, False)
    without = client.get(listing.machines.url).context["listing"]
    assert {row.conversation.preview for row in without.rows} == {"a person", "nobody looked"}
    assert "2 open" in without.summary
    assert "automated=without" in without.beside
    assert [choice.label for choice in without.chosen] == ["Without automated accounts"]
    assert {choice.label: choice.count for choice in without.moods}["Negative"] == 1
    # each filter keeps the others, and taking this one away leads back
    assert "automated=without" in without.moods[0].url
    assert client.get(without.chosen[0].url).context["listing"].asked == listing.asked
    negative = client.get(without.moods[0].url).context["listing"]
    assert ([row.conversation.preview for row in negative.rows], negative.machines.count) == (["a person"], 2)
    assert len(names(client, f"{ROOT}b/care/?automated=x")) == 4


def test_ready_lists_hold_what_is_to_be_served_and_shared_from_every_basket_in_sight(
    cast: Any, enter: Any, many: Any
) -> None:
    hour = dt.timedelta(hours=1)
    from django.utils import timezone

    now = timezone.now()
    many(1, preview="weak", mood=1, intents=1, score=20)
    many(1, preview="strong", mood=2, intents=1, score=80)
    many(1, preview="elsewhere", basket="sales", mood=1, intents=1, score=90)
    many(1, preview="old praise", mood=3, intents=8, last_post_at=now - hour)
    many(1, preview="new praise", mood=3, intents=8, last_post_at=now)
    many(1, preview="bitter praise", mood=1, intents=8)
    agent, lead = enter(cast.amir), enter(cast.lea)
    assert names(lead, f"{ROOT}lists/complaints/") == ["elsewhere", "strong", "weak"]
    assert names(agent, f"{ROOT}lists/complaints/") == ["strong", "weak"]
    assert names(agent, f"{ROOT}lists/praise/") == ["new praise", "old praise"]
    assert names(agent, f"{ROOT}lists/praise/?sort=oldest") == ["old praise", "new praise"]
    page = agent.get(f"{ROOT}lists/praise/")
    assert [entry[-1] for entry in page.context["nav"].ready] == [2, 2]
    assert "Praise to share on" in page.content.decode()
    assert [choice.label for choice in page.context["listing"].states] == ["Open", "Pending", "Snoozed"]
    assert agent.get(f"{ROOT}lists/praise/?state=resolved").context["listing"].asked.state == "open"
    assert agent.get(f"{ROOT}lists/nothing/").status_code == 404


def test_a_ready_list_stays_beside_an_open_conversation(cast: Any, enter: Any, many: Any) -> None:
    row = many(1, mood=3, intents=8)[0]
    client = enter(cast.amir)
    beside = client.get(f"{ROOT}lists/praise/?mood=positive").context["listing"].beside
    page = client.get(f"{ROOT}c/{row.pk}/?{beside}")
    assert (page.context["listing"].asked.ready, page.context["listing"].asked.mood) == ("praise", "positive")
    assert f'href="{ROOT}lists/praise/?mood=positive"' in page.content.decode()


# ---------------------------------------------------------------- tags


def test_tags_stand_in_the_row_and_a_search_asks_for_them(cast: Any, enter: Any, many: Any, now: dt.datetime) -> None:
    from rapport.actions.tags import add_tag, remove_tag

    vip, both, hidden = *many(2), *many(1, basket="sales")
    for row, tags in ((vip, ["vip"]), (both, ["vip", "late"]), (hidden, ["vip"])):
        for tag in tags:
            add_tag(cast.lea, row, tag, now=now)
    amir = enter(cast.amir)
    page = amir.get(f"{ROOT}search/?q=tag%3AVIP")
    assert {row.conversation.pk for row in page.context["listing"].rows} == {vip.pk, both.pk}
    assert {row.tags for row in page.context["listing"].rows} == {("vip",), ("late", "vip")}
    found = amir.get(f"{ROOT}search/?q=tag%3Avip+tag%3Alate").context["listing"].rows
    assert [row.conversation.pk for row in found] == [both.pk]
    named = amir.get(f"{ROOT}search/?q=tag%3Avip+Person+0").context["listing"].rows
    assert [row.conversation.pk for row in named] == [vip.pk]
    remove_tag(cast.lea, vip, "vip", now=now)
    assert len(amir.get(f"{ROOT}search/?q=tag%3Avip").context["listing"].rows) == 1
    assert amir.get(f"{ROOT}search/?q=tag%3A").status_code == 400
    assert amir.get(f"{ROOT}search/?q=tag%3A%27%22%3B--").context["listing"].rows == []


def test_a_search_by_operators_is_a_list_and_a_mistake_in_it_is_said(cast: Any, enter: Any, many: Any) -> None:
    many(1, preview="open one")
    many(1, preview="done", state="resolved")
    many(1, basket="sales", preview="sold")
    client = enter(cast.amir)
    assert names(client, f"{ROOT}search/?q=is%3Aopen+in%3Acare") == ["open one"]
    answer = client.get(f"{ROOT}search/?q=in%3Asales")
    assert answer.status_code == 400
    assert "At character 1: you see no basket called “sales”. There is: care." in answer.content.decode()


def test_every_mistake_of_a_search_is_said_in_the_language_of_whoever_reads(cast: Any, enter: Any) -> None:
    client = enter(cast.amir)
    asked = f"{ROOT}search/?q=in%3Asales+is%3Aopn+before%3Asoon"
    said = client.get(asked).content.decode()
    for place, words in ((1, "you see no basket"), (10, "is: takes one of"), (17, "before: takes a day")):
        assert f"At character {place}: {words}" in said
    cast.amir.user.language = "de"
    cast.amir.user.save()
    said = client.get(asked).content.decode()
    for words in ("At character", "takes", "you see"):
        assert words not in said


def test_the_box_completes_what_this_person_may_know_of(cast: Any, enter: Any, channel: Any) -> None:
    def told(member: Any) -> dict[str, list[str]]:
        answer = enter(member).get(f"{ROOT}search/words").json()
        return {each["name"]: each["values"] for each in answer["operators"]}

    from rapport.core.search import OPERATORS

    lea, rita = told(cast.lea), told(cast.rita)
    assert set(lea) == set(OPERATORS)
    assert (lea["in"][:1], lea["network"]) == (["care"], ["mastodon"])
    assert (rita["in"], rita["network"], rita["tag"]) == (["care"], [], [])


def test_an_empty_basket_says_that_no_source_is_connected_to_those_who_can_connect_one_with_the_link(
    cast: Any, enter: Any
) -> None:
    from rapport.store.models import Channel

    empty = f"{ROOT}b/care/"
    link = f'href="{ROOT}settings/channels/connect/"'
    shown = enter(cast.alice).get(empty).content.decode()
    assert "Nobody is listened to yet" in shown
    assert link in shown
    others = enter(cast.amir).get(empty).content.decode()
    assert "An admin can connect one" in others
    assert link not in others
    Channel.objects.create(workspace=cast.workspace, network="feeds", slug="press", name="Press", state="connected")
    heard = enter(cast.alice).get(empty).content.decode()
    assert "Nobody is listened to yet" not in heard
    assert "New conversations appear by themselves" in heard
