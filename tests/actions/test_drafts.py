"""Drafts: kept with their history, shared, begun from what was said before; and what became of each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from conftest import NOON
from rapport.actions import drafts
from rapport.actions.outbound import approve
from rapport.core.errors import InvalidInput, NotAllowed, Stale
from rapport.store.models import Approval, Article, Conversation, Delivery, Draft, DraftUse, DraftVersion, PreparedReply
from rapport.store.queries import drafts as reads
from rapport.store.queries.outbound import newest_inbound

pytestmark = pytest.mark.django_db

Make = Callable[..., Any]
LATE = "Where is my parcel? It should have come on Monday, said the carrier."


def after(minutes: float) -> dt.datetime:
    return NOON + dt.timedelta(minutes=minutes)


@pytest.fixture
def talk_with(channel: Any, hear: Make, make_post: Make) -> Callable[[str, str], Any]:
    """A conversation that somebody begins with these words."""

    def begin(author: str, text: str) -> Any:
        hear(make_post(text, author=author))
        return Conversation.objects.order_by("-pk")[0]

    return begin


def send(by: Any, talk: Any, text: str, **more: Any) -> Approval:
    target = newest_inbound(talk)
    talk.refresh_from_db()
    delivery = approve(
        by, talk, text, target=target, channel=talk.channel, version=talk.version, now=more.pop("now", NOON), **more
    )
    return delivery.approval


def arrive(approval: Approval) -> Approval:
    Delivery.objects.filter(approval=approval).update(state="sent", external_id=f"s{approval.pk}")
    return approval


def test_words_that_stood_a_minute_are_kept_and_come_back(alice: Any, talk_with: Any) -> None:
    talk = talk_with("nadia", LATE)
    drafts.save_draft(alice, talk, "We are sorry, Nadia", now=NOON)
    drafts.save_draft(alice, talk, "We are sorry, Nadia, it", now=after(0.1))
    drafts.save_draft(alice, talk, "We are sorry, Nadia, it is late", now=after(2))
    drafts.save_draft(alice, talk, "", now=after(2.1))
    kept = reads.versions_of(talk, alice)
    assert [each.text[len("We are sorry, Nadia") :] for each in kept] == [", it is late", ", it", ""]
    drafts.save_draft(alice, talk, "Something else", now=after(3))
    assert drafts.restore_draft(alice, talk, kept[0], now=after(3.1)).text == "We are sorry, Nadia, it is late"
    assert reads.versions_of(talk, alice)[0].text == "Something else"


def test_of_the_history_only_so_much_is_kept(alice: Any, talk_with: Any) -> None:
    talk = talk_with("nadia", LATE)
    for minute in range(drafts.MOST_VERSIONS + 5):
        drafts.save_draft(alice, talk, f"Words of minute {minute}", now=after(2 * minute))
    assert len(reads.versions_of(talk, alice)) == drafts.MOST_VERSIONS
    assert drafts.forget_versions(now=NOON + drafts.KEPT + dt.timedelta(days=1)) == drafts.MOST_VERSIONS


def test_nobody_puts_back_the_words_of_another(alice: Any, ben: Any, talk_with: Any) -> None:
    talk = talk_with("nadia", LATE)
    theirs = DraftVersion.objects.create(
        workspace=alice.workspace, conversation=talk, author=ben, text="Ben's", source="own", at=NOON
    )
    with pytest.raises(NotAllowed):
        drafts.restore_draft(alice, talk, theirs, now=NOON)


def test_a_shared_draft_is_seen_by_those_who_see_the_conversation(alice: Any, ben: Any, talk_with: Any) -> None:
    talk = talk_with("nadia", LATE)
    with pytest.raises(InvalidInput):
        drafts.share_draft(ben, talk, True, now=NOON)
    drafts.save_draft(ben, talk, "Sorry, Nadia", now=NOON)
    assert reads.shared_drafts(alice) == []
    drafts.share_draft(ben, talk, True, now=NOON)
    assert [draft.text for draft in reads.shared_drafts(alice)] == ["Sorry, Nadia"]
    assert reads.shared_drafts(ben) == []
    drafts.share_draft(ben, talk, False, now=NOON)
    assert reads.shared_drafts(alice) == []


def test_what_we_answered_to_something_like_it_is_offered_with_the_names_changed(alice: Any, talk_with: Any) -> None:
    first = talk_with("nadia", LATE)
    sent = arrive(send(alice, first, "@nadia Sorry Nadia, the carrier is late; your parcel comes tomorrow. ^AL"))
    arrive(send(alice, talk_with("ola", "Do you sell green coats?"), "@ola We do, Ola, in every size."))
    talk = talk_with("omar", "My parcel has not come, where is it?")
    best = reads.offered(talk, alice)[0]
    assert (best.source, best.begun) == ("alike", f"alike:{sent.pk}")
    assert best.text == "@omar Sorry Omar, the carrier is late; your parcel comes tomorrow."
    assert best.by == "Alice"
    assert reads.take_up(talk, alice, best.begun) is not None


def test_an_answer_with_the_number_of_one_person_is_offered_to_nobody(alice: Any, talk_with: Any) -> None:
    arrive(send(alice, talk_with("nadia", LATE), "@nadia Your parcel 4711-0815 comes tomorrow."))
    offered = reads.offered(talk_with("omar", LATE), alice)
    assert [each for each in offered if each.source == "alike"] == []


def test_answers_of_another_basket_and_private_ones_are_offered_to_nobody_else(
    alice: Any, ben: Any, talk_with: Any
) -> None:
    from rapport.actions.accounts import change_member
    from rapport.store.models import Basket

    sent = arrive(send(alice, talk_with("nadia", LATE), "@nadia The carrier is late, it comes tomorrow."))
    talk = talk_with("omar", LATE)
    care, sales = (Basket.objects.of(alice.workspace).get(slug=slug) for slug in ("care", "sales"))
    Conversation.objects.filter(pk=sent.conversation_id).update(basket=sales)
    Conversation.objects.filter(pk=talk.pk).update(basket=care)
    talk.refresh_from_db()
    change_member(alice, ben, role="agent", active=True, baskets=[care], now=NOON)
    ben.refresh_from_db()
    assert any(each.source == "alike" for each in reads.offered(talk, alice))
    assert not any(each.source == "alike" for each in reads.offered(talk, ben))
    assert reads.take_up(talk, ben, f"alike:{sent.pk}") is None
    Approval.objects.filter(pk=sent.pk).update(visibility="direct")
    assert not any(each.source == "alike" for each in reads.offered(talk, alice))


def test_articles_and_prepared_replies_are_offered_by_what_they_speak_of(alice: Any, talk_with: Any) -> None:
    for title, kind in (("Late parcels", "help"), ("Late parcels, inside", "policy"), ("Coats", "help")):
        Article.objects.create(
            workspace=alice.workspace,
            kind=kind,
            title=title,
            text=title,
            changed_at=NOON,
        )
    PreparedReply.objects.create(workspace=alice.workspace, slug="parcel", name="Parcel", text="Your parcel is late.")
    found = reads.offered(talk_with("omar", LATE), alice)
    assert [each.name for each in found if each.source == "article"] == ["Late parcels"]
    assert next(each.name for each in found if each.source == "snippet") == "Parcel"


@pytest.mark.parametrize(
    "begun", ["alike:0", "alike:x", "article:99999999999999999999", "service", "nothing", "alike:"]
)
def test_what_was_never_offered_begins_nothing(alice: Any, talk_with: Any, begun: str) -> None:
    assert reads.take_up(talk_with("omar", LATE), alice, begun) is None


@pytest.mark.parametrize(
    ("sent", "outcome", "distance"),
    [
        ("Your parcel is late, sorry.", "as_is", 0.0),
        ("Your parcel is late, very sorry indeed.", "edited", 3 / 7),
        ("No idea what happened here", "thrown", 1.0),
    ],
)
def test_what_became_of_words_that_were_begun_from_is_put_down(
    alice: Any, talk_with: Any, sent: str, outcome: str, distance: float
) -> None:
    PreparedReply.objects.create(
        workspace=alice.workspace, slug="parcel", name="Parcel", text="Your parcel is late, sorry."
    )
    talk = talk_with("omar", LATE)
    approval = send(alice, talk, f"@omar {sent}", begun="parcel")
    use = DraftUse.objects.get(source="snippet")
    assert (use.approval, use.name, use.outcome, use.by) == (approval, "Parcel", outcome, alice)
    assert use.distance is not None
    assert (approval.drafted, approval.template) == ("@omar Your parcel is late, sorry.", "Parcel")


def test_a_reply_by_hand_puts_down_what_a_rule_had_offered_as_unused(alice: Any, talk_with: Any) -> None:
    PreparedReply.objects.create(workspace=alice.workspace, slug="parcel", name="Parcel", text="It is late.")
    PreparedReply.objects.create(workspace=alice.workspace, slug="coat", name="Coat", text="We have coats.")
    talk = talk_with("omar", LATE)
    Conversation.objects.filter(pk=talk.pk).update(draft_slug="parcel")
    talk.refresh_from_db()
    send(alice, talk, "@omar We have coats.", begun="coat")
    told = set(DraftUse.objects.values_list("source", "outcome"))
    assert told == {("snippet", "as_is"), ("rule", "unused")}


def test_who_wrote_the_words_stays_beside_who_approved_them(alice: Any, ben: Any, talk_with: Any) -> None:
    talk = talk_with("omar", LATE)
    drafts.save_draft(ben, talk, "@omar It comes tomorrow, the carrier is late.", now=NOON)
    drafts.propose_draft(ben, talk, now=NOON)
    approval = send(alice, talk, "@omar It comes tomorrow, the carrier was late.")
    assert (approval.person, approval.asked_by) == (alice, ben)
    assert Draft.objects.count() == 0


def test_while_a_colleague_writes_nothing_is_approved_by_any_way(alice: Any, ben: Any, talk_with: Any) -> None:
    from rapport.actions.presence import look_at, put_down

    talk = talk_with("omar", LATE)
    look_at(ben, talk, writing=True, token="b1", now=NOON)
    with pytest.raises(Stale, match="Ben is writing here"):
        send(alice, talk, "@omar It comes tomorrow.")
    assert send(ben, talk, "@omar It comes tomorrow.").person == ben
    put_down(ben, talk, now=NOON)
    assert send(alice, talk, "@omar And it is paid back.").person == alice
