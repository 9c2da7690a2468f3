"""What a basket does by itself: it gives work to people, takes back what lies, and sends on what does not fit.

Everything runs under the lock of the workspace, in the transaction that records a batch or in one of the clock, so two
processes never fill the same place twice.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from django.db import transaction

from rapport.actions.audit import announce, write_audits
from rapport.actions.notices import Told, tell
from rapport.actions.promises import keep_promises
from rapport.core.notice_text import write_notice
from rapport.core.route import Given, TeamLoad, Waiting, deal, too_many
from rapport.store.models import BasketMember, Conversation, Workspace
from rapport.store.queries import load as reads
from rapport.store.queries.load import Setup, read_setups


def settle_batch(
    workspace_id: int, conversations: Collection[int], merged: Mapping[int, int], *, now: dt.datetime
) -> list[int]:
    """What follows in the baskets from conversations that a batch has just touched: promises start, pause and end,
    what was said to somebody who is away goes to who stands in, what does not fit goes on, what waits is given out. A
    step of recording; returns what changed besides.
    """
    setups = read_setups(workspace_id, now)
    keep_promises(workspace_id, conversations, now=now, setups=setups, merged=merged, history=False)
    full = [setup for setup in setups.values() if setup.overflow and setup.capacity]
    push = [setup for setup in setups.values() if setup.push]
    moved = [
        *_hand_on(workspace_id, conversations, setups, now),
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
    giving = [setup for setup in setups if setup.hours.is_open(now)]
    load = reads.read_team_load(workspace_id, now) if giving else TeamLoad()
    done: list[int] = []
    more: Counter[int] = Counter()
    for setup in giving:
        # who was given something in one basket has less room in the next
        members = [each._replace(open=each.open + more[each.id]) for each in load.members.get(setup.slug, ())]
        if not any(member.is_free for member in members):
            continue
        given = deal(reads.read_waiting(workspace_id, setup, now), members, setup.strategy, now)
        held = set(reads.hold(workspace_id, setup.id, dict.fromkeys(each.conversation for each in given)))
        given = [each for each in given if each.conversation in held]
        _give(workspace_id, setup, given, now)
        more.update(each.member for each in given)
        done += [each.conversation for each in given]
    return done


def _give(workspace_id: int, setup: Setup, given: Sequence[Given], now: dt.datetime) -> None:
    if not given:
        return
    reads.write_assigned({each.conversation: each.member for each in given}, now)
    members = {each.member for each in given}
    BasketMember.objects.of(workspace_id).filter(basket=setup.id, membership__in=members).update(given_at=now)
    details = {
        each.conversation: {"to": each.member, "reason": each.reason, "basket": setup.id} for each in given
    }  # fmt: skip
    write_audits(workspace_id, "conversation.give", "conversation", details, now)
    # after the assignment: whoever works in no basket sees what is theirs
    tell(workspace_id, news_of(given), now=now)


def news_of(given: Sequence[Given]) -> list[Told]:
    """One for each member, about the last thing that they were given, with how many there were."""
    last = {each.member: each.conversation for each in given}
    counts = Counter(each.member for each in given)
    names = dict(Conversation.objects.filter(pk__in=last.values()).values_list("pk", "person__name"))
    return [
        Told(member, "assigned", "", write_notice("yours", who=names[talk] or ""), talk, counts[member])
        for member, talk in last.items()
    ]


def _take_back(workspace_id: int, setups: Iterable[Setup], now: dt.datetime) -> list[int]:
    """Conversations that somebody has and let lie for so many staffed minutes come back to their basket."""
    done: list[int] = []
    for setup in setups:
        silence, details = setup.return_after or 0, dict[int, dict[str, int]]()
        for pk, member, since in reads.untouched(workspace_id, setup.id, now - dt.timedelta(minutes=silence)):
            if setup.hours.minutes_between(since, now) >= silence:
                details[pk] = {"from": member, "minutes": silence, "basket": setup.id}
        held = reads.hold(workspace_id, setup.id, {pk: each["from"] for pk, each in details.items()})
        details = {pk: details[pk] for pk in held}
        reads.write_assigned(dict.fromkeys(details), now)
        # `load.who_let_lie` reads it back
        write_audits(workspace_id, "conversation.return", "conversation", details, now)
        done += details
    return done


def _hand_on(
    workspace_id: int, conversations: Collection[int], every: Mapping[int, Setup], now: dt.datetime
) -> list[int]:
    """What was said to somebody who is away, or has left, goes to who stands in for them while there is room, else back
    to its basket: nobody who writes again reaches an empty chair.
    """
    reached = reads.reached_while_away(workspace_id, conversations, now) if conversations else []
    if not reached:
        return []
    load = reads.read_team_load(workspace_id, now)
    more: Counter[int] = Counter()
    given: list[Given] = []
    details: dict[int, dict[str, dict[str, int | None]]] = {}
    for pk, basket, member, deputy in reached:
        members = load.members.get(every[basket].slug, ()) if basket in every else ()
        found = next((each for each in members if each.id == deputy), None)
        takes = found is not None and found._replace(open=found.open + more[found.id]).is_free
        to = deputy if takes else None
        if to is not None:
            more[to] += 1
            given.append(Given(pk, to, "stands in"))
        details[pk] = {"before": {"assignee": member}, "after": {"assignee": to}}
    reads.write_assigned({pk: each["after"]["assignee"] for pk, each in details.items()}, now)
    write_audits(workspace_id, "conversation.assign", "conversation", details, now)
    tell(workspace_id, news_of(given), now=now)
    return list(details)


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
        done += _move(workspace_id, foreign, setup, target, "written in another language", now)
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
        done += _move(workspace_id, due, setup, target, "waited too long", now)
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
        done += _move(workspace_id, going, setup, target, "the basket is full", now)
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
) -> list[int]:
    """Those that nobody has; what somebody took meanwhile stays. Returns what was moved."""
    conversations = reads.hold(workspace_id, source.id, dict.fromkeys(conversations)) if conversations else []
    if not conversations:
        return []
    Conversation.objects.filter(pk__in=conversations).update(basket=target.id, touched_at=now)
    detail = {"reason": why, "before": {"basket": source.id}, "after": {"basket": target.id}}
    write_audits(workspace_id, "conversation.overflow", "conversation", dict.fromkeys(conversations, detail), now)
    keep_promises(workspace_id, conversations, now=now)
    return conversations
