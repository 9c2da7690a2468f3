"""What a basket does by itself: it gives work to people, takes back what lies, and sends on what does not fit.

Everything runs under the lock of the workspace, in the transaction that records a batch or in one of the clock, so two
processes never fill the same place twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping

from django.db import transaction

from rapport.actions.audit import announce, write_audit
from rapport.actions.notices import Told, tell
from rapport.actions.promises import keep_promises
from rapport.core.route import Given, Waiting, deal, too_many
from rapport.store.models import BasketMember, Conversation, Membership, Workspace
from rapport.store.queries import load as reads
from rapport.store.queries.load import Setup, read_setups


def settle_batch(
    workspace_id: int, conversations: Collection[int], merged: Mapping[int, int], *, now: dt.datetime
) -> list[int]:
    """What follows in the baskets from conversations that a batch has just touched: promises start, pause and end,
    what does not fit goes on, what waits is given out. A step of recording; returns what changed besides.
    """
    setups = read_setups(workspace_id, now)
    keep_promises(workspace_id, conversations, now=now, setups=setups, merged=merged, history=False)
    full = [setup for setup in setups.values() if setup.overflow and setup.capacity]
    push = [setup for setup in setups.values() if setup.push]
    moved = [
        *_send_on_other_languages(workspace_id, conversations, setups, now),
        *_send_on_what_is_too_much(workspace_id, full, setups, now),
    ]
    return [*moved, *_give_out(workspace_id, push, now)]


def tend_baskets(workspace: Workspace, *, now: dt.datetime) -> int:
    """What time alone changes: take back what lies, send on what waited too long, give out what waits where there is
    room by now. Returns how many conversations changed.
    """
    setups = read_setups(workspace.pk, now)
    acting = [setup for setup in setups.values() if setup.deals]
    if not acting:
        return 0
    with transaction.atomic():
        Workspace.objects.select_for_update(no_key=True).only("pk").get(pk=workspace.pk)
        changed = [
            *_take_back(workspace.pk, [each for each in acting if each.return_after is not None], now),
            *_send_on_what_waited(workspace.pk, [each for each in acting if each.overflow], setups, now),
            *_send_on_what_is_too_much(workspace.pk, [each for each in acting if each.overflow], setups, now),
            *_give_out(workspace.pk, [each for each in acting if each.push], now),
        ]
        if changed:
            places = Conversation.objects.filter(pk__in=changed).values_list("basket_id", flat=True)
            announce(workspace, now, changed, places)
    return len(changed)


def _give_out(workspace_id: int, setups: Iterable[Setup], now: dt.datetime) -> list[int]:
    """Deal out what waits in baskets that push, while they are staffed."""
    done: list[int] = []
    for setup in setups:
        if not setup.hours.is_open(now):
            continue
        # read for each basket: who was given something in one has less room in the next
        members = reads.read_team_load(workspace_id, now).members.get(setup.slug, ())
        if not any(member.is_free for member in members):
            continue
        given = deal(reads.read_waiting(workspace_id, setup, now), members, setup.strategy, now)
        _give(workspace_id, setup, given, now)
        done += [each.conversation for each in given]
    return done


def _give(workspace_id: int, setup: Setup, given: list[Given], now: dt.datetime) -> None:
    if not given:
        return
    talks = (
        Conversation.objects.of(workspace_id).select_related("person").in_bulk([each.conversation for each in given])
    )
    people = Membership.objects.of(workspace_id).select_related("user").in_bulk({each.member for each in given})
    told = []
    for each in given:
        talk = talks[each.conversation]
        talk.assignee, talk.touched_at = people[each.member], now
        write_audit(
            workspace_id, None, "conversation.give", talk, now,
            to=each.member, reason=each.reason, basket=setup.id,
        )  # fmt: skip
        name = talk.person.name if talk.person else ""
        told.append(Told(each.member, "assigned", "", f"Yours now: {name or 'somebody'}", talk.pk))
    Conversation.objects.bulk_update(talks.values(), ["assignee", "touched_at"], batch_size=200)
    BasketMember.objects.of(workspace_id).filter(basket=setup.id, membership__in=people).update(given_at=now)
    # after the assignment: whoever works in no basket sees what is theirs
    tell(workspace_id, told, now=now)


def _take_back(workspace_id: int, setups: Iterable[Setup], now: dt.datetime) -> list[int]:
    """Conversations that somebody has and let lie for so many staffed minutes come back to their basket."""
    done: list[int] = []
    for setup in setups:
        silence = setup.return_after or 0
        for pk, member, since in reads.untouched(workspace_id, setup.id, now - dt.timedelta(minutes=silence)):
            if setup.hours.minutes_between(since, now) < silence:
                continue
            talk = Conversation.objects.get(pk=pk)
            talk.assignee, talk.touched_at = None, now
            talk.save(update_fields=["assignee", "touched_at"])
            # `load.who_let_lie` reads it back
            write_audit(
                workspace_id, None, "conversation.return", talk, now,
                **{"from": member}, minutes=silence, basket=setup.id,
            )  # fmt: skip
            done.append(pk)
    return done


def _send_on_other_languages(
    workspace_id: int, conversations: Collection[int], every: Mapping[int, Setup], now: dt.datetime
) -> list[int]:
    """What is written in a language that nobody answers in here goes on at once."""
    done: list[int] = []
    for setup in every.values():
        target = every.get(setup.overflow or 0)
        if not setup.languages or target is None:
            continue
        foreign = reads.in_other_languages(workspace_id, setup, conversations)
        _move(workspace_id, foreign, setup, target, "written in another language", now)
        done += foreign
    return done


def _send_on_what_waited(
    workspace_id: int, setups: Iterable[Setup], every: Mapping[int, Setup], now: dt.datetime
) -> list[int]:
    """What nobody took within `overflow_after` staffed minutes goes on, once in its life: baskets that overflow into
    one another do not play ball.
    """
    done: list[int] = []
    for setup in setups:
        target = every.get(setup.overflow or 0)
        if setup.overflow_after is None or target is None:
            continue
        before = now - dt.timedelta(minutes=setup.overflow_after)
        due = [
            pk
            for pk, since in reads.oldest_waiting(workspace_id, setup.id, before)
            if setup.hours.minutes_between(since, now) >= setup.overflow_after
        ]
        _move(workspace_id, due, setup, target, "waited too long", now)
        done += due
    return done


def _send_on_what_is_too_much(
    workspace_id: int, setups: Iterable[Setup], every: Mapping[int, Setup], now: dt.datetime
) -> list[int]:
    """Of a basket that holds more than it can, the newest that nobody has go on to where there is room."""
    done: list[int] = []
    for setup in setups:
        over = reads.count_held(workspace_id, setup.id) - setup.capacity if setup.capacity else 0
        if over <= 0:
            continue
        target = _with_room(workspace_id, setup, every)
        if target is None:
            continue
        room = target.capacity - reads.count_held(workspace_id, target.id) if target.capacity else over
        waiting: list[Waiting] = reads.newest_waiting(workspace_id, setup.id, min(over, room), now)
        going = [one.id for one in too_many(waiting, setup.capacity + min(over, room), setup.capacity)]
        _move(workspace_id, going, setup, target, "the basket is full", now)
        done += going
    return done


def _with_room(workspace_id: int, setup: Setup, every: Mapping[int, Setup]) -> Setup | None:
    """The first basket along the chain of overflows that can hold more; None where all are full."""
    passed = {setup.id}
    following = setup.overflow
    while following is not None and following in every and following not in passed:
        passed.add(following)
        target = every[following]
        if not target.capacity or reads.count_held(workspace_id, target.id) < target.capacity:
            return target
        following = target.overflow
    return None


def _move(
    workspace_id: int, conversations: list[int], source: Setup, target: Setup, why: str, now: dt.datetime
) -> None:
    if not conversations:
        return
    Conversation.objects.filter(pk__in=conversations).update(basket=target.id, touched_at=now)
    for talk in Conversation.objects.filter(pk__in=conversations):
        write_audit(
            workspace_id, None, "conversation.overflow", talk, now,
            reason=why, before={"basket": source.id}, after={"basket": target.id},
        )  # fmt: skip
    keep_promises(workspace_id, conversations, now=now)
