"""Erasing a person: asked for by an admin, done by a worker in small steps, told in a report.

Every step is one transaction and can be done again, so an erasure goes on where a process died. What is removed where
stands in `store.queries.erasure.HOLDERS`; the steps are in `actions.forgetting`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.db.models import Q

from rapport.actions import forgetting
from rapport.actions.audit import announce, require, write_audit
from rapport.actions.forgetting import Tally, overwriting
from rapport.actions.person_jobs import ask_job, ours
from rapport.actions.undo_others import deeds_on_others
from rapport.bus.table import TableBus
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.post import Post
from rapport.core.traces import Traces
from rapport.store.models import (
    BrandHandle,
    Handle,
    KeptAnswer,
    Membership,
    Person,
    PersonJob,
    PersonMerge,
    Suppression,
    WebhookCall,
    Workspace,
)
from rapport.store.models import Post as PostRow
from rapport.store.queries.deleted import AUTHOR, write_erased
from rapport.store.queries.erasure import (
    UNREACHED,
    accounts_of,
    entries_of_handles,
    joined_to,
    names_of,
    next_conversations,
)
from rapport.store.queries.named_in import named_in
from rapport.store.queries.suppressions import digests

#: conversations that one step takes away
STEP = 50
#: posts that belong to no conversation yet, in one step
POSTS = 500
#: what stands as the reason of a suppression whose person is gone
STILL_ALONE = "asked us to stop, before what we knew of them was erased"


def word_to_type(person: Person) -> str:
    """What an admin types to confirm: the name of the person, else that of an account of theirs."""
    if person.name.strip():
        return person.name.strip()
    return next((row.handle or row.external_id for row in accounts_of(person)), str(person.pk))


def ask_erasure(by: Membership, person: Person, reason: str, typed: str, *, now: dt.datetime) -> PersonJob:
    """Have everything that is known of a person taken away; a worker begins within seconds.

    `reason` stays, so it names nobody; `typed` is `word_to_type`. Asked twice, it is one job. Raises `NotAllowed`, and
    `InvalidInput` for a word that is another or an account of ours.
    """
    require(by, "erase")
    if " ".join(typed.split()).casefold() != " ".join(word_to_type(person).split()).casefold():
        raise InvalidInput(f"Type “{word_to_type(person)}” to confirm: what is erased does not come back.")
    if Handle.objects.of(by.workspace_id).filter(person=person, ours=True).exists():
        raise InvalidInput("This is an account of ours. Disconnect its channel instead.")
    return ask_job(by, person, PersonJob.Kind.ERASE, reason, now=now)


def erase_some(job: PersonJob, *, now: dt.datetime) -> bool:
    """The next step of an erasure that was claimed; whether there are more. Raises `StillLeaving` and `LostClaim`.

    Raises `NotAllowed` where whoever asked may not erase any more.
    """
    with overwriting(), transaction.atomic():
        workspace = Workspace.objects.select_for_update(no_key=True).get(pk=job.workspace_id)
        row = ours(job, now)
        by = row.asked_by
        if by is None:
            raise NotAllowed("Whoever asked for it is not there any more. Ask again.")
        require(by, "erase")
        person = Person.objects.of(workspace).filter(pk=row.person).first()
        if person is None:
            return False
        tally = Tally(row.report)
        named = _step(person, by, tally, now)
        report = {"removed": dict(tally.removed), "blanked": dict(tally.blanked), "unreached": list(UNREACHED)}
        if named is not None:
            report["named_in"] = named
        PersonJob.objects.filter(pk=row.pk).update(report=report)
    return True


def finish_erasure(job: PersonJob, *, now: dt.datetime) -> PersonJob:
    """Say that nothing is left. Raises `LostClaim`."""
    with transaction.atomic():
        row = ours(job, now)
        row.state, row.done_at, row.problem = PersonJob.State.DONE, now, ""
        row.save(update_fields=["state", "done_at", "problem"])
        removed = sum(row.report.get("removed", {}).values())
        write_audit(row.workspace_id, row.asked_by, "person.erased", row, now, removed=removed)
        announce(row.workspace_id, now, kind="config")
    return row


def _step(person: Person, by: Membership, tally: Tally, now: dt.datetime) -> dict[str, Any] | None:
    """Take something away; the person's row goes with the last of it, and then the answer is where colleagues wrote
    their accounts down (`store.queries.named_in`).
    """
    handles = accounts_of(person)
    if talks := next_conversations(person, handles, STEP):
        forgetting.forget_conversations(person, handles, talks, by, tally, now)
        return None
    loose = PostRow.objects.of(person.workspace_id).filter(handle__in=handles)
    rows = list(loose.values_list("pk", "network", "external_id")[: POSTS + 1])
    forgetting.forget_rows(
        person.workspace_id, [row[0] for row in rows[:POSTS]], [row[1:] for row in rows[:POSTS]], tally, now
    )
    if len(rows) > POSTS:
        return None
    # before the accounts go: afterwards nobody knows what they were called
    found = named_in(person.workspace_id, handles)
    forget_person(person, handles, by, tally, now)
    return found


def forget_person(person: Person, handles: list[Handle], by: Membership, tally: Tally, now: dt.datetime) -> None:
    """What hangs on the person and their accounts, the last of all their row: until then a step finds its way."""
    workspace = person.workspace_id
    forgetting.empty_ledger(entries_of_handles(handles, workspace), by, tally, now)
    people = joined_to(person)
    _forget_messages(workspace, handles, tally)
    _forget_told(workspace, person, handles, tally)
    forgetting.forget_tasks(workspace, Q(person=person), tally)
    forgetting.empty_undone_tasks(workspace, Traces(names_of(person, handles), ()), tally)
    forgetting.empty_offers(workspace, Q(person=person), tally)
    merges = PersonMerge.objects.of(workspace).filter(Q(kept__in=people) | Q(absorbed__in=people))
    forgetting.empty_joins(workspace, merges, tally)
    tally.remove(merges.delete())
    kept = Suppression.objects.of(workspace).filter(digest__in=digests(handles))
    tally.blank("Suppression", kept.update(reason=STILL_ALONE, lift_reason=""))
    for row in handles:
        brands = BrandHandle.objects.of(workspace).filter(network=row.network, key=row.external_id)
        forgetting.empty_audit(workspace, {"brandhandle": list(brands.values_list("pk", flat=True))}, tally)
        tally.remove(brands.delete())
        # whether the network hid the account: what stays is a digest
        _rename_tombstone(workspace, row, now)
    forgetting.forget_exports(workspace, people, tally)
    forgetting.empty_audit(
        workspace, {"person": people, "handle": [row.pk for row in handles], **_about(person)}, tally
    )
    tally.remove(deeds_on_others(workspace).delete())
    tally.remove(person.delete())


def _about(person: Person) -> dict[str, Collection[int]]:
    """Rows that go with the person and that the audit tells of: kind -> ids."""
    return {
        "escalation": list(person.escalations.values_list("pk", flat=True)),
        "ignoring": list(person.ignorings.values_list("pk", flat=True)),
        "personnote": list(person.notes.values_list("pk", flat=True)),
        "consent": list(person.consents.values_list("pk", flat=True)),
        "invitation": list(person.invitations.values_list("pk", flat=True)),
    }


def _rename_tombstone(workspace: int, handle: Handle, now: dt.datetime) -> None:
    if handle.suspended_at is not None:
        write_erased(workspace, [(handle.network, AUTHOR + handle.external_id)], now)


def _forget_messages(workspace: int, handles: Collection[Handle], tally: Tally) -> None:
    """Posts on their way through the line, and those that were set aside."""
    accounts = {(row.network, row.external_id) for row in handles}

    def is_theirs(_: int, post: Post) -> bool:
        return (post.network, post.author.key) in accounts

    gone, emptied = TableBus().forget(workspace, is_theirs)
    tally.remove((gone, {"BusMessage": gone}))
    tally.blank("BusMessage", emptied)


def _forget_told(workspace: int, person: Person, handles: Collection[Handle], tally: Tally) -> None:
    """What programs were told and answered, kept for some days: where it names one of the accounts."""
    names = {row.external_id for row in handles} | {row.handle for row in handles if row.handle}
    called = [name for name in names_of(person, handles) if len(name) > 3]
    for model, column in ((WebhookCall, "body"), (KeptAnswer, "body")):
        found = [
            pk
            for pk, body in model.objects.of(workspace).values_list("pk", column).iterator(chunk_size=500)
            if any(f'"{name}"' in body for name in names) or any(name in body for name in called)
        ]
        tally.remove(model.objects.of(workspace).filter(pk__in=found).delete())
