"""What we decide about a person: ignore, suppress, name the relationship, and who is one with whom."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import msgspec
from django.db import transaction

from rapport.actions.audit import announce, require, write_audit
from rapport.actions.suppressions import end_suppression, keep_suppression
from rapport.actions.undo import note_deed
from rapport.actions.undo_others import is_of_others
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.identity import Known, carry_strictness, combine, rebase
from rapport.store.models import (
    Conversation,
    Handle,
    Ignoring,
    Membership,
    Person,
    PersonMerge,
    Suppression,
    Task,
    Workspace,
)
from rapport.store.queries import identity
from rapport.store.queries.automated import set_apart
from rapport.store.queries.ladder import lapsed_ignorings
from rapport.store.queries.people import visible_people

RELATIONSHIPS = (
    "", "prospect", "customer", "advocate", "detractor", "influencer", "partner", "journalist", "colleague",
    "competitor",
)  # fmt: skip
MAX_EVIDENCE = 2_000  # characters
#: a decision to ignore somebody is looked at again after this time, unless it has an end or a day of its own
REVIEW = dt.timedelta(days=90)
FARTHEST = dt.timedelta(days=3 * 366)
_GONE = "This person was joined with another one meanwhile. Load the page again."


def ignore_person(
    by: Membership,
    person: Person,
    reason: str,
    *,
    until: dt.datetime | None = None,
    review_at: dt.datetime | None = None,
    now: dt.datetime,
) -> Person:
    """Deliberately leave a person unanswered: who decided it, why, until when, and when somebody looks again.

    `until`: it ends by itself then; None: it stands until somebody ends it. `review_at`: a task asks then whether it
    is still right; without it, whatever has no end is looked at again after `REVIEW`.
    """
    require_person(by, person)
    reason = reason.replace("\x00", "").strip()[:300]
    if not reason:
        raise InvalidInput("Say why nobody answers them: whoever meets them next will read it.")
    for moment in (until, review_at):
        if moment is not None and not now < moment <= now + FARTHEST:
            raise InvalidInput("Choose a day that lies ahead, at most three years.")
    with transaction.atomic():
        _lock_workspace(by)
        if Ignoring.objects.of(by.workspace).filter(person=person, ended_at__isnull=True).exists():
            raise InvalidInput("They are ignored already. End that first to decide anew.")
        _change(by, person, "person.ignore", now, ignored=True, _told={"reason": reason, "until": _day(until)})
        look_at = review_at or (None if until else now + REVIEW)
        Ignoring.objects.create(
            workspace=by.workspace, person=person, reason=reason, by=by, at=now, until=until, review_at=look_at,
            task=_ask_again(by, person, look_at, now) if look_at else None,
        )  # fmt: skip
    return person


def stop_ignoring(by: Membership, person: Person, *, now: dt.datetime) -> Person:
    """They are answered again; what was decided stays on record."""
    require_person(by, person)
    with transaction.atomic():
        _lock_workspace(by)
        for each in Ignoring.objects.of(by.workspace).filter(person=person, ended_at__isnull=True):
            _end_ignoring(each, by, now)
        return _change(by, person, "person.ignore", now, ignored=False)


def keep_ignoring(
    by: Membership, person: Person, *, review_at: dt.datetime | None = None, now: dt.datetime
) -> Ignoring:
    """Somebody looked again, and it is still right; the next look is at `review_at`, else after `REVIEW`."""
    require_person(by, person)
    look_at = review_at or now + REVIEW
    if not now < look_at <= now + FARTHEST:
        raise InvalidInput("Choose a day that lies ahead, at most three years.")
    with transaction.atomic():
        _lock_workspace(by)
        row = Ignoring.objects.of(by.workspace).filter(person=person, ended_at__isnull=True).first()
        if row is None:
            raise InvalidInput("They are not ignored any more.")
        _finish_review(row, by, now)
        row.reviewed_at, row.reviewed_by, row.review_at = now, by, look_at
        row.task = _ask_again(by, person, look_at, now)
        row.save(update_fields=["reviewed_at", "reviewed_by", "review_at", "task"])
        write_audit(by.workspace, by, "person.review", person, now, reason=row.reason, review_at=_day(look_at))
    return row


def end_lapsed_ignorings(workspace: Workspace, *, now: dt.datetime) -> int:
    """Answer those again whose time of being ignored is over; returns how many."""
    if not lapsed_ignorings(workspace.pk, now).exists():
        return 0
    with transaction.atomic():
        Workspace.objects.select_for_update(no_key=True).only("pk").get(pk=workspace.pk)
        rows = list(lapsed_ignorings(workspace.pk, now)[:500])
        for row in rows:
            _end_ignoring(row, None, now)
            Person.objects.filter(pk=row.person_id).update(ignored=False)
            write_audit(
                workspace, None, "person.ignore", row.person, now, before={"ignored": True}, after={"ignored": False}
            )
        talks = Conversation.objects.of(workspace).filter(person__in=[row.person_id for row in rows])
        announce(workspace, now, talks.values_list("pk", flat=True)[:200])
    return len(rows)


def _ask_again(by: Membership, person: Person, at: dt.datetime, now: dt.datetime) -> Task:
    """The task of whoever decided it: is it still right?"""
    name = person.name or "this person"
    return Task.objects.create(
        workspace=by.workspace, title=f"Still right to ignore {name}?"[:300], person=person, assignee=by, made_by=by,
        made_at=now, due_at=at,
    )  # fmt: skip


def _end_ignoring(row: Ignoring, by: Membership | None, now: dt.datetime) -> None:
    _finish_review(row, by, now)
    row.ended_at, row.ended_by = now, by
    row.save(update_fields=["ended_at", "ended_by"])


def _finish_review(row: Ignoring, by: Membership | None, now: dt.datetime) -> None:
    Task.objects.filter(pk=row.task_id or 0, done_at__isnull=True).update(done_at=now, done_by=by)


def _day(moment: dt.datetime | None) -> str | None:
    return moment.date().isoformat() if moment else None


def suppress_person(by: Membership, person: Person, reason: str, *, now: dt.datetime) -> Person:
    """They asked us to stop: nothing goes out to them any more, for good. `reason`: how we know; it is never empty."""
    reason = reason.replace("\x00", "").strip()[:300]
    if not reason:
        raise InvalidInput("Say why nothing may go to them any more, so that nobody has to guess later.")
    with transaction.atomic():
        row = _change(by, person, "person.suppress", now, suppressed_reason=reason)
        keep_suppression(row, reason, Suppression.Source.COLLEAGUE, by, now=now)
    return row


def lift_suppression(by: Membership, person: Person, reason: str, *, now: dt.datetime) -> Person:
    """They may be written to again: a lead decides that and says why ("asked for a call, on the phone, 3 May")."""
    require(by, "configure")
    if not reason.strip():
        raise InvalidInput("They asked us to stop. Say why they may be written to again: it stands in the audit.")
    why: dict[str, object] = {"reason": reason.strip()[:300]}
    with transaction.atomic():
        row = _change(by, person, "person.lift_suppression", now, why, suppressed_reason="")
        end_suppression(row, by, reason.strip()[:300], now=now)
    return row


def set_relationship(by: Membership, person: Person, relationship: str, *, now: dt.datetime) -> Person:
    """Name what they are to us."""
    if relationship not in RELATIONSHIPS:
        raise InvalidInput(f"{relationship!r} is not one of: {', '.join(filter(None, RELATIONSHIPS))}.")
    return _change(by, person, "person.relationship", now, relationship=relationship)


def say_automated(by: Membership, handle: Handle, word: bool | None, *, now: dt.datetime) -> Handle:
    """Say of an account that it is automated (True) or not (False): that stands above the score. None takes it back."""
    require_person(by, handle.person)
    with transaction.atomic():
        _lock_workspace(by)
        row = Handle.objects.of(by.workspace).select_for_update().filter(pk=handle.pk).first()
        if row is None or row.ours:
            raise InvalidInput("This account is not there any more, or is one of ours.")
        was = row.automated
        row.bot_word = word
        row.bot_word_by, row.bot_word_at = (None, None) if word is None else (by, now)
        row.save(update_fields=["bot_word", "bot_word_by", "bot_word_at"])
        if row.automated != was:
            set_apart(by.workspace_id, {row.pk: row.automated}, now)
        verb = {True: "person.bot", False: "person.no_bot", None: "person.bot_unsaid"}[word]
        write_audit(by.workspace, by, verb, row.person, now, handle=_called(row))
        touched = Conversation.objects.of(by.workspace).filter(person=row.person_id).values_list("pk", flat=True)[:200]
        announce(by.workspace, now, touched)
    return row


def _change(
    by: Membership,
    person: Person,
    verb: str,
    now: dt.datetime,
    _told: dict[str, object] | None = None,
    **fields: object,
) -> Person:
    require_person(by, person)
    with transaction.atomic():
        before = {name: getattr(person, name) for name in fields}
        for name, value in fields.items():
            setattr(person, name, value)
        if not Person.objects.of(by.workspace_id).filter(pk=person.pk).update(**fields):
            raise InvalidInput(_GONE)
        write_audit(by.workspace, by, verb, person, now, before=before, after=fields, **(_told or {}))
        # a suppression is for good, a lead lifts it and says why; ignoring is ended, and stays on record
        if is_of_others(verb):
            note_deed(by, verb, [(person.pk, before, fields)], now=now)
        touched = Conversation.objects.of(by.workspace).filter(person=person).values_list("pk", flat=True)[:200]
        announce(by.workspace, now, touched)
    return person


def require_person(by: Membership, person: Person) -> None:
    require(by, "people")
    if person.workspace_id != by.workspace_id:
        raise NotAllowed("This person belongs to another workspace.")
    if not visible_people(by).filter(pk=person.pk).exists():
        if not Person.objects.of(by.workspace_id).filter(pk=person.pk).exists():
            raise InvalidInput(_GONE)
        raise NotAllowed("This person has no conversation in your baskets. A lead can decide about them.")


# ---------------------------------------------------------------- one person, many handles


def join_people(by: Membership, keep: Person, other: Person, evidence: str, *, now: dt.datetime) -> PersonMerge:
    """They are one: handles, conversations and what is known of `other` go to `keep`, and `other` is no more.

    `evidence` says how we know. The stricter of ignored and suppressed holds. `split_people` undoes it.
    """
    require_person(by, keep)
    require_person(by, other)
    evidence = evidence.replace("\x00", "").strip()
    if keep.pk == other.pk:
        raise InvalidInput("These are one person already.")
    if not evidence:
        raise InvalidInput("Say how you know that they are one person: whoever doubts it later will read it.")
    if len(evidence) > MAX_EVIDENCE:
        raise InvalidInput(f"The evidence has {len(evidence):,} characters; at most {MAX_EVIDENCE:,} fit.")
    with transaction.atomic():
        keep, other = _lock(by, keep), _lock(by, other)
        handles = Handle.objects.of(by.workspace)
        if handles.filter(person__in=[keep, other], ours=True).exists():
            raise InvalidInput("One of them is an account of ours; it cannot be joined with people outside.")
        moved = list(handles.filter(person=other).order_by("pk"))
        talks = Conversation.objects.of(by.workspace).filter(person=other)
        before, known = identity.known_of(keep), identity.known_of(other)
        merge = PersonMerge.objects.create(
            workspace=by.workspace, kept=keep.pk, absorbed=other.pk, evidence=evidence, by=by, at=now,
            before=msgspec.to_builtins(before), known=msgspec.to_builtins(known),
            handles=[handle.pk for handle in moved], conversations=list(talks.values_list("pk", flat=True)),
        )  # fmt: skip
        handles.filter(person=other).update(person=keep)
        talks.update(person=keep)
        one = combine(before, known)
        identity.write_known(keep, one)
        keep.save()
        identity.write_values(keep, one)
        identity.carry_decisions(other, keep, by, now)
        write_audit(
            by.workspace, by, "person.join", keep, now, name=other.name, handles=[_called(each) for each in moved],
            evidence=evidence, person=other.pk, join=merge.pk,
        )  # fmt: skip
        other.delete()
        announce(by.workspace, now, merge.conversations)
    return merge


def split_people(by: Membership, merge: PersonMerge, *, now: dt.datetime) -> Person:
    """Undo a join: the person who was joined comes back with their handles and conversations.

    What happened since stays with the handle that it happened on; what was decided since stays with the person kept,
    and whoever must be left alone is so on both sides. Joins can be undone in any order.
    """
    require(by, "people")
    if merge.workspace_id != by.workspace_id:
        raise NotAllowed("This person belongs to another workspace.")
    with transaction.atomic():
        _lock_workspace(by)
        if not identity.standing(by.workspace_id).filter(pk=merge.pk).update(undone_at=now):
            raise InvalidInput("This join was undone already.")
        merge.refresh_from_db()
        holder = (
            Person.objects.of(by.workspace).select_for_update().get(pk=identity.living(by.workspace_id, merge.kept))
        )
        require_person(by, holder)
        theirs = Handle.objects.of(by.workspace).filter(person=holder)
        coming = list(theirs.filter(pk__in=merge.handles).order_by("pk"))
        if coming and len(coming) == theirs.count():
            raise InvalidInput("No other handle is left with this person, so there is nobody to split them from.")
        person = _bring_back(merge, holder)
        spoken = identity.talks_with(holder, [handle.pk for handle in coming])
        Handle.objects.filter(pk__in=[handle.pk for handle in coming]).update(person=person)
        touched = _hand_over(holder, person, spoken, silent=merge.conversations)
        identity.return_decisions(holder, person, msgspec.convert(merge.known, Known).ignorings, by, now)
        identity.return_known(holder, person, merge)
        _widen(holder)
        _widen(person)
        write_audit(
            by.workspace, by, "person.split", person, now, name=person.name, kept=holder.pk,
            handles=[_called(each) for each in coming], join=merge.pk,
        )  # fmt: skip
        announce(by.workspace, now, touched)
    return person


def split_handle(by: Membership, handle: Handle, *, now: dt.datetime) -> Person:
    """A handle that does not belong gets a person of its own, with what was said on it.

    The last handle that a join brought along goes back to who it was: then this undoes the join. Ignored and suppressed
    hold on both sides.
    """
    require_person(by, handle.person)
    with transaction.atomic():
        _lock_workspace(by)
        handle = Handle.objects.of(by.workspace).select_related("person").get(pk=handle.pk)
        was = handle.person
        left = set(Handle.objects.of(by.workspace).filter(person=was).values_list("pk", flat=True))
        if left == {handle.pk}:
            raise InvalidInput("This is their only handle.")
        for merge in identity.joins_of(was):
            if left & set(merge.handles) == {handle.pk}:
                return split_people(by, merge, now=now)
        person = Person.objects.create(
            workspace=by.workspace, name=handle.name or handle.handle or handle.external_id, ignored=was.ignored,
            suppressed_reason=was.suppressed_reason, first_seen=was.first_seen, last_seen=was.last_seen,
        )  # fmt: skip
        spoken = identity.talks_with(was, [handle.pk])
        Handle.objects.filter(pk=handle.pk).update(person=person)
        touched = _hand_over(was, person, spoken)
        identity.return_decisions(was, person, (), by, now)
        identity.return_talks(was, person)
        for each in (was, person):
            if span := identity.heard_span(each):
                Person.objects.filter(pk=each.pk).update(first_seen=span[0], last_seen=span[1])
        write_audit(by.workspace, by, "person.split_handle", person, now, handle=_called(handle), kept=was.pk)
        announce(by.workspace, now, touched)
    return person


def _lock_workspace(by: Membership) -> None:
    """Workers that record posts hold it too: no conversation is given to somebody who is just leaving."""
    Workspace.objects.select_for_update(no_key=True).only("pk").get(pk=by.workspace_id)


def _lock(by: Membership, person: Person) -> Person:
    _lock_workspace(by)
    row = Person.objects.of(by.workspace_id).select_for_update().filter(pk=person.pk).first()
    if row is None:
        raise InvalidInput(_GONE)
    return row


def _called(handle: Handle) -> str:
    return f"@{handle.handle or handle.external_id} ({handle.network})"


def _bring_back(merge: PersonMerge, holder: Person) -> Person:
    """The row of the joined person again, and what came from them out of what is known of `holder`."""
    now, (old, new) = identity.known_of(holder), _without(merge)
    person = Person(pk=merge.absorbed, workspace_id=merge.workspace_id)
    back = carry_strictness(msgspec.convert(merge.known, Known), now, old)
    identity.write_known(person, back)
    person.save(force_insert=True)
    identity.write_values(person, back)
    # the span follows the handles: what was heard since is added from the posts
    known = msgspec.structs.replace(rebase(now, old, new), first_seen=new.first_seen, last_seen=new.last_seen)
    identity.write_known(holder, known)
    holder.save()
    identity.write_values(holder, known)
    return person


def _without(merge: PersonMerge) -> tuple[Known, Known]:
    """What the joins alone would say of the living person, with and without `merge`; later joins are carried along."""
    new = msgspec.convert(merge.before, Known)
    old = combine(new, msgspec.convert(merge.known, Known))
    kept, after = merge.kept, merge.pk
    while True:
        for later in identity.standing(merge.workspace_id).filter(kept=kept, pk__gt=after).order_by("pk"):
            before, known = msgspec.convert(later.before, Known), msgspec.convert(later.known, Known)
            fresh = rebase(before, old, new)
            old, new = combine(before, known), combine(fresh, known)
            later.before = msgspec.to_builtins(fresh)
            later.save(update_fields=["before"])
        above = identity.standing(merge.workspace_id).filter(absorbed=kept).first()
        if above is None:
            return old, new
        known, before = msgspec.convert(above.known, Known), msgspec.convert(above.before, Known)
        fresh = rebase(known, old, new)
        old, new = combine(before, known), combine(before, fresh)
        above.known = msgspec.to_builtins(fresh)
        above.save(update_fields=["known"])
        kept, after = above.kept, above.pk


def _hand_over(was: Person, person: Person, spoken: Collection[int], silent: Collection[int] = ()) -> list[int]:
    """Give the conversations to `person` in which they spoke last (`silent`: those without a word, too)."""
    found = identity.speakers([*spoken, *silent])
    mine = [row for row, speaker in found.items() if speaker == person.pk]
    mine += [row for row in silent if row not in found]
    Conversation.objects.of(was.workspace_id).filter(pk__in=mine, person=was).update(person=person)
    return mine


def _widen(person: Person) -> None:
    """First and last seen as far as their posts reach."""
    if span := identity.heard_span(person):
        first, last = min(person.first_seen, span[0]), max(person.last_seen, span[1])
        Person.objects.filter(pk=person.pk).update(first_seen=first, last_seen=last)
