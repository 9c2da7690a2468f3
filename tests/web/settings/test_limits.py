"""The page of what one account may."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from rapport.core.guard import Window
from rapport.core.guard.policy import NETWORKS
from rapport.store.models import Channel, ChannelPolicy, Spend
from rapport.store.queries.spend import policy_of


@pytest.fixture
def account(cast: Any, channel: Channel) -> Channel:
    Channel.objects.filter(pk=channel.pk).update(network="x")
    channel.refresh_from_db()
    return channel


def test_numbers_are_set_shown_and_taken_back(cast: Any, enter: Any, account: Channel, now: Any) -> None:
    client, address = enter(cast.alice), f"/w/fernway/settings/channels/{account.pk}/limits/"
    Spend.objects.create(workspace=cast.workspace, channel=account, day="2026-01-01", kind="link", count=4)
    assert b"Empty: 280" in client.get(address).content
    answer = client.post(address, {"per_hour": "20", "pile_on": "1", "day_budget": "2.50", "replies": "anyone"})
    assert answer.status_code == 302
    policy = policy_of(account)
    assert (policy.of("x").pace, policy.pile_on, policy.day_budget, policy.answers_anyone) == (
        (Window(20, 3600),), 1, 2_500, True,
    )  # fmt: skip
    page = client.get(address).content.decode()
    assert 'value="20"' in page
    assert 'value="2.5"' in page
    client.post(address, {})
    assert policy_of(account) == policy_of(Channel(pk=0, network="x"))


def test_senseless_numbers_are_told_at_their_field_and_change_nothing(cast: Any, enter: Any, account: Channel) -> None:
    client, address = enter(cast.alice), f"/w/fernway/settings/channels/{account.pk}/limits/"
    for wrong in ({"pile_on": "0"}, {"near_same": "20"}, {"day_budget": "-1"}, {"replies": "nobody"}, {"per_day": "x"}):
        assert client.post(address, wrong).status_code == 422
    assert not ChannelPolicy.objects.exists()


def test_an_account_whose_network_has_no_price_is_asked_for_no_budget(cast: Any, enter: Any, channel: Channel) -> None:
    page = enter(cast.alice).get(f"/w/fernway/settings/channels/{channel.pk}/limits/").content
    assert b"day_budget" not in page
    assert b"Replies in an hour" in page


def test_likes_follows_and_deletions_have_numbers_of_their_own_where_the_network_takes_them(
    cast: Any, enter: Any, account: Channel
) -> None:
    client, address = enter(cast.alice), f"/w/fernway/settings/channels/{account.pk}/limits/"
    for name in ("likes_a_day", "boosts_a_day", "follows_a_day", "deletions_a_day"):
        assert f'name="{name}"' in client.get(address).content.decode()
    client.post(address, {"likes_a_day": "20", "deletions_a_day": "5"})
    assert policy_of(account).of("x").own_acts == {"like": (Window(20, 86_400),), "delete": (Window(5, 86_400),)}
    assert 'value="20"' in client.get(address).content.decode()
    Channel.objects.filter(pk=account.pk).update(network="youtube")
    page = client.get(address).content.decode()
    assert ('name="deletions_a_day"' in page, 'name="likes_a_day"' in page) == (True, False)


def test_where_the_numbers_come_from_is_said_in_words_that_people_know(cast: Any, enter: Any, account: Channel) -> None:
    client, address = enter(cast.alice), f"/w/fernway/settings/channels/{account.pk}/limits/"
    for network in NETWORKS:
        Channel.objects.filter(pk=account.pk).update(network=network)
        page = client.get(address)
        source = str(page.context["source"])
        assert source in unescape(page.content.decode())
        assert re.findall(r"\w+[A-Z]\w+|\w+_\w+|`|\w+\.\w+", source.replace("LinkedIn", "")) == [], network
        # the cautious sentence is for networks that publish nothing
        assert source != "our own caution", network
