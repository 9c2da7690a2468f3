"""Conversations for programs: listing, reading, and leaving a draft. Nothing here sends."""

from __future__ import annotations

import re
from typing import get_args

from django.http import HttpResponse

from rapport.actions.api import leave_draft
from rapport.api.body import read_body, read_object
from rapport.api.door import Call, missing
from rapport.api.paging import MAX_ID, read_number
from rapport.api.problems import bad
from rapport.api.shapes import (
    ConversationLine,
    ConversationList,
    ConversationWhole,
    DraftBody,
    Explanation,
    Named,
    OwnDraft,
    Remark,
    Said,
)
from rapport.store import why
from rapport.store.mapping import post_of
from rapport.store.models import Basket, Conversation, Draft, Membership
from rapport.store.models.scoped import ScopedQuerySet
from rapport.store.queries import desk, talk
from rapport.store.queries.felt import Machines, felt_as

MAX_PAGE = 100
_SLUG = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PRIORITIES = ("low", "medium", "high", "urgent")


def list_conversations(call: Call) -> ConversationList:
    """Those within the member's sight, newest first; keyset paging, so nothing is shown twice while others come in."""
    limit = read_number(call, "limit", desk.PAGE, MAX_PAGE)
    before = read_number(call, "cursor", MAX_ID, MAX_ID)
    rows = desk.visible_conversations(call.by).filter(pk__lt=before)
    rows = felt_as(_in_wanted_state(call, rows), machines=wanted_machines(call))
    if "basket" in call.query:
        rows = rows.filter(basket=_basket(call))
    found = list(_with_names(rows).order_by("-pk")[: limit + 1])
    shown = found[:limit]
    return ConversationList(
        conversations=tuple(_line(row, call.by) for row in shown),
        next=str(shown[-1].pk) if len(found) > limit else None,
    )


def read_conversation(call: Call, pk: int) -> ConversationWhole | HttpResponse:
    """Posts with their readings, why it is where it is, and what colleagues noted."""
    row = _find(call, pk)
    if row.state == Conversation.State.MERGED:
        if row.merged_into is None:
            raise missing()
        return HttpResponse(status=308, headers={"Location": f"/api/v1/conversations/{row.merged_into}"})
    said = talk.read_talk(row, call.by)
    told = why.explain_to(call.by, said)
    posts = [entry for entry in said.entries if entry.post]
    return ConversationWhole(
        conversation=_line(row, call.by),
        posts=tuple(_said(entry) for entry in posts),
        hidden=said.hidden,
        reposts=len(said.reposts),
        explanation=Explanation(row.why, told.steps, told.untold) if told else Explanation(row.why),
        notes=tuple(
            Remark(entry.note.text, entry.note.at, _member(entry.note.author)) for entry in said.entries if entry.note
        ),
        draft=_draft(said.own_draft) if said.own_draft and said.own_draft.text.strip() else None,
    )


def save_draft(call: Call, pk: int) -> OwnDraft:
    """A text for a person to read, edit and send."""
    wanted = read_object(read_body(call.request), DraftBody)
    row = _find(call, pk)
    if row.state == Conversation.State.MERGED:
        raise missing()
    draft = leave_draft(call.by, row, wanted.text, replaces=wanted.replaces, propose=wanted.propose, now=call.now)
    return _draft(draft)


def _find(call: Call, pk: int) -> Conversation:
    rows = desk.visible_conversations(call.by).exclude(state=Conversation.State.UNOPENED)
    found = _with_names(rows).filter(pk=pk).first() if pk <= MAX_ID else None
    if found is None:
        raise missing()
    return found


def _with_names(rows: ScopedQuerySet[Conversation]) -> ScopedQuerySet[Conversation]:
    return rows.select_related("channel", "basket", "person", "assignee__user")


def _in_wanted_state(call: Call, rows: ScopedQuerySet[Conversation]) -> ScopedQuerySet[Conversation]:
    wanted = call.query.get("state")
    if wanted is None:
        return rows.filter(state__in=desk.LISTED)
    if wanted not in desk.ON_REQUEST:
        raise bad("query.state", "is no state that a list can show", f"Send one of {', '.join(desk.ON_REQUEST)}.")
    return desk.in_state(rows, wanted)


def wanted_machines(call: Call) -> str:
    """What the call asks of accounts that look automated: "" or "without". Raises `Refused` for anything else."""
    wanted = call.query.get("automated", "")
    if wanted not in get_args(Machines):
        raise bad("query.automated", "is not what can be asked of automated accounts", "Send without, or leave it out.")
    return wanted


def _basket(call: Call) -> Basket:
    slug = call.query["basket"]
    found = desk.visible_baskets(call.by).filter(slug=slug).first() if _SLUG.fullmatch(slug) else None
    if found is None:
        raise missing()
    return found


def _line(row: Conversation, by: Membership) -> ConversationLine:
    return ConversationLine(
        id=row.pk,
        network=row.network,
        channel=row.channel.slug,
        basket=row.basket.slug if row.basket else None,
        state=row.state,
        priority=_PRIORITIES[row.priority],
        score=row.score,
        why=row.why,
        preview=row.preview,
        person=Named(row.person.pk, row.person.name) if row.person else None,
        assignee=_member(row.assignee),
        opened_at=row.opened_at,
        waiting_since=row.waiting_since,
        last_post_at=row.last_post_at,
        automated=bool(row.automated),
        version=row.version,
        page=f"/w/{by.workspace.slug}/c/{row.pk}/",
    )


def _member(member: Membership | None) -> Named | None:
    return Named(member.pk, str(member)) if member else None


def _said(entry: talk.Entry) -> Said:
    assert entry.post is not None
    judged = entry.judgement
    if judged is None:
        return Said(post_of(entry.post), None, None)
    return Said(post_of(entry.post, judged.author), judged.reading, judged.score, judged.topics, judged.toward)


def _draft(draft: Draft) -> OwnDraft:
    based_on = draft.based_on.external_id if draft.based_on else None
    return OwnDraft(draft.text, draft.proposed, draft.updated_at, based_on)
