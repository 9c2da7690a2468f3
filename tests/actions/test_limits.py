"""Numbers of one account, and its budget: never a tenth of a cent too much."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest

from pipeline.test_sender import Desk, house  # noqa: F401  # the fixture
from rapport.actions.limits import save_limits
from rapport.core.errors import GiveUp, InvalidInput, NotAllowed, Unconfirmed
from rapport.core.guard import NETWORKS, Window
from rapport.core.guard.policy import Override
from rapport.networks.base import Grant
from rapport.store.models import Channel, ChannelPolicy, Conversation, Delivery, Handle, Post, Spend, Workspace
from rapport.store.queries.apps import app_of, app_times
from rapport.store.queries.spend import policy_of, spent_by
from rapport.store.secrets import seal

pytestmark = pytest.mark.django_db


@pytest.fixture
def on_x(house: Desk) -> Desk:  # noqa: F811  # the fixture
    """The same conversation on X, where every post has its price; they mentioned us, and have not answered since."""
    for model in (Channel, Post, Handle, Conversation):
        model.objects.update(network="x")
    Post.objects.update(extra='{"mentions":["Fernway"]}')
    house.channel.refresh_from_db()
    house.sender.networks = {"x": house.network}
    return house


def limit(desk: Desk, *, of: Override | None = None, **chosen: Any) -> ChannelPolicy:
    return save_limits(desk.by, desk.channel, of or Override(person_day=99, pile_on=99), now=desk.now, **chosen)


def say(desk: Desk, *texts: str) -> list[str]:
    for text in texts:
        desk.answer(text)
    desk.send(len(texts) + 1)
    return desk.states()


def test_a_budget_holds_the_first_reply_that_would_cost_a_tenth_of_a_cent_too_much(on_x: Desk) -> None:
    limit(on_x, day_cents=3)
    assert say(on_x, "one", "two", "three", "four") == ["sent", "sent", "sent", "held"]
    held = Delivery.objects.order_by("pk").last()
    assert held is not None
    assert (held.held_by, "$0.03 of $0.03 are spent today" in held.cause) == ("budget", True)
    assert spent_by(on_x.channel, on_x.now) == (30, 30)
    # tomorrow there is room again, and a link costs more than the month has left
    on_x.now += dt.timedelta(days=1)
    limit(on_x, month_cents=20)
    assert say(on_x, "See https://fernway.example")[-1] == "held"
    assert spent_by(on_x.channel, on_x.now) == (0, 30)


def test_what_took_no_effect_costs_nothing_and_what_may_have_does(on_x: Desk) -> None:
    limit(on_x, day_cents=5)
    on_x.network.faults = [(GiveUp("no"), False), (Unconfirmed("reset"), True)]
    assert say(on_x, "one", "two")[0] == "failed"
    assert spent_by(on_x.channel, on_x.now).today == 10


def test_two_senders_cannot_spend_the_same_cent(on_x: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from rapport.pipeline import sender

    limit(on_x, day_cents=1)
    on_x.answer("one")
    let_leave = sender.steps.mark_pushed

    def spend_meanwhile(*arguments: Any, **named: Any) -> bool:
        Spend.objects.get_or_create(
            workspace=on_x.by.workspace, channel=on_x.channel, day=on_x.now.date(), kind="summoned",
            defaults={"count": 1},
        )  # fmt: skip
        return let_leave(*arguments, **named)

    monkeypatch.setattr(sender.steps, "mark_pushed", spend_meanwhile)
    on_x.send()
    assert (on_x.texts(), on_x.states()) == ([], ["held"])
    assert Delivery.objects.get().held_by == "budget"


def test_an_answer_to_who_did_not_mention_us_waits_for_a_person_on_the_site(on_x: Desk) -> None:
    Post.objects.update(extra='{"mentions":["somebody"]}')
    assert on_x.answer("one").held_by == "x-handover"
    limit(on_x, replies="anyone")
    assert say(on_x, "two") == ["held", "sent"]


def test_numbers_of_one_account_are_in_force_with_the_next_reply(house: Desk) -> None:  # noqa: F811
    limit(house, of=Override(pace=(Window(1, 3600),), person_day=99, pile_on=99))
    assert say(house, "one", "two") == ["sent", "queued"]
    house.send(2, hours=2)
    assert house.states() == ["sent", "sent"]


def test_senseless_numbers_and_those_who_may_not_are_refused(house: Desk, ben: Any, charlie: Any) -> None:  # noqa: F811
    for wrong in ({"of": Override(pile_on=0)}, {"day_cents": -1}, {"replies": "everybody"}, {"of": Override(pace=())}):
        with pytest.raises(InvalidInput):
            limit(house, **wrong)
    for member in (ben, charlie):
        with pytest.raises(NotAllowed):
            save_limits(member, house.channel, Override(), now=house.now)
    assert not ChannelPolicy.objects.exists()


@pytest.mark.parametrize("numbers", [{"pile_on": "many"}, {"pile_on": -4}, {"unknown": 1}, [], {"pace": [[1, 2]]}])
def test_numbers_that_somebody_broke_in_the_database_count_as_not_set(house: Desk, numbers: Any) -> None:  # noqa: F811
    ChannelPolicy.objects.create(
        channel=house.channel, workspace=house.by.workspace, numbers=numbers, changed_at=house.now
    )
    assert policy_of(house.channel).pile_on == 2


def app_token(app: str) -> bytes:
    return seal(Grant("access", "refresh", None, {"client_id": app}).encode())


def test_accounts_of_one_app_share_its_posts_of_a_day_and_those_of_another_app_do_not(
    on_x: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = msgspec.structs.replace(NETWORKS["x"], app_pace=(Window(3, 86_400),))
    monkeypatch.setitem(NETWORKS, "x", row)
    limit(on_x)
    Channel.objects.filter(pk=on_x.channel.pk).update(token=app_token("app-1"))
    elsewhere = Workspace.objects.create(name="Elsewhere", slug="elsewhere", timezone="UTC")
    others = [
        Channel.objects.create(
            workspace=elsewhere, network="x", server=on_x.channel.server, slug=app, name=app, token=app_token(app)
        )
        for app in ("app-1", "app-2")
    ]
    on_x.channel.refresh_from_db()
    assert say(on_x, "one", "two") == ["sent", "sent"]
    Delivery.objects.update(channel=others[0])  # they went out of the other account of the same app
    assert say(on_x, "three", "four") == ["sent", "sent", "sent", "queued"]
    waits = Delivery.objects.order_by("pk").last()
    assert waits is not None
    assert "The app that speaks for this account has used 3 posts in 1 day" in waits.cause
    assert app_of(on_x.channel) == "app-1"
    # had they gone out of an account of another app, there would be room
    Delivery.objects.filter(channel=others[0]).update(channel=others[1])
    on_x.send(1, minutes=1)
    on_x.send(1, hours=25)
    assert on_x.states() == ["sent"] * 4


def test_far_from_the_limit_of_an_app_no_times_are_read(on_x: Desk) -> None:
    assert say(on_x, "one") == ["sent"]
    assert app_times(on_x.channel, ("sent",), None, on_x.now) == ()
    assert app_of(Channel(token=b"")) == app_of(Channel(token=seal("no json"))) == app_of(Channel(token=b"junk")) == ""


def test_an_account_may_be_allowed_fewer_likes_and_a_replaced_number_is_in_force_at_once(house: Desk) -> None:  # noqa: F811
    limit(house, of=Override(acts={"like": (Window(1, 86_400),)}))
    assert policy_of(house.channel).of("mastodon").own_acts == {"like": (Window(1, 86_400),)}
    with pytest.raises(InvalidInput, match="at least 1"):
        limit(house, of=Override(acts={"reply": (Window(1, 86_400),)}))
    limit(house, of=Override())
    assert policy_of(Channel.objects.get(pk=house.channel.pk)).of("mastodon").own_acts == {}
