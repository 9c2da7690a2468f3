"""A link to a survey: bound to its conversation, sent by a person, answered once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from conftest import NOON
from rapport.actions.consents import set_consent
from rapport.actions.outbound import approve
from rapport.actions.proposals import take
from rapport.actions.surveys import answer_survey, put_into_draft, save_survey, take_back_invitation
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.surveys import Question, tokens_in
from rapport.store.models import (
    Approval,
    Conversation,
    Delivery,
    Invitation,
    Membership,
    Notification,
    Post,
    RuleEffect,
    Survey,
    SurveyAnswer,
)
from rapport.store.queries import surveys as reads
from rapport.store.queries.talk import read_talk

pytestmark = pytest.mark.django_db
LATER = NOON + dt.timedelta(hours=1)
ASKED = [Question("score", "How was it?"), Question("text", "Why?")]


@pytest.fixture
def csat(alice: Membership) -> Survey:
    return save_survey(alice, None, name="How was it", questions=ASKED, now=NOON)


@pytest.fixture
def talks(alice: Membership, hear: Callable[..., Any], make_post: Callable[..., Any]) -> list[Conversation]:
    """Nadia's and Olga's, each with a word for us."""
    hear(make_post("My parcel is broken, I am angry", author="nadia"), make_post("Where is my tent?", author="olga"))
    return list(Conversation.objects.order_by("pk"))


def send(by: Membership, talk: Conversation, text: str, channel: Any) -> Delivery:
    target = Post.objects.get(conversation_id=talk.pk)
    version = Conversation.objects.get(pk=talk.pk).version
    return approve(by, talk, text, target=target, channel=channel, version=version, now=NOON)


def test_a_link_leaves_with_a_reply_and_is_answered_once(
    ben: Membership, talks: list[Conversation], csat: Survey, channel: Any
) -> None:
    draft = put_into_draft(ben, talks[0], csat, now=NOON)
    (token,) = tokens_in(draft.text)
    assert token not in str(list(Invitation.objects.values()))  # the digest alone is kept
    with pytest.raises(NotAllowed):  # nobody answers before a person has sent it
        answer_survey(token, {"q0": "5"}, now=NOON)
    delivery = send(ben, talks[0], draft.text, channel)
    assert Invitation.objects.get().approval == delivery.approval
    with pytest.raises(InvalidInput):
        answer_survey(token, {}, now=LATER)
    answer_survey(token, {"q0": "2", "q1": "Late"}, now=LATER)
    with pytest.raises(NotAllowed):
        answer_survey(token, {"q0": "5"}, now=LATER)
    assert SurveyAnswer.objects.get().answers == [2, "Late"]
    assert Notification.objects.filter(membership=ben, event="answer").exists()
    entries = read_talk(talks[0], ben).entries
    assert [(entry.kind, entry.at) for entry in entries][-1] == ("survey", LATER)
    rows = Conversation.objects.of(ben.workspace_id)
    assert list(reads.with_opinion(rows, "unhappy")) == list(reads.with_opinion(rows, "answered")) == [talks[0]]
    assert not reads.with_opinion(rows, "happy").exists()
    (tally,) = reads.tallies(ben.workspace_id)
    assert (tally.sent, tally.answered, tally.mean, tally.share) == (1, 1, 2.0, 1.0)
    score, words = reads.columns(csat, NOON)
    assert (dict(score.counts)["2"], score.answered, words.answered) == (1, 1, 1)


def test_a_link_of_another_conversation_or_workspace_does_not_leave(
    ben: Membership, charlie: Membership, talks: list[Conversation], csat: Survey, channel: Any
) -> None:
    text = put_into_draft(ben, talks[0], csat, now=NOON).text
    with pytest.raises(InvalidInput, match="another conversation"):
        send(ben, talks[1], text, channel)
    Invitation.objects.update(workspace=charlie.workspace, conversation=talks[1])
    with pytest.raises(InvalidInput, match="another conversation"):
        send(ben, talks[0], text, channel)
    with pytest.raises(InvalidInput, match="another conversation"):  # forged: of ours, and nobody made it
        send(ben, talks[0], f"http://127.0.0.1:8000/s/{'A' * 43}/", channel)
    assert not Approval.objects.exists()
    send(ben, talks[0], f"See https://else.example/s/{'A' * 43}/", channel)  # somebody else's page is theirs


def test_a_link_that_expired_was_taken_back_or_replaced_does_not_leave(
    ben: Membership, talks: list[Conversation], csat: Survey, channel: Any
) -> None:
    first = put_into_draft(ben, talks[0], csat, now=NOON).text
    second = put_into_draft(ben, talks[0], csat, now=NOON).text
    assert len(tokens_in(second)) == 1  # the one of before is out of the draft, and void
    with pytest.raises(InvalidInput, match="taken back"):
        send(ben, talks[0], first, channel)
    Invitation.objects.update(expires_at=NOON)
    with pytest.raises(InvalidInput, match="expired"):
        send(ben, talks[0], second, channel)
    third = put_into_draft(ben, talks[0], csat, now=NOON).text
    take_back_invitation(ben, Invitation.objects.get(void_at=None), now=NOON)
    with pytest.raises(InvalidInput, match="taken back"):
        send(ben, talks[0], third, channel)


def test_a_link_that_expired_or_was_taken_back_after_it_left_opens_nothing(
    ben: Membership, talks: list[Conversation], csat: Survey, channel: Any
) -> None:
    text = put_into_draft(ben, talks[0], csat, now=NOON).text
    send(ben, talks[0], text, channel)
    (token,) = tokens_in(text)
    for late in (NOON + dt.timedelta(days=15), NOON + dt.timedelta(days=14)):
        with pytest.raises(NotAllowed):
            answer_survey(token, {"q0": "5"}, now=late)
    with pytest.raises(NotAllowed):
        answer_survey(token[:-1] + ("A" if token[-1] != "A" else "B"), {"q0": "5"}, now=LATER)
    take_back_invitation(ben, Invitation.objects.get(), now=LATER)
    with pytest.raises(NotAllowed):
        answer_survey(token, {"q0": "5"}, now=LATER)


def test_people_who_want_no_surveys_or_were_asked_already_are_not_asked(
    alice: Membership, ben: Membership, talks: list[Conversation], csat: Survey, channel: Any
) -> None:
    nadia, olga = talks
    assert olga.person is not None
    set_consent(ben, olga.person, "survey", False, "said so", now=NOON)
    with pytest.raises(InvalidInput, match="no surveys"):
        put_into_draft(ben, olga, csat, now=NOON)
    send(ben, nadia, put_into_draft(ben, nadia, csat, now=NOON).text, channel)
    with pytest.raises(InvalidInput, match="asked already"):
        put_into_draft(alice, nadia, csat, now=LATER)
    save_survey(alice, csat, name="Off", questions=ASKED, active=False, now=NOON)
    with pytest.raises(NotAllowed):
        put_into_draft(ben, nadia, csat, now=LATER)


def test_what_was_asked_stands_although_the_survey_changes(
    alice: Membership, ben: Membership, talks: list[Conversation], csat: Survey, channel: Any
) -> None:
    text = put_into_draft(ben, talks[0], csat, now=NOON).text
    send(ben, talks[0], text, channel)
    save_survey(alice, csat, name="Other", questions=[Question("text", "Else?")], now=NOON)
    answer_survey(tokens_in(text)[0], {"q0": "4"}, now=LATER)
    assert SurveyAnswer.objects.get().score == 4


def test_a_survey_that_a_rule_proposes_goes_into_the_draft_of_whoever_takes_it(
    ben: Membership, talks: list[Conversation], csat: Survey
) -> None:
    told = {"workspace": ben.workspace, "conversation": talks[0], "post": 1, "rule": "R", "verb": "survey"}
    proposed = RuleEffect.objects.create(**told, argument=csat.slug, level="suggest", state="proposed", at=NOON)
    assert take(ben, proposed, now=NOON).state == "taken"
    assert Invitation.objects.get().made_by == ben
    other = RuleEffect.objects.create(**told, argument="gone", level="suggest", state="proposed", at=NOON)
    with pytest.raises(InvalidInput, match="no survey gone"):
        take(ben, other, now=NOON)


def test_people_of_other_baskets_and_workspaces_make_no_link(
    charlie: Membership, talks: list[Conversation], csat: Survey
) -> None:
    with pytest.raises(NotAllowed):
        put_into_draft(charlie, talks[0], csat, now=NOON)
    with pytest.raises(NotAllowed):
        save_survey(charlie, csat, name="Mine", questions=ASKED, now=NOON)
