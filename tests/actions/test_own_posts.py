"""Posts of our own: written, approved by a person for each account, sent once, held and told as replies are."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Collection
from typing import Any

import pytest
from PIL import Image

from conftest import NOON
from rapport.actions import acts, attachments, holds, own_posts, unknown
from rapport.actions.approval_rules import save_approval_rule
from rapport.actions.ledger_check import verify
from rapport.actions.listening import connect_channel
from rapport.actions.outbound import cancel_delivery, retry_delivery
from rapport.actions.own_posts import Typed, propose_post, return_post, save_post, send_post
from rapport.actions.post_sheet import seen_drafts
from rapport.core.errors import GuardRefused, InvalidInput, NetworkError, NotAllowed, Stale, Unconfirmed
from rapport.core.parts import CUT
from rapport.core.post import Post
from rapport.core.reply import Picture, Reply, begun_at
from rapport.networks.base import Account, Sent
from rapport.networks.mastodon.network import Mastodon
from rapport.pipeline.sender import Sender
from rapport.store.models import Approval, Attachment, Delivery, Membership, Notification, PostDraft
from rapport.store.models import Post as Row
from rapport.store.queries import own_posts as reads

pytestmark = pytest.mark.django_db
TEXT = "Our shop in Ghent opens on Saturday, with coffee for whoever comes early."


class Wall(Mastodon):
    """A network that keeps what it was sent, by key. `fault`: raised once, after it was taken if `lost`."""

    def __init__(self) -> None:
        self.there: dict[str, Reply] = {}
        self.fault: NetworkError | None = None
        self.lost = False
        self.dark = False

    def push(self, account: Account, reply: Reply, key: str, session: Any) -> Sent:
        fault, self.fault = self.fault, None
        if fault is None or self.lost:
            self.there.setdefault(key, reply)
        if fault is not None:
            raise fault
        return self._sent(key)

    def find(
        self, account: Account, reply: Reply, since: dt.datetime, key: str, session: Any, besides: Collection[str] = ()
    ) -> Sent | None:
        if self.dark:
            raise Unconfirmed("it shows nothing")
        return self._sent(key) if key in self.there else None

    def _sent(self, key: str) -> Sent:
        number = list(self.there).index(key) + 1
        return Sent(f"s{number}", f"https://wall.example/{number}")

    def upload(self, account: Account, picture: Picture, content: bytes, kind: str, session: Any) -> str:
        return f"m-{picture.digest[:8]}"

    def edit(self, account: Account, external_id: str, reply: Reply, key: str, session: Any) -> Sent:
        self.there[key] = reply
        return Sent(external_id)

    def remove(self, account: Account, external_id: str, session: Any) -> None:
        self.there = {key: each for key, each in self.there.items() if self._sent(key).id != external_id}


class House:
    """Alice's, with a sender whose time the test moves."""

    def __init__(self, alice: Membership, bus: Any) -> None:
        self.alice, self.wall, self.now = alice, Wall(), NOON
        self.sender = Sender(
            {"mastodon": self.wall}, lambda: None, bus, lambda: self.now, dt.timedelta(minutes=1),  # type: ignore[dict-item, arg-type, return-value]
        )  # fmt: skip

    def send(self, times: int = 3, **later: float) -> None:
        self.now += dt.timedelta(**later)
        for _ in range(times):
            self.sender.send_once()


@pytest.fixture
def house(alice: Membership, bus: Any) -> House:
    return House(alice, bus)


def written(by: Membership, *channels: Any, text: str = TEXT, **more: Any) -> PostDraft:
    return save_post(by, None, Typed(text, [(each, "") for each in channels], **more), now=NOON)


def said(by: Membership, *channels: Any, **more: Any) -> list[Delivery]:
    draft = written(by, *channels, **more)
    return send_post(by, draft, version=draft.version, now=NOON)


@pytest.fixture
def second(alice: Membership) -> Any:
    return connect_channel(
        alice, "mastodon", server="http://127.0.0.1:9", handle="shop", external_id="id-shop", name="Shop",
        token="token", now=NOON,
    )  # fmt: skip


@pytest.fixture
def rita(alice: Membership) -> Any:
    from rapport.actions.accounts import invite

    return invite(alice, "rita@other.example", "Rita", "restricted", [], now=NOON)[0]


def test_a_post_leaves_once_on_a_persons_word_and_stands_among_our_own(house: House, channel: Any) -> None:
    [delivery] = said(house.alice, channel)
    entry = Approval.objects.get()
    assert (entry.kind, entry.person, entry.conversation, entry.target) == ("post", house.alice, None, None)
    assert not PostDraft.objects.exists()
    house.send()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.external_id) == ("sent", "s1")
    [reply] = house.wall.there.values()
    assert (reply.text, reply.target, reply.to, reply.visibility) == (TEXT, "", (), "public")
    row = Row.objects.get(ours=True)
    assert (row.external_id, row.kind, row.conversation_id) == ("s1", "post", None)
    assert verify(house.alice.workspace).sequence is None


def test_an_answer_to_it_opens_a_conversation_and_is_counted(
    house: House, channel: Any, hear: Any, make_post: Any
) -> None:
    said(house.alice, channel)
    house.send()
    hear(make_post("Is there oat milk, @fernway?", id="77", in_reply_to="s1"))
    [told] = reads.told_of(reads.said_posts(house.alice.workspace))
    assert told.answers == 1
    assert told.conversation == Row.objects.get(external_id="77").conversation_id


def test_each_account_is_an_approval_of_its_own_with_its_own_images(
    house: House, channel: Any, second: Any, tmp_path: Any, settings: Any
) -> None:
    settings.RAPPORT = settings.RAPPORT.__class__(data=str(tmp_path))
    draft = written(house.alice, channel, second)
    raw = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(raw, "PNG")
    image = attachments.keep_post_image(house.alice, draft, raw.getvalue(), now=NOON)
    attachments.describe_image(house.alice, image, "A shop window", now=NOON)
    first, other = send_post(house.alice, draft, version=draft.version, now=NOON)
    assert (first.state, other.state, other.held_by) == ("queued", "held", "near-same")
    assert Attachment.objects.filter(approval__isnull=False, own_post=None).count() == 2
    house.send()
    [reply] = house.wall.there.values()
    assert [(each.alt, bool(each.uploaded)) for each in reply.media] == [("A shop window", True)]
    assert verify(house.alice.workspace).sequence is None


def test_what_the_guard_refuses_leaves_nothing_behind(house: House, channel: Any, second: Any) -> None:
    draft = written(house.alice, channel, second, text="x" * 501)
    with pytest.raises(GuardRefused):
        send_post(house.alice, draft, version=1, now=NOON)
    assert not Approval.objects.exists()
    assert PostDraft.objects.exists()


def test_a_thread_goes_out_post_by_post_and_goes_on_where_it_stopped(house: House, channel: Any) -> None:
    [delivery] = said(house.alice, channel, text=f"One is the bread.\n{CUT}\nTwo is the coffee.")
    keys = list(delivery.parts.order_by("number").values_list("key", flat=True))
    assert begun_at(keys[0]) == begun_at(delivery.idempotency_key) == int(NOON.timestamp()) * 1_000_000
    house.send(times=1)
    house.wall.fault, house.wall.lost = Unconfirmed("time-out"), True
    house.send(times=1)
    house.send(minutes=2)
    delivery.refresh_from_db()
    assert delivery.state == "sent"
    assert [(each.text, each.target) for each in house.wall.there.values()] == [
        ("One is the bread.", ""), ("Two is the coffee.", "s1"),
    ]  # fmt: skip


def test_a_hold_holds_it_and_one_may_be_let_out(house: House, channel: Any) -> None:
    [delivery] = said(house.alice, channel)
    holds.hold_everything(house.alice, "storm", now=NOON)
    house.send()
    delivery.refresh_from_db()
    assert (house.wall.there, delivery.state) == ({}, "held")
    holds.let_through(house.alice, delivery, now=NOON)
    house.send()
    assert len(house.wall.there) == 1
    assert verify(house.alice.workspace).sequence is None


def test_an_unknown_outcome_is_looked_for_then_a_person_is_asked(house: House, channel: Any) -> None:
    [delivery] = said(house.alice, channel)
    house.wall.fault, house.wall.lost, house.wall.dark = Unconfirmed("time-out"), True, True
    for _ in range(9):
        house.send(times=1, minutes=2)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.unknown_at is not None) == ("unconfirmed", True)
    assert Notification.objects.filter(bundle=f"delivery:{delivery.pk}").exists()
    house.wall.dark = False
    unknown.send_again(house.alice, delivery, now=house.now)
    house.send()
    delivery.refresh_from_db()
    assert (delivery.state, len(house.wall.there)) == ("sent", 1), "found, and not sent twice"
    [second] = said(house.alice, channel, text="Something else that nobody has ever said in this town.")
    cancel_delivery(house.alice, second, now=house.now)
    second.refresh_from_db()
    assert second.state == "cancelled"


def test_it_can_be_edited_and_deleted_afterwards(house: House, channel: Any) -> None:
    [delivery] = said(house.alice, channel)
    house.send()
    delivery.refresh_from_db()
    acts.edit_sent(house.alice, delivery, "We open on Sunday.", seen=TEXT, now=house.now)
    house.send()
    [told] = reads.told_of(reads.said_posts(house.alice.workspace))
    assert told.words == ["We open on Sunday."]
    assert Row.objects.get(ours=True).text == "We open on Sunday."
    acts.delete_sent(house.alice, delivery, now=house.now)
    house.send()
    [told] = reads.told_of(reads.said_posts(house.alice.workspace))
    assert told.changed.deleted
    assert verify(house.alice.workspace).sequence is None


def test_who_may_not_send_asks_and_a_lead_sends_or_gives_back(house: House, channel: Any, rita: Any, ben: Any) -> None:
    draft = written(rita, channel, signed=True)
    with pytest.raises(NotAllowed):
        send_post(rita, draft, version=draft.version, now=NOON)
    with pytest.raises(NotAllowed):
        save_post(house.alice, draft, Typed("other"), now=NOON)
    draft = propose_post(rita, draft, now=NOON)
    assert draft in seen_drafts(house.alice)
    assert Notification.objects.filter(membership=house.alice, bundle=f"post:{draft.pk}").exists()
    draft = return_post(house.alice, draft, "Say where it is", now=NOON)
    assert (draft.proposed, draft.returned) == (False, "Say where it is")
    draft = propose_post(rita, draft, now=NOON)
    with pytest.raises(Stale):
        send_post(ben, draft, version=draft.version - 1, now=NOON)
    send_post(ben, draft, version=draft.version, now=NOON)
    entry = Approval.objects.get()
    assert (entry.person, entry.asked_by) == (ben, rita)
    assert entry.text == f"{TEXT}\n\n^Rita"


def test_a_rule_of_approval_holds_for_posts_as_for_replies(house: House, channel: Any, ben: Any) -> None:
    save_approval_rule(
        house.alice, None, role="agent", basket=None, channel=None, condition="", approver="lead", four_eyes=True,
        active=True, now=NOON,
    )  # fmt: skip
    draft = written(ben, channel)
    with pytest.raises(InvalidInput, match="word of a lead"):
        send_post(ben, draft, version=draft.version, now=NOON)
    draft = propose_post(ben, draft, now=NOON)
    send_post(house.alice, draft, version=draft.version, now=NOON)


def test_whoever_may_not_send_any_more_or_changed_rows_send_nothing(house: House, channel: Any, ben: Any) -> None:
    [by_ben] = said(ben, channel)
    [changed] = said(house.alice, channel, text="Another matter: the lift is repaired since this morning.")
    Membership.objects.filter(pk=ben.pk).update(active=False)
    Approval.objects.filter(delivery=changed).update(to=["elsewhere"])
    house.send()
    by_ben.refresh_from_db()
    changed.refresh_from_db()
    assert (by_ben.state, by_ben.held_by, changed.state, house.wall.there) == ("held", "person", "failed", {})
    retry_delivery(house.alice, by_ben, now=house.now)
    house.send()
    assert house.wall.there == {}


def test_a_draft_of_somebody_else_or_of_another_workspace_is_out_of_reach(
    house: House, channel: Any, ben: Any, charlie: Any
) -> None:
    draft = written(house.alice, channel)
    for other in (ben, charlie):
        for act in (
            lambda by=other: save_post(by, draft, Typed("x"), now=NOON),
            lambda by=other: own_posts.drop_post(by, draft, now=NOON),
            lambda by=other: send_post(by, draft, version=draft.version, now=NOON),
            lambda by=other: return_post(by, draft, "no", now=NOON),
        ):
            with pytest.raises(NotAllowed):
                act()
    with pytest.raises(NotAllowed):
        save_post(charlie, None, Typed("x", [(channel, "")]), now=NOON)
    [delivery] = said(house.alice, channel)
    with pytest.raises(NotAllowed):
        cancel_delivery(charlie, delivery, now=NOON)


def test_our_own_post_is_no_reply_to_anybody(house: House, channel: Any, hear: Any, make_post: Any) -> None:
    said(house.alice, channel)
    house.send()
    heard = Post("mastodon", "s1", TEXT, NOON, make_post("x").author)
    assert heard.in_reply_to is None
    assert Row.objects.get(external_id="s1").in_reply_to == ""
