"""What rules did and proposed: what the effects of a batch are judged by, and what a page shows of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence

import msgspec
from django.db.models import Q

from rapport.core.decision import Outcome
from rapport.core.guard.autonomy import ActFacts
from rapport.core.post import Post
from rapport.store.models import Conversation, Membership, Person, RuleEffect, Workspace
from rapport.store.queries.ingest import StoredPost
from rapport.store.queries.threads import Linked

#: the same thing is done or proposed once to a conversation within this time
ONCE_WITHIN = dt.timedelta(days=30)
#: the budget of a conversation counts the effects of this time
BUDGET_OF = dt.timedelta(days=1)
#: a dismissal can be undone on the page for this time
UNDO = dt.timedelta(minutes=10)
#: effects that a page shows of one conversation
SHOWN = 100
#: states of effects that count: the others never came to anything
_COUNTED = (RuleEffect.State.PROPOSED, RuleEffect.State.TAKEN, RuleEffect.State.DISMISSED, RuleEffect.State.DONE)


class Fired(msgspec.Struct, frozen=True, gc=False):
    """A post on which a rule fired that does more than sort."""

    #: row ids
    post: int
    conversation: int
    person: int
    said: Post
    outcome: Outcome
    #: its author looks automated
    automated: bool


class Known(msgspec.Struct):
    """What happened in the conversations of a batch before it; what the batch adds is noted here as well."""

    #: (conversation, verb, argument) within `ONCE_WITHIN`
    things: set[tuple[int, str, str]]
    #: (conversation, verb, argument, post), whenever
    placed: set[tuple[int, str, str, int]]
    #: conversation -> effects within `BUDGET_OF`
    today: dict[int, int]
    #: (conversation, verb, argument) that the budget refused within `BUDGET_OF`: said once
    refused: set[tuple[int, str, str]]


def find_fired(
    posts: Sequence[tuple[int, Post]],
    made: Sequence[tuple[int, Outcome]],
    stored: Mapping[int, StoredPost],
    linked: Linked,
    copies: Collection[int],
    automated: Collection[int],
) -> list[Fired]:
    """Those of a batch with effects. A near-copy has none: the entry that stands for it had them."""
    if not any(outcome.decision.effects for _, outcome in made):
        return []  # the common case must cost nothing
    said = dict(posts)
    return [
        Fired(
            row, linked.conversations[row], stored[row].person, said[row], outcome, stored[row].handle in automated
        )
        for row, outcome in made
        if outcome.decision.effects and row not in copies
    ]  # fmt: skip


def find_addressed(
    posts: Sequence[tuple[int, Post]],
    made: Sequence[tuple[int, Outcome]],
    stored: Mapping[int, StoredPost],
    linked: Linked,
    copies: Collection[int],
    automated: Collection[int],
) -> list[Fired]:
    """Those of a batch that may speak to us and were never read before: whom an acknowledgement could answer."""
    said = dict(posts)
    return [
        Fired(
            row, linked.conversations[row], stored[row].person, said[row], outcome, stored[row].handle in automated
        )
        for row, outcome in made
        if not said[row].author.ours
        and (said[row].mentions or said[row].visibility == "direct" or said[row].kind in {"message", "mail", "comment"})
        and not (outcome.decision.quarantined or stored[row].read or row in copies)
    ]  # fmt: skip


def read_known(fired: Collection[Fired], now: dt.datetime) -> Known:
    """What is known of the conversations in which rules fired; one query."""
    rows = RuleEffect.objects.filter(conversation__in={each.conversation for each in fired}).filter(
        Q(at__gt=now - ONCE_WITHIN) | Q(post__in={each.post for each in fired})
    )
    known = Known(set(), set(), {}, set())
    for conversation, verb, argument, post, state, at in rows.values_list(
        "conversation_id", "verb", "argument", "post", "state", "at"
    ):
        known.placed.add((conversation, verb, argument, post))
        recent = at > now - BUDGET_OF
        if state in _COUNTED:
            known.things.add((conversation, verb, argument))
            known.today[conversation] = known.today.get(conversation, 0) + recent
        elif state == RuleEffect.State.REFUSED and recent:
            known.refused.add((conversation, verb, argument))
    return known


def read_act_facts(workspace_id: int, fired: Collection[Fired]) -> dict[int, ActFacts]:
    """Row id of the post -> whom and what its effects are about, as things stand now."""
    held = Workspace.objects.filter(pk=workspace_id, held_at__isnull=False).exists()
    rows = Person.objects.of(workspace_id).filter(pk__in={each.person for each in fired})
    people = {pk: (ignored, bool(stop)) for pk, ignored, stop in rows.values_list("pk", "ignored", "suppressed_reason")}
    found = {}
    for each in fired:
        ignored, suppressed = people.get(each.person, (False, False))
        crisis = each.outcome.crisis
        found[each.post] = ActFacts(
            ours=each.said.author.ours,
            ignored=ignored,
            suppressed=suppressed,
            automated=each.automated,
            crisis=crisis is not None and crisis.level > 0,
            held=held,
        )
    return found


class Done(msgspec.Struct, frozen=True):
    """The effects of rules on one conversation."""

    #: what waits for a person, oldest first; then what this member has just dismissed, to be undone
    proposed: list[RuleEffect]
    #: what was done, taken, dismissed, refused or only observed, newest first
    settled: list[RuleEffect]


#: of a conversation on which no rule ever acted
NO_EFFECTS = Done([], [])


def read_effects(conversation: Conversation, member: Membership, now: dt.datetime) -> Done:
    """What rules proposed and did here, in one query."""
    rows = RuleEffect.objects.of(conversation.workspace_id).filter(conversation=conversation)
    found = list(rows.select_related("by__user").order_by("-at", "-pk")[:SHOWN])
    for each in found:
        each.conversation = conversation
    waiting = [each for each in reversed(found) if each.state == RuleEffect.State.PROPOSED]
    undone = [
        each
        for each in found
        if each.state == RuleEffect.State.DISMISSED
        and each.by_id == member.pk
        and each.decided_at is not None
        and each.decided_at > now - UNDO
    ]
    return Done(waiting + undone, [each for each in found if each.state != RuleEffect.State.PROPOSED])
