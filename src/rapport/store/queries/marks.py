"""What there is around one conversation, asked in one query: of most there is little, and only that is read."""

from __future__ import annotations

import msgspec
from django.db import models
from django.db.models import Exists, OuterRef, QuerySet

from rapport.store.models import (
    Allowance,
    Article,
    Attachment,
    Conversation,
    Delivery,
    Draft,
    Escalation,
    Ignoring,
    Invitation,
    Membership,
    Note,
    Notification,
    Offer,
    Promise,
    RuleEffect,
    StepPlan,
    Survey,
    Task,
)
from rapport.store.queries.prepared import Prepared


class Marks(msgspec.Struct, frozen=True):
    """Whether there may be something. As it stands without a look: of everything."""

    #: a notice about it that the member has not looked at
    notices: bool = True
    notes: bool = True
    drafts: bool = True
    #: replies of ours, on their way or there
    deliveries: bool = True
    #: what rules did or proposed
    effects: bool = True
    tasks: bool = True
    #: promises that have not ended
    promises: bool = True
    #: its person reached a step of the ladder, or was ignored once
    steps: bool = True
    ignorings: bool = True
    #: somebody put a link to a survey into a draft here; something was offered
    invitations: bool = True
    offers: bool = True
    #: the workspace has surveys, articles, things that may be offered
    surveys: bool = True
    articles: bool = True
    allowances: bool = True
    #: and plans of steps
    plans: bool = True
    #: something is to be done for its person, or was offered to them, here or elsewhere
    owed_tasks: bool = True
    owed_offers: bool = True
    #: images for a reply that was not sent
    images: bool = True


EVERYTHING = Marks()


def read_marks(conversation: Conversation, member: Membership) -> Marks:
    """What there is of a conversation and its person; what of it the member may see, whoever reads it decides."""
    found = _MARKS.rows(conversation.pk, conversation.workspace_id, member.pk)
    return Marks(*map(bool, found[0])) if found else EVERYTHING


def _marks(conversation: int, workspace: int, member: int) -> QuerySet[Conversation, tuple[bool, ...]]:
    def here(model: type[models.Model], **narrowed: object) -> Exists:
        return Exists(model._default_manager.filter(conversation=OuterRef("pk"), **narrowed))

    def of_person(model: type[models.Model]) -> Exists:
        return Exists(model._default_manager.filter(person=OuterRef("person")))

    def of_workspace(model: type[models.Model], **narrowed: object) -> Exists:
        return Exists(model._default_manager.filter(workspace=workspace, **narrowed))

    return Conversation.objects.filter(pk=conversation).values_list(
        here(Notification, membership=member, read_at__isnull=True),
        here(Note),
        here(Draft),
        here(Delivery),
        here(RuleEffect),
        here(Task),
        here(Promise, ended_at__isnull=True),
        of_person(Escalation),
        of_person(Ignoring),
        here(Invitation),
        here(Offer),
        of_workspace(Survey, active=True),
        of_workspace(Article, active=True),
        of_workspace(Allowance),
        of_workspace(StepPlan, active=True),
        of_person(Task),
        of_person(Offer),
        here(Attachment, approval__isnull=True),
    )


_MARKS = Prepared(_marks, int, int, int)
