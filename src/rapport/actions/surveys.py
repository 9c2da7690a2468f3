"""Surveys: their questions, the link that a person puts into a reply, and the one answer to it."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping, Sequence

import msgspec
from django.conf import settings
from django.db import transaction
from django.utils.text import slugify

from rapport.actions.audit import announce, require, require_conversation, write_audit
from rapport.actions.drafts import save_draft
from rapport.actions.notices import notify
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.notice_text import write_notice
from rapport.core.surveys import (
    Question,
    check_questions,
    digest_of,
    read_answers,
    read_questions,
    without_links,
    words_of,
)
from rapport.store.models import Consent, Conversation, Draft, Invitation, Membership, Person, Survey, SurveyAnswer
from rapport.store.queries.outbound import address, newest_inbound, prepare_draft
from rapport.store.queries.surveys import find_open, standing_invitation

MAX_THANKS = 1_000  # characters
LONGEST = 90  # days that a link is valid


def save_survey(
    by: Membership,
    survey: Survey | None,
    *,
    name: str,
    questions: Sequence[Question],
    language: str = "",
    thanks: str = "",
    days: int = 14,
    active: bool = True,
    now: dt.datetime,
) -> Survey:
    """Write a new survey (None) or change one; links that are out ask what was asked when they were made."""
    require(by, "configure")
    if survey is not None and survey.workspace_id != by.workspace_id:
        raise NotAllowed("This belongs to another workspace.")
    name, thanks = " ".join(name.replace("\x00", "").split())[:120], thanks.replace("\x00", "").strip()[:MAX_THANKS]
    if not name:
        raise InvalidInput("A survey needs a name.")
    if not 1 <= days <= LONGEST:
        raise InvalidInput(f"A link is valid for 1 to {LONGEST} days.")
    asked = check_questions(questions)
    with transaction.atomic():
        row = survey or Survey(workspace=by.workspace, slug=_free_slug(by, name))
        row.name, row.language, row.thanks, row.days, row.active = name, language, thanks, days, active
        row.questions, row.changed_by, row.changed_at = msgspec.to_builtins(asked), by, now
        row.save()
        write_audit(by.workspace, by, "survey.save", row, now, name=name, questions=len(asked))
        announce(by.workspace, now, kind="config")
    return row


def _free_slug(by: Membership, name: str) -> str:
    base = slugify(name)[:50] or "survey"
    taken = set(Survey.objects.of(by.workspace).filter(slug__startswith=base).values_list("slug", flat=True))
    return next(each for each in [base, *(f"{base}-{n}" for n in range(2, 1000))] if each not in taken)


def put_into_draft(by: Membership, conversation: Conversation, survey: Survey, *, now: dt.datetime) -> Draft:
    """Make a link for this conversation and put it at the end of one's draft: a person reads and sends it.

    A link that was made before and has not left is void then. Raises `InvalidInput` where they said that they want no
    surveys, are not to be written to, or have been asked already.
    """
    require_conversation(by, conversation, "draft")
    if survey.workspace_id != by.workspace_id or not survey.active:
        raise NotAllowed("This survey is not in use here.")
    person = _check_person(conversation, survey, now)
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        waiting = Invitation.objects.of(by.workspace).filter(
            conversation=conversation, approval=None, void_at=None, made_by=by
        )
        waiting.update(void_at=now)
        made = Invitation.objects.create(
            workspace=by.workspace, survey=survey, conversation=conversation, person=person,
            digest=digest_of(token), questions=survey.questions, made_by=by, made_at=now,
            expires_at=now + dt.timedelta(days=survey.days),
        )  # fmt: skip
        write_audit(by.workspace, by, "survey.invite", made, now, name=survey.name, conversation=conversation.pk)
        line = f"{words_of(survey.language).ask} {settings.RAPPORT.base_url.rstrip('/')}/s/{token}/"
        draft = save_draft(by, conversation, _with_line(by, conversation, line), now=now)
        announce(by.workspace, now, [conversation.pk])
    return draft


def _check_person(conversation: Conversation, survey: Survey, now: dt.datetime) -> Person:
    """Who is asked. Raises `InvalidInput` where they must not be."""
    person = conversation.person
    if person is None:
        raise InvalidInput("Nobody knows who wrote this.")
    if person.suppressed_reason or person.ignored:
        raise InvalidInput("Nothing goes to this person any more.")
    said = Consent.objects.of(conversation.workspace_id).filter(person=person, withdrawn_at=None)
    if said.filter(purpose=Consent.Purpose.SURVEY, given=False).exists():
        raise InvalidInput("They told us that they want no surveys.")
    before = standing_invitation(conversation, survey)
    if before is not None and (before.answered_at or before.expires_at > now):
        raise InvalidInput(f"They were asked already, on {before.made_at:%d %B}.")
    return person


def _with_line(by: Membership, conversation: Conversation, line: str) -> str:
    """One's draft, or what was prepared, with the line at its end; a link of before is taken out."""
    own = Draft.objects.of(by.workspace).filter(conversation=conversation, author=by).first()
    prepared = prepare_draft(conversation, by)
    text = own.text if own is not None else prepared.text if prepared else ""
    text = without_links(text)
    newest = newest_inbound(conversation)
    if not text:
        return address(newest, line) if newest else line
    return f"{text}\n\n{line}"


def take_back_invitation(by: Membership, invitation: Invitation, *, now: dt.datetime) -> None:
    """The link opens nothing any more."""
    require_conversation(by, invitation.conversation, "draft")
    with transaction.atomic():
        rows = Invitation.objects.of(by.workspace).filter(pk=invitation.pk, answered_at=None, void_at=None)
        if not rows.update(void_at=now):
            raise InvalidInput("It was answered or taken back meanwhile.")
        write_audit(by.workspace, by, "survey.take_back", invitation, now, conversation=invitation.conversation_id)
        announce(by.workspace, now, [invitation.conversation_id])


def answer_survey(token: str, typed: Mapping[str, str], *, now: dt.datetime) -> Invitation:
    """What somebody outside answered, once: `typed` is their form. Raises `InvalidInput` for a form that says nothing
    or what was not asked, and `NotAllowed` where the link opens nothing (any more).
    """
    found = find_open(token, now)
    if found is None:
        raise NotAllowed("over")
    answered = read_answers(read_questions(found.questions), typed)
    with transaction.atomic():
        rows = Invitation.objects.filter(pk=found.pk, answered_at=None, void_at=None, expires_at__gt=now)
        if not rows.update(answered_at=now):
            raise NotAllowed("over")
        answer = SurveyAnswer.objects.create(
            invitation=found,
            workspace_id=found.workspace_id,
            score=answered.score,
            answers=list(answered.answers),
            at=now,
        )
        write_audit(found.workspace_id, None, "survey.answer", answer, now, conversation=found.conversation_id)
        talk = found.conversation
        members = {each.pk: each for each in (found.made_by, talk.assignee) if each is not None and each.active}
        text = write_notice(
            "survey-answered", who=found.person.name, survey=found.survey.name,
            score=f"{answered.score}/5" if answered.score else "",
        )  # fmt: skip
        notify(
            found.workspace_id, members.values(), "answer", bundle=f"survey:{found.pk}", text=text, conversation=talk,
            now=now,
        )  # fmt: skip
        announce(found.workspace_id, now, [talk.pk], [talk.basket_id])
    return found
