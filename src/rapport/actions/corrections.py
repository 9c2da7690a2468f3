"""Correcting what the machine read: kept, in force at once for the same words, and undone in one step."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from django.db import transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce

from rapport.actions.audit import announce, require, require_conversation, sees, write_audit
from rapport.core.decision import NEW, NOBODY, ConversationFacts, Outcome, PersonFacts
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.reading import Reading
from rapport.core.route import TeamLoad, route
from rapport.core.rules import Circumstances, RuleSet, compile_rules
from rapport.core.rules.cut import asked_beyond, falls_short, was_read
from rapport.core.score import score_again
from rapport.core.threads import before_then, names_of
from rapport.core.thresholds import Thresholds
from rapport.core.understand.accounts import knowing
from rapport.core.understand.corrected import (
    apply,
    check_value,
    is_corrected,
    measured,
    restore,
    text_key,
    value_of,
)
from rapport.store.mapping import post_of
from rapport.store.models import Conversation, Correction, Membership, Post, Workspace
from rapport.store.models import Outcome as OutcomeRow
from rapport.store.queries.conversation_facts import read_conversation_facts
from rapport.store.queries.conversations import refresh
from rapport.store.queries.corrections import in_force
from rapport.store.queries.ingest import read_stored
from rapport.store.queries.load import read_team_load
from rapport.store.queries.outcomes import read_person_facts, store_outcomes
from rapport.store.queries.readings import read_counting
from rapport.store.queries.snapshot import Configuration, read_configuration
from rapport.store.queries.threads import Linked

#: stored posts with the same words that one correction reads anew
MOST_REDONE = 500


def correct(by: Membership, post: Post, reading: str, value: str, *, now: dt.datetime) -> Correction:
    """Say what a reading of one post should have been; `reading` and `value` as in `core.understand.corrected`.

    It holds at once for this post, for stored near-copies that say exactly the same, and for every post that says it
    from now on. A later word of the same person takes the place of an earlier one.
    Raises `InvalidInput` for a value that cannot be, and for a post that holds no words to know it by.
    """
    value = check_value(reading, value)
    conversation = _conversation_of(by, post)
    key = text_key(post.text)
    if post.ours or post.deleted or not key:
        raise InvalidInput("A correction is kept by the words of a post of theirs; this one has none of its own.")
    with transaction.atomic():
        _lock(by.workspace_id)
        judged = _read_outcome(post.pk)
        if judged is None:
            raise InvalidInput("This post has not been read yet; try again in a moment.")
        counting = read_counting(by.workspace_id)
        said = in_force(by.workspace_id).filter(text_key=key, reading=reading)
        own = said.filter(by=by).order_by("-pk").first()
        if own is not None and own.value == value and value_of(judged.reading, reading, counting) == value:
            return own
        machine, was, model = _machine(by.workspace_id, key, judged.reading, reading, counting)
        said.filter(by=by).update(withdrawn_at=now)
        made = Correction.objects.create(
            workspace_id=by.workspace_id, post=post, text_key=key, reading=reading, value=value, was=was, model=model,
            machine=machine, by=by, at=now,
        )  # fmt: skip
        _bump(by.workspace_id)
        write_audit(
            by.workspace_id, by, "reading.correct", conversation, now,
            reading=reading, value=value, was=was, post=post.pk, correction=made.pk,
        )  # fmt: skip
        _read_anew(by, made, value, now)
    return made


def withdraw(by: Membership, correction: Correction, *, now: dt.datetime) -> Correction:
    """Take a correction back: what a colleague said before it stands again, else what the machine read.

    Everybody may take back their own; those who may configure, any.
    """
    require(by, "draft")
    if correction.workspace_id != by.workspace_id:
        raise NotAllowed("This correction belongs to another workspace.")
    if correction.by_id != by.pk:
        require(by, "configure")
    with transaction.atomic():
        _lock(by.workspace_id)
        rows = in_force(by.workspace_id).filter(pk=correction.pk)
        if not rows.update(withdrawn_at=now):
            raise InvalidInput("This correction has been taken back already.")
        correction.withdrawn_at = now
        _bump(by.workspace_id)
        conversation = Conversation.objects.filter(pk=correction.post.conversation_id or 0).first()
        write_audit(
            by.workspace_id, by, "reading.withdraw", conversation, now,
            reading=correction.reading, value=correction.value, correction=correction.pk,
        )  # fmt: skip
        others = in_force(by.workspace_id).filter(text_key=correction.text_key, reading=correction.reading)
        standing = others.order_by("-pk").values_list("value", flat=True).first()
        _read_anew(by, correction, standing, now)
    return correction


def _conversation_of(by: Membership, post: Post) -> Conversation:
    conversation = Conversation.objects.of(by.workspace_id).filter(pk=post.conversation_id or 0).first()
    if conversation is None:
        raise NotAllowed("This post belongs to no conversation that you work in.")
    require_conversation(by, conversation, "draft")
    return conversation


def _lock(workspace_id: int) -> None:
    """One at a time with the recording of batches, which writes the same outcomes."""
    Workspace.objects.select_for_update(no_key=True).only("pk").get(pk=workspace_id)


def _bump(workspace_id: int) -> None:
    version = Coalesce(F("corrections_version"), Value(0)) + 1
    Workspace.objects.filter(pk=workspace_id).update(corrections_version=version)


def _machine(
    workspace_id: int, key: str, reading: Reading, name: str, counting: Thresholds
) -> tuple[list[Any], str, str]:
    """What the machine read under this name, its value, and the model that did."""
    if is_corrected(reading, name):
        # somebody said something already: what the machine had read stands there
        known = Correction.objects.of(workspace_id).filter(text_key=key, reading=name).order_by("-pk").first()
        if known is not None:
            return known.machine, known.was, known.model
    return measured(reading, name), value_of(reading, name, counting), reading.model


def _read_anew(by: Membership, correction: Correction, value: str | None, now: dt.datetime) -> None:
    """Make the outcomes of posts with these words again, with `value` (None: the machine's) as the reading."""
    rows = _same_words(correction)
    before = {row.pk: judged for row in rows if (judged := _decode(row)) is not None}
    readings = {
        pk: restore(judged.reading, correction.reading, correction.machine)
        if value is None
        else apply(judged.reading, {correction.reading: value})
        for pk, judged in before.items()
    }
    rows = [row for row in rows if row.pk in before and readings[row.pk] != before[row.pk].reading]
    if not rows:
        return
    made = _decide(by.workspace_id, rows, before, readings, now)
    talks = _talks(rows)
    follow = {talk.pk for talk in talks if talk.assignee_id is None and _chosen_by_rules(talk)}
    store_outcomes(by.workspace_id, made, read_stored([pk for pk, _ in made]), read_counting(by.workspace_id), now)
    # without a post that decided, the next look decides the basket anew
    Conversation.objects.filter(pk__in=follow).update(decided_by=None)
    linked = Linked()
    linked.conversations = {row.pk: row.conversation_id for row in rows if row.conversation_id}
    refresh(by.workspace_id, linked, {}, now)
    _keep_baskets(by, talks, follow)
    if by.may("release") is True:
        _put_aside_or_out(by, talks, now)
    announce(by.workspace_id, now, [talk.pk for talk in talks], [talk.basket_id for talk in talks])


def _keep_baskets(by: Membership, talks: Sequence[Conversation], follow: Collection[int]) -> None:
    """Back to where they lay: those that somebody put there, and those that would leave the sight of who corrected.

    Out of sight, nobody could look at what came of their word, or take it back.
    """
    placed = {talk.pk: talk for talk in Conversation.objects.filter(pk__in=[talk.pk for talk in talks])}
    for talk in talks:
        if talk.basket_id is not None and (talk.pk not in follow or not sees(by, placed[talk.pk])):
            Conversation.objects.filter(pk=talk.pk).update(basket=talk.basket_id)


def _same_words(correction: Correction) -> list[Post]:
    """The corrected post, those that were corrected with it, and near-copies of it that say exactly the same."""
    first = correction.post.copy_of or correction.post_id
    said = Correction.objects.of(correction.workspace_id).filter(text_key=correction.text_key).values("post")
    rows = Post.objects.of(correction.workspace_id).filter(Q(pk__in=said) | Q(pk=first) | Q(copy_of=first))
    rows = rows.filter(deleted=False, ours=False).select_related("handle", "outcome").order_by("-pk")
    return [row for row in rows[:MOST_REDONE] if text_key(row.text) == correction.text_key]


def _decide(
    workspace_id: int,
    rows: Sequence[Post],
    before: Mapping[int, Outcome],
    readings: Mapping[int, Reading],
    now: dt.datetime,
) -> list[tuple[int, Outcome]]:
    """The outcomes with these readings: as of the moment when each was decided, by the rules and weights of now."""
    configuration = read_configuration(workspace_id)
    rules = _compiled(configuration.rules, configuration.rules_version)
    facts = _facts(workspace_id, rows, before, rules, now)
    talks = _conversations(workspace_id, rows, before, rules, now)
    load = read_team_load(workspace_id, now) if any(each.known_to for each in facts.values()) else TeamLoad()
    made = []
    for row in rows:
        outcome = msgspec.structs.replace(before[row.pk], reading=readings[row.pk])
        outcome = _decide_one(row, outcome, facts[row.pk], talks[row.pk], rules, configuration, load, now)
        made.append((row.pk, outcome))
    return made


def _decide_one(
    row: Post,
    outcome: Outcome,
    facts: PersonFacts,
    talk: ConversationFacts,
    rules: RuleSet,
    configuration: Configuration,
    load: TeamLoad,
    now: dt.datetime,
) -> Outcome:
    value = score_again(outcome, row.rating, configuration.weights)
    zone = ZoneInfo(configuration.zone)
    at = Circumstances(outcome.decided_at or now, outcome.business_hours, zone, frozenset(outcome.handles))
    decision = rules.decide(
        post_of(row, outcome.author), outcome.reading, value, knowing(facts, outcome.account), outcome.topics, at,
        outcome.toward, talk,
    )  # fmt: skip
    return msgspec.structs.replace(
        outcome, score=value, decision=decision, route=route(decision, facts, load),
        weights=configuration.weights_version,
    )  # fmt: skip


def _facts(
    workspace_id: int, rows: Sequence[Post], before: Mapping[int, Outcome], rules: RuleSet, now: dt.datetime
) -> dict[int, PersonFacts]:
    """What was known of each author then; what is now, where rules ask more than was kept of a long history."""
    beyond = asked_beyond(rule.node for rule in rules.rules)
    kept = {
        row.pk: facts
        for row in rows
        if (facts := before[row.pk].facts) is not None
        and was_read(facts, rules.asks)
        and not falls_short(facts, beyond, before[row.pk].decided_at or now)
    }
    untold = [(row.pk, post_of(row)) for row in rows if row.pk not in kept]
    people = read_person_facts(workspace_id, untold, now, rules.asks) if untold else {}
    told = {pk: people.get((post.network, post.author.key), NOBODY) for pk, post in untold}
    return kept | told


def _conversations(
    workspace_id: int, rows: Sequence[Post], before: Mapping[int, Outcome], rules: RuleSet, now: dt.datetime
) -> dict[int, ConversationFacts]:
    """What was known of each conversation then. Where it was not kept, because no rule asked, and one does now: what
    was said in it before the post, and the rest as it is now.
    """
    kept = {row.pk: before[row.pk].conversation for row in rows}
    untold = [(row.pk, post_of(row)) for row in rows if kept[row.pk] is None]
    found = read_conversation_facts(workspace_id, untold, now) if untold and rules.asks_about("conversation.") else {}
    told = {pk: next((found[name] for name in names_of(post) if name in found), NEW) for pk, post in untold}
    at = {row.pk: row.sort_at for row in rows}
    return {pk: facts or before_then(told[pk], at[pk]) for pk, facts in kept.items()}


def _talks(rows: Sequence[Post]) -> list[Conversation]:
    found = Conversation.objects.filter(pk__in={row.conversation_id for row in rows if row.conversation_id})
    return list(found.select_for_update(of=("self",)).select_related("basket"))


def _chosen_by_rules(talk: Conversation) -> bool:
    """Whether the conversation lies where the rules put it; where a person put it, it stays."""
    chosen = OutcomeRow.objects.filter(pk=talk.decided_by or 0).values_list("basket", flat=True).first()
    return talk.basket is None or talk.basket.slug == chosen


def _put_aside_or_out(by: Membership, talks: Sequence[Conversation], now: dt.datetime) -> None:
    """Into the quarantine, or out of it, where the rules say so now; what somebody works on stays."""
    states = Conversation.State
    for talk in Conversation.objects.filter(pk__in=[each.pk for each in talks], assignee=None):
        aside = OutcomeRow.objects.filter(pk=talk.decided_by or 0).values_list("quarantined", flat=True).first()
        if aside is None or aside == (talk.state == states.QUARANTINED):
            continue
        if talk.state not in {states.QUARANTINED, states.OPEN}:
            continue
        before, talk.state = talk.state, states.QUARANTINED if aside else states.OPEN
        talk.opened_at = talk.opened_at or now
        talk.save(update_fields=["state", "opened_at"])
        verb = "conversation.put_aside" if aside else "conversation.take_out"
        write_audit(
            by.workspace_id, by, verb, talk, now,
            before={"state": before}, after={"state": talk.state, "basket": talk.basket_id},
        )  # fmt: skip


def _read_outcome(post: int) -> Outcome | None:
    row = Post.objects.select_related("outcome").filter(pk=post).first()
    return _decode(row) if row is not None else None


def _decode(row: Post) -> Outcome | None:
    stored = getattr(row, "outcome", None)
    if stored is None:
        return None
    try:
        return msgspec.json.decode(stored.body, type=Outcome)
    except msgspec.MsgspecError:
        return None


@functools.lru_cache(maxsize=16)
def _compiled(document: str, version: int) -> RuleSet:
    return compile_rules(document, version=version, bounded=False)
