"""Telling colleagues: one notice for what belongs together, told once by each way that they chose.

`notify` is a step of the action that has something to tell, inside its transaction: what is rolled back tells nobody.
The ways out of the house are due times on the row; `pipeline/notices.py` sends what is due.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from django.db import models, transaction

from rapport.core.crisis import HOURS
from rapport.core.decision import Crisis, Outcome
from rapport.core.notice_text import MAX_TEXT, write_notice
from rapport.core.notices import read_ways, when_due
from rapport.store.models import (
    Approval,
    AuditEntry,
    Channel,
    Conversation,
    Delivery,
    DeskEvent,
    Draft,
    Membership,
    Notification,
    NotificationSettings,
    Workspace,
)
from rapport.store.queries.notices import (
    LEADS,
    active_members,
    leads_of,
    members_with,
    quiet_of,
    read_sight,
    read_wishes,
    recent_notices,
    resolve_names,
    zone_of,
)
from rapport.store.queries.sql import adapt, insert_rows

#: a rule tells of posts that were written within this time: a file of old posts wakes nobody
FRESH = dt.timedelta(hours=24)

_COLUMNS = (
    "workspace_id", "membership_id", "event", "bundle", "conversation_id", "count", "text", "first_at", "last_at",
    "mail_at", "push_at",
)  # fmt: skip
#: more of what somebody has not looked at raises the count of its row. A message that is due already takes it along;
#: where none is, the next one is due when its rest is over
_MORE = """
ON CONFLICT (membership_id, event, bundle) WHERE read_at IS NULL DO UPDATE SET
    count = store_notification.count + excluded.count, text = excluded.text, last_at = excluded.last_at,
    conversation_id = excluded.conversation_id,
    mail_at = COALESCE(store_notification.mail_at, excluded.mail_at),
    push_at = COALESCE(store_notification.push_at, excluded.push_at),
    push_left = CASE WHEN store_notification.push_at IS NULL THEN NULL ELSE store_notification.push_left END
"""


class Told(msgspec.Struct, frozen=True):
    """What one member is told."""

    member: int
    event: str
    #: what belongs together: "rule:Storm watch", "conversation:12"
    bundle: str
    text: str
    #: the newest one that it is about
    conversation: int | None = None
    #: how many things
    count: int = 1


# ------------------------------------------------------------------ telling


def notify(
    workspace: Workspace | int,
    members: Iterable[Membership],
    event: str,
    *,
    bundle: str = "",
    text: str,
    now: dt.datetime,
    conversation: Conversation | None = None,
    by: Membership | None = None,
    count: int = 1,
) -> int:
    """Tell `members` of an event of `core.notices.EVENTS`, in one line of `text`; returns how many are told.

    Whoever did it (`by`) is not told, nor anybody who may not see the conversation. `bundle`: what belongs together is
    one notice with a count until it is looked at; "" stands for everything of this event. Call it inside the
    transaction of what happened.
    """
    told = [
        Told(member.pk, event, bundle, text, conversation.pk if conversation else None, count)
        for member in members
        if by is None or member.pk != by.pk
    ]
    return tell(workspace if isinstance(workspace, int) else workspace.pk, told, now=now)


def tell(workspace: int, told: Sequence[Told], *, now: dt.datetime) -> int:
    """`notify` for many at once: at most one row for each member, event and bundle; returns how many members."""
    people = {
        member.pk: member
        for member in active_members(workspace).filter(pk__in={each.member for each in told}).select_related("user")
        if member.may("read") is True
    }
    talks = {each.conversation for each in told if each.conversation is not None}
    sight = read_sight(workspace, list(people.values()), talks)
    told = [
        each
        for each in told
        if each.member in people and (each.conversation is None or sight.sees(each.member, each.conversation))
    ]
    if not told:
        return 0
    wishes = read_wishes(people)
    last = recent_notices(people, {(each.event, each.bundle[:200]) for each in told}, now)
    rows = [
        (each.member, row)
        for each in _joined(told)
        if (row := _row(workspace, each, people[each.member], wishes, last, now))
    ]
    insert_rows("store_notification", _COLUMNS, [row for _, row in rows], _MORE)
    reached = sorted({member for member, _ in rows})
    if reached:
        DeskEvent.objects.create(workspace_id=workspace, kind="notices", payload={"members": reached}, at=now)
    return len(reached)


def _joined(told: Sequence[Told]) -> list[Told]:
    """One for each member, event and bundle, in the order of members, so that two who tell wait for one another."""
    found: dict[tuple[int, str, str], Told] = {}
    for each in told:
        key = (each.member, each.event, each.bundle[:200])
        before = found.get(key)
        found[key] = msgspec.structs.replace(each, count=each.count + (before.count if before else 0))
    return [found[key] for key in sorted(found)]


def _row(
    workspace: int,
    told: Told,
    member: Membership,
    wishes: Mapping[int, NotificationSettings],
    last: Mapping[tuple[int, str, str], tuple[dt.datetime | None, dt.datetime | None]],
    now: dt.datetime,
) -> tuple[object, ...] | None:
    wish = wishes.get(member.pk)
    ways = read_ways(told.event, wish.ways if wish else {})
    if not ways:
        return None
    bundle = told.bundle[:200]
    mailed, pushed = last.get((member.pk, told.event, bundle), (None, None))
    quiet, zone = quiet_of(wish), zone_of(member)
    mail = when_due("mail", told.event, now, last=mailed, quiet=quiet, zone=zone) if "mail" in ways else None
    push = when_due("push", told.event, now, last=pushed, quiet=quiet, zone=zone) if "push" in ways else None
    text = " ".join(told.text.replace("\x00", "").split())[:MAX_TEXT]
    at = adapt(now)
    return (
        workspace, member.pk, told.event, bundle, told.conversation, told.count, text, at, at, adapt(mail), adapt(push)
    )  # fmt: skip


# ------------------------------------------------------------------ what the line has to tell


class Heard(msgspec.Struct, frozen=True):
    """One post that was read for the first time."""

    conversation: int
    outcome: Outcome
    created_at: dt.datetime


def notify_of_rules(workspace: int, heard: Sequence[Heard], *, now: dt.datetime) -> int:
    """Tell those whom rules name (`notify:NAME`), and those to whom the line gave a conversation.

    A rule is one bundle, so a storm is one line with a count. Nobody is told of what was put aside, nor of old posts.
    """
    news = [each for each in heard if each.created_at > now - FRESH and not each.outcome.decision.quarantined]
    named = [each for each in news if each.outcome.decision.notify]
    routed = [each for each in news if each.outcome.route.person is not None]
    if not named and not routed:
        return 0
    talks = {
        row.pk: row
        for row in Conversation.objects.of(workspace)
        .filter(pk__in={each.conversation for each in (*named, *routed)})
        .exclude(state__in=[Conversation.State.QUARANTINED, Conversation.State.UNOPENED, Conversation.State.FOLDED])
        .select_related("person", "basket")
    }
    told = [*_told_by_rules(workspace, named, talks), *_told_by_route(routed, talks, now)]
    return tell(workspace, told, now=now) if told else 0


def _told_by_rules(workspace: int, heard: Sequence[Heard], talks: Mapping[int, Conversation]) -> list[Told]:
    whom = resolve_names(workspace, {name for each in heard for name in each.outcome.decision.notify}) if heard else {}
    leads = leads_of(workspace) if None in whom.values() else []
    told = []
    for each in heard:
        talk = talks.get(each.conversation)
        if talk is None:
            continue
        # a post that two names of one rule mean counts once for each person
        reached: dict[tuple[int, str], str] = {}
        for name in each.outcome.decision.notify:
            rule = _rule_of(each.outcome, name)
            members = whom.get(name)
            lost = name if members is None else ""
            for member in leads if members is None else members:
                reached.setdefault((member.pk, rule), lost)
        for (member_id, rule), lost in reached.items():
            said = "rule-nobody" if lost else "rule"
            text = write_notice(said, rule=rule, name=lost, **_place(talk))
            told.append(Told(member_id, "rule", f"rule:{rule}", text, talk.pk))
    return told


def _rule_of(outcome: Outcome, name: str) -> str:
    """The first rule that tells `name`."""
    written = f"notify:{name}"
    return next((step.rule for step in outcome.decision.trace if step.matched and written in step.actions), "")


def _place(talk: Conversation) -> dict[str, str]:
    """Who, and where: values of a notice."""
    return {"who": talk.person.name if talk.person else "", "basket": talk.basket.name if talk.basket else ""}


def _told_by_route(heard: Sequence[Heard], talks: Mapping[int, Conversation], now: dt.datetime) -> list[Told]:
    given = {each.conversation for each in heard}
    return [
        Told(talk.assignee_id, "assigned", "", write_notice("yours", **_place(talk)), pk)
        for pk, talk in talks.items()
        if pk in given and talk.assignee_id is not None and talk.opened_at == now
    ]


def notify_assigned(by: Membership, conversation: Conversation, *, now: dt.datetime) -> int:
    """Tell the one to whom a colleague gave a conversation."""
    if conversation.assignee is None:
        return 0
    text = write_notice("given", by=str(by), **_place(conversation))
    return notify(
        by.workspace_id, [conversation.assignee], "assigned", text=text, now=now, conversation=conversation, by=by
    )


def note_crisis(workspace: Workspace, crisis: Crisis | None, *, now: dt.datetime) -> bool:
    """Far more trouble than usual began, or is over (None); returns whether that is news. All leads are told."""
    newest = AuditEntry.objects.of(workspace).filter(subject="crisis").order_by("-id").first()
    if (crisis is not None) == (newest is not None and newest.verb == "crisis.begin"):
        return False
    if crisis is not None:
        text = write_notice("crisis", negative=crisis.negative, hours=HOURS, usual=f"{crisis.usual:g}")
    else:
        text = write_notice("calm")
    with transaction.atomic():
        AuditEntry.objects.create(
            workspace=workspace, verb="crisis.begin" if crisis else "crisis.end", subject="crisis", at=now,
            detail={"negative": crisis.negative, "usual": crisis.usual} if crisis else {},
        )  # fmt: skip
        bundle = "begins" if crisis else "over"
        notify(workspace, members_with(workspace.pk, LEADS), "crisis", bundle=bundle, text=text, now=now)
    return True


# ------------------------------------------------------------------ what somebody looked at


def read_notices(member: Membership, rows: models.QuerySet[Notification], *, now: dt.datetime) -> int:
    """The member looked at these (of their own): they are off the bell, and no mail or push goes out for them."""
    return rows.filter(membership=member, read_at__isnull=True).update(read_at=now, mail_at=None, push_at=None)


def read_about(member: Membership, conversation: Conversation, *, now: dt.datetime) -> int:
    """The member opened a conversation: what was told of it alone is read."""
    own = Notification.objects.filter(membership=member, read_at__isnull=True, conversation=conversation)
    about = models.Q(count=1) | models.Q(bundle=about_one(conversation.pk))
    # looked for first: pages are opened far more often than there is anything to mark
    return read_notices(member, own.filter(about), now=now) if own.exists() else 0


def take_back(member: int, event: str, bundle: str, *, now: dt.datetime) -> int:
    """What a member was told is not so any more: if they have not looked yet, they need not."""
    rows = Notification.objects.filter(membership=member, event=event, bundle=bundle[:200], read_at__isnull=True)
    return rows.update(read_at=now, mail_at=None, push_at=None)


def about_one(conversation: int) -> str:
    """The bundle of everything that is about one conversation."""
    return f"conversation:{conversation}"


def announce_read(member: Membership, *, now: dt.datetime) -> None:
    """Tell the member's other open pages that the bell changed."""
    DeskEvent.objects.create(workspace_id=member.workspace_id, kind="notices", payload={"members": [member.pk]}, at=now)


# ------------------------------------------------------------------ what replies and sources have to tell

#: steps of a delivery of which its person is told
_NOT_SENT = frozenset({"failed", "held", "unconfirmed", "unknown"})


def notify_of_delivery(delivery: Delivery, step: str, before: str, *, now: dt.datetime) -> int:
    """Tell whoever approved a reply that it failed, is held or is unconfirmed; take that back once it was sent.

    before: the state that it was in; looking again at one that is unconfirmed is no news.
    """
    talk, person = delivery.conversation, delivery.approval.person
    is_said = delivery.approval.kind in (None, Approval.Kind.POST)
    bundle = about_one(talk.pk) if talk and is_said else f"delivery:{delivery.pk}"
    if person is None:
        return 0  # a machine's word: nobody waits for it
    if step in {"sent", "reconciled"}:
        return take_back(person.pk, "delivery", bundle, now=now)
    # a hold is a decision that everybody sees on every page
    if step not in _NOT_SENT or step == before or delivery.cause.startswith("crisis-hold:"):
        return 0
    who = talk.person.name if talk and talk.person else ""
    if not is_said:
        if step not in {"failed", "held"}:
            return 0  # done again by itself
        step = f"act-{step}"
    text = write_notice(step, who=who, cause=delivery.cause)
    return notify(
        delivery.workspace_id,
        [person],
        "delivery",
        bundle=bundle,
        text=text,
        now=now,
        conversation=talk,
    )


def notify_of_source(channel: Channel, text: str, *, now: dt.datetime) -> int:
    """Tell those who may mend it what a source needs."""
    members = members_with(channel.workspace_id, ("owner", "admin"))
    return notify(channel.workspace_id, members, "source", bundle=f"channel:{channel.pk}", text=text, now=now)


# ------------------------------------------------------------------ drafts that wait for a lead


def notify_of_proposal(by: Membership, conversation: Conversation, *, now: dt.datetime) -> int:
    """Tell the leads that a colleague who may not send asks them to."""
    leads = leads_of(by.workspace_id, conversation.basket_id)
    text = write_notice("asks", by=str(by), **_place(conversation))
    return notify(by.workspace_id, leads, "proposal", text=text, now=now, conversation=conversation, by=by)


def notify_of_answer(
    author: Membership, conversation: Conversation, text: str, *, by: Membership, now: dt.datetime
) -> int:
    """Tell an author what became of the draft that they proposed."""
    bundle = about_one(conversation.pk)
    return notify(
        by.workspace_id, [author], "answer", bundle=bundle, text=text, now=now, conversation=conversation, by=by
    )


def notify_of_sent_drafts(by: Membership, conversation: Conversation, text: str, *, now: dt.datetime) -> int:
    """Tell the authors of drafts that waited here that `by` answered, with their words or with others."""
    waiting = Draft.objects.of(by.workspace_id).filter(conversation=conversation, proposed=True, author__isnull=False)
    told = 0
    for draft in waiting.exclude(author=by).select_related("author"):
        same = " ".join(draft.text.split()) == " ".join(text.split())
        said = write_notice("sent-as-written" if same else "sent-changed", by=str(by), **_place(conversation))
        if draft.author is not None:
            told += notify_of_answer(draft.author, conversation, said, by=by, now=now)
    return told
