"""Surveys: invitations of a conversation, links that can be answered, results."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any, Literal

import msgspec
from django.db.models import Avg, Count, Exists, OuterRef, Q

from rapport.core.surveys import HAPPY, UNHAPPY, Question, digest_of, read_questions
from rapport.store.models import Conversation, Invitation, Membership, Survey, SurveyAnswer
from rapport.store.models.scoped import ScopedQuerySet
from rapport.store.queries.desk import within_sight

Opinion = Literal["", "answered", "unhappy", "happy"]
OPINIONS: tuple[Opinion, ...] = ("answered", "unhappy", "happy")
#: answers on the page of a survey
PAGE = 100
#: answers that a report counts
COUNTED = 20_000


class Tally(msgspec.Struct, frozen=True):
    """How one survey stands."""

    survey: Survey
    #: links that left with a reply
    sent: int = 0
    answered: int = 0
    #: mean of the scores; None = nobody gave one
    mean: float | None = None

    @property
    def share(self) -> float | None:
        """Answered, of those that left."""
        return self.answered / self.sent if self.sent else None


class Column(msgspec.Struct, frozen=True):
    """What was answered to one question."""

    question: Question
    #: (answer, how many), of a score or a choice
    counts: tuple[tuple[str, int], ...] = ()
    #: how many answered it
    answered: int = 0


def find_open(token: str, now: dt.datetime) -> Invitation | None:
    """The invitation behind a token while it can be answered; one whose reply has not left can not."""
    rows = Invitation.objects.filter(
        digest=digest_of(token), answered_at=None, void_at=None, approval__isnull=False, expires_at__gt=now
    )
    return rows.select_related(
        "survey", "workspace", "person", "conversation__assignee__user", "conversation__basket", "made_by__user"
    ).first()


def standing_invitation(conversation: Conversation, survey: Survey) -> Invitation | None:
    """The newest link to a survey that left in a conversation and was not taken back."""
    rows = Invitation.objects.of(conversation.workspace_id).filter(conversation=conversation, survey=survey)
    return rows.filter(approval__isnull=False, void_at=None).order_by("-pk").first()


def invitations_of(conversation: Conversation) -> list[Invitation]:
    """Links of a conversation that stand, with their answers, the newest first."""
    rows = Invitation.objects.of(conversation.workspace_id).filter(conversation=conversation, void_at=None)
    return list(rows.select_related("survey", "answer", "made_by__user").order_by("-pk")[:20])


def surveys_to_send(member: Membership) -> list[Survey]:
    """What this member may ask people."""
    return list(Survey.objects.of(member.workspace_id).filter(active=True)) if member.may("draft") else []


def with_opinion(rows: ScopedQuerySet[Conversation], opinion: Opinion) -> ScopedQuerySet[Conversation]:
    """Only conversations whose person answered a survey: at all, or unhappily or happily."""
    if not opinion:
        return rows
    answers = SurveyAnswer.objects.filter(invitation__conversation=OuterRef("pk"))
    if opinion == "unhappy":
        answers = answers.filter(score__lte=UNHAPPY)
    elif opinion == "happy":
        answers = answers.filter(score__gte=HAPPY)
    return rows.filter(Exists(answers))


def tallies(workspace: int) -> list[Tally]:
    """Every survey with its numbers, by name."""
    left = Q(invitations__approval__isnull=False)
    rows = Survey.objects.of(workspace).annotate(
        sent=Count("invitations", filter=left),
        answered=Count("invitations__answer"),
        mean=Avg("invitations__answer__score"),
    )
    return [Tally(row, row.sent, row.answered, row.mean) for row in rows.order_by("name")]


def visible_answers(member: Membership, survey: Survey) -> ScopedQuerySet[SurveyAnswer]:
    """Answers of conversations that the member sees."""
    rows = SurveyAnswer.objects.of(member.workspace_id).filter(invitation__survey=survey)
    if member.sees_every_basket is True:
        return rows
    return rows.filter(Exists(Invitation.objects.filter(pk=OuterRef("pk")).filter(within_sight(member))))


def columns(survey: Survey, since: dt.datetime) -> list[Column]:
    """What was answered since a time to each question that the survey asks now, as far as it was asked then."""
    questions = read_questions(survey.questions)
    rows = SurveyAnswer.objects.of(survey.workspace_id).filter(invitation__survey=survey, at__gte=since)
    found = list(rows.order_by("-at").values_list("answers", "invitation__questions")[:COUNTED])
    by_question: dict[tuple[str, str], Counter[str]] = {}
    for answers, asked in found:
        for question, answer in zip(read_questions(asked), answers, strict=False):
            if answer is not None:
                by_question.setdefault((question.kind, question.text), Counter())[str(answer)] += 1
    return [_column(each, by_question.get((each.kind, each.text), Counter())) for each in questions]


def _column(question: Question, counted: Counter[str]) -> Column:
    total = sum(counted.values())
    if question.kind == "text":
        return Column(question, (), total)
    names = [str(score) for score in (5, 4, 3, 2, 1)] if question.kind == "score" else list(question.choices)
    return Column(question, tuple((name, counted[name]) for name in names), total)


def told_answers(invitation: Invitation) -> list[tuple[Question, Any]]:
    """Each question with what was answered to it; those that were left out are not there."""
    answer = getattr(invitation, "answer", None)
    if answer is None:
        return []
    pairs = zip(read_questions(invitation.questions), answer.answers, strict=False)
    return [(question, said) for question, said in pairs if said is not None]
