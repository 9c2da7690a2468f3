"""The state of a conversation as a function of what was said in it.

Everything here is computed anew from the stored posts and their outcomes, so the order of arrival does not matter and
doing it twice changes nothing. What people decided (assignee, resolved, snoozed, a basket of their choice) stays.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from django.db import connection

from rapport.core.decision import PRIORITIES, Outcome
from rapport.core.felt import felt_of, intent_bits, mood_number
from rapport.core.post import Post
from rapport.core.reading import Reading
from rapport.core.thresholds import SHIPPED, Thresholds
from rapport.store.models import Basket, Conversation
from rapport.store.queries.accounts import looks_automated
from rapport.store.queries.fingerprints import count_folded, entries_of, promote_copies, recount
from rapport.store.queries.ingest import PREVIEW, StoredPost
from rapport.store.queries.load import Room
from rapport.store.queries.machine import SAID_BY_MACHINE
from rapport.store.queries.sql import adapt, insert_rows, moment, select_in, update_rows
from rapport.store.queries.threads import Linked


class Word(msgspec.Struct, frozen=True, gc=False):
    """One post of a conversation, as far as its state depends on it."""

    post: int
    #: when it was said
    at: dt.datetime
    #: when we heard it
    seen: dt.datetime
    ours: bool
    repost: bool
    person: int
    text: str
    #: its author deleted it: nobody answers it any more
    gone: bool = False
    score: float = 0.0
    basket: str = ""
    priority: str = "medium"
    quarantined: bool = False
    why: str = ""
    draft: str = ""
    #: membership id of the colleague whom the route chose
    routed_to: int | None = None
    #: core.felt of its reading
    mood: int = 0
    intents: int = 0
    #: row id of the first post that said nearly the same
    copy_of: int | None = None
    #: its author looks automated
    automated: bool = False
    #: a machine of ours said it: no answer to anybody
    machine: bool = False


class Standing(msgspec.Struct, frozen=True, gc=False):
    """What the posts of a conversation add up to."""

    #: newest post of anybody
    last_post_at: dt.datetime
    #: the oldest word of theirs that nobody answered; None when the last word is ours, or all is theirs to repost
    waiting_since: dt.datetime | None
    #: the most pressing unanswered word of theirs, else their newest; None when only we spoke
    pressing: Word | None
    #: their newest word
    newest: Word | None
    #: somebody of ours spoke
    answered: bool
    #: row id of the first post of which all that they said is a near-copy; None: they said something of their own
    copy_of: int | None = None
    #: everybody outside who speaks in it looks automated
    automated: bool = False


def stand(words: Iterable[Word], settled_at: dt.datetime | None = None) -> Standing:
    """Fold the posts of one conversation into where it stands. Pure; any order of `words` gives the same.

    `settled_at`: a person declared everything heard up to then dealt with, answered or not. A word that was said
    before and heard after still asks for an answer: nobody has read it.
    """
    ordered = sorted(words, key=lambda word: (word.at, word.post))
    # what we have deleted is no answer any more
    ours = [word for word in ordered if word.ours and not word.machine and not word.gone]
    theirs = [word for word in ordered if not word.ours and not word.repost]
    # equal times (some networks tell whole seconds) are taken in the order of arrival
    last_ours = (ours[-1].at, ours[-1].post) if ours else None
    unanswered = [
        word
        for word in theirs
        if not word.gone
        and (last_ours is None or (word.at, word.post) > last_ours)
        and (settled_at is None or word.seen > settled_at)
    ]
    standing = [word for word in theirs if not word.gone] or theirs
    # a thread of reposts alone has nobody to answer, yet it must be found by its words
    newest = standing[-1] if standing else next((word for word in ordered if not word.ours), None)
    pressing = max(unanswered, key=lambda word: (not word.quarantined, word.score, word.at), default=newest)
    return Standing(
        last_post_at=ordered[-1].at,
        waiting_since=unanswered[0].at if unanswered else None,
        pressing=pressing,
        newest=newest,
        answered=bool(ours),
        copy_of=standing[0].copy_of if all(word.copy_of for word in standing) and standing else None,
        automated=newest is not None and all(word.automated for word in standing or ordered if not word.ours),
    )


def read_words(conversations: Collection[int]) -> dict[int, list[Word]]:
    """Every post of these conversations, grouped by conversation."""
    rows = select_in(
        f"SELECT p.conversation_id, p.copy_of, {looks_automated('h')}, p.ours AND {SAID_BY_MACHINE}, "  # noqa: S608
        "p.id, h.person_id, p.sort_at, p.seen_at, p.ours, "
        "CASE WHEN p.deleted THEN 'gone' ELSE p.kind END, "
        "CASE WHEN p.deleted THEN '' ELSE substr(p.text, 1, %s) END, "
        "o.score, o.basket, o.priority, o.quarantined, o.why, o.draft, o.routed_to, o.sentiment, o.intents, "
        # one of before the bits were kept has them in its body
        "CASE WHEN o.intents IS NULL THEN o.body END "
        "FROM store_post p JOIN store_handle h ON h.id = p.handle_id LEFT JOIN store_outcome o ON o.post_id = p.id "
        "WHERE p.conversation_id {among}",
        [PREVIEW],
        list(conversations),
    )
    found: dict[int, list[Word]] = {}
    for conversation, first, automated, machine, *row in rows:
        found.setdefault(conversation, []).append(_mark(_word(*row), first, bool(automated), bool(machine)))
    return found


def words_of(
    posts: Sequence[tuple[int, Post]],
    outcomes: Sequence[Outcome | None],
    stored: Mapping[int, StoredPost],
    copies: Mapping[int, int],
    counting: Thresholds = SHIPPED,
    *,
    automated: Collection[int],
) -> dict[int, Word]:
    """Row id -> word, for posts whose outcomes have just been made: as `read_words` would read them.

    None stands for an outcome that does not count, because its post is gone. `copies`: row id of a near-copy -> first.
    `automated`: handles that look automated.
    `counting`: from which certainty readings count.
    """
    words = {
        row: _word(row, *stored[row][2:8], None)
        if outcome is None
        else _word(
            row, *stored[row][2:8],
            outcome.score.value, outcome.route.basket, outcome.decision.priority, outcome.decision.quarantined,
            outcome.decision.why[:500], outcome.decision.draft or "", outcome.route.person,
            counting.mood(felt_of(outcome)), intent_bits(outcome.reading.intent, counting), None,
        )
        for (row, _), outcome in zip(posts, outcomes, strict=True)
    }  # fmt: skip
    marked = {*copies, *(row for row in words if stored[row].handle in automated)} if automated else copies.keys()
    for row in marked:
        words[row] = _mark(words[row], copies.get(row), stored[row].handle in automated)
    return words


def _mark(word: Word, first: int | None, automated: bool, machine: bool = False) -> Word:
    if first is None and not automated and not machine:
        return word
    return msgspec.structs.replace(word, copy_of=first, automated=automated, machine=machine)


def _word(
    post: int, person: int, at: Any, seen: Any, ours: Any, kind: str, text: str, score: float | None, *outcome: Any
) -> Word:
    if score is None:
        return Word(post, moment(at), moment(seen), bool(ours), kind == "repost", person, text, kind == "gone")
    basket, priority, quarantined, why, draft, routed_to, mood, intents, body = outcome
    return Word(
        post, moment(at), moment(seen), bool(ours), kind == "repost", person, text, kind == "gone",
        score, basket, priority, bool(quarantined), why, draft, routed_to,
        mood_number(mood), _intents_of(body) if intents is None else intents,
    )  # fmt: skip


class _Body(msgspec.Struct):
    """As much of an outcome as tells its intents."""

    reading: Reading


_body_decoder = msgspec.json.Decoder(_Body)


def _intents_of(body: str) -> int:
    try:
        return intent_bits(_body_decoder.decode(body).reading.intent)
    except msgspec.MsgspecError:
        return 0


class _Row(NamedTuple):
    """What people and earlier posts made of a conversation; the defaults are those of a new one."""

    id: int
    state: str = Conversation.State.UNOPENED.value
    basket: int | None = None
    assignee: int | None = None
    decided_by: int | None = None
    opened_at: dt.datetime | None = None
    snoozed_until: dt.datetime | None = None
    settled_at: dt.datetime | None = None
    #: how many are folded into it
    copies: int | None = None
    #: the score that a person set
    score_by_hand: float | None = None


#: what `_change` computes, in its order
_STATE_COLUMNS = (
    "state", "basket_id", "person_id", "priority", "score", "preview", "why", "decided_by", "draft_slug", "opened_at",
    "waiting_since", "last_post_at", "snoozed_until", "assignee_id", "mood", "intents", "automated", "version", "id",
)  # fmt: skip


def refresh(workspace_id: int, linked: Linked, spoken: Mapping[int, Word], now: dt.datetime) -> list[int]:
    """Bring conversations in line with their posts, and insert those that are new; `spoken`: the posts of this batch.

    Returns the ids of those that people see.
    """
    baskets = dict(Basket.objects.of(workspace_id).values_list("slug", "pk"))
    known = set(linked.conversations.values()) - linked.new.keys()
    words = read_words(known)
    rows = _read_rows(workspace_id, sorted(words))
    room = Room(workspace_id)
    changes = [_change(row, words[row.id], baskets, spoken, now, room) for row in rows]
    update_rows("store_conversation", _STATE_COLUMNS[:-1], changes, {"version": "add"})
    # most conversations are one post that was never heard before: nothing of them has to be read back
    first: dict[int, list[Word]] = {conversation: [] for conversation in linked.new}
    for row, conversation in linked.conversations.items():
        if conversation in first:
            first[conversation].append(spoken[row])
    made = [_change(_Row(conversation), heard, baskets, spoken, now, room) for conversation, heard in first.items()]
    insert_rows(
        "store_conversation",
        ("workspace_id", "network", "channel_id", *_STATE_COLUMNS),
        [(workspace_id, *linked.new[row[-1]], *row[:-2], 1 + row[-2], row[-1]) for row in made],
    )
    if room.given:
        Conversation.objects.filter(pk__in=room.given).update(touched_at=now)
    seen = [change[-1] for change in (*changes, *made) if change[0] != Conversation.State.UNOPENED]
    folded = _count_folds(linked, rows, changes, words, {row[-1]: first[row[-1]] for row in made if row[0] == "folded"})
    return list(dict.fromkeys([*seen, *folded, *_open_behind(workspace_id, rows, words, now)]))


def _count_folds(
    linked: Linked,
    rows: Sequence[_Row],
    changes: Sequence[tuple[Any, ...]],
    words: Mapping[int, list[Word]],
    folded: Mapping[int, list[Word]],
) -> list[int]:
    """Bring the counts of near-copies in line with who was folded and who opened; the entries that were counted anew.

    `folded`: the words of the new conversations that are folded.
    """
    steps: Counter[int] = Counter(_first_of(heard) for heard in folded.values())
    opened = [row.id for row, change in zip(rows, changes, strict=True) if row.state == "folded" != change[0]]
    counted = count_folded(steps) if steps else []
    joined = set(linked.merged.values())
    if opened or joined:
        entries = [*entries_of([*opened, *joined]), *joined]
        recount(entries)
        counted += entries
    return counted


def _open_behind(
    workspace_id: int, rows: Sequence[_Row], words: Mapping[int, list[Word]], now: dt.datetime
) -> list[int]:
    """Open the next near-copy where the first was taken back: nobody is hidden behind nothing. Their ids."""
    gone = [
        word.post
        for row in rows
        if row.copies and row.state != Conversation.State.RESOLVED
        for word in words[row.id]
        if word.gone
    ]
    heirs = promote_copies(workspace_id, gone, now) if gone else {}
    if not heirs:
        return []
    linked = Linked()
    linked.conversations = dict(heirs)
    opened = refresh(workspace_id, linked, {}, now)
    recount([*(row.id for row in rows if row.copies), *heirs.values()])
    return opened


def _first_of(words: Iterable[Word]) -> int:
    """The row id of the first post that a folded conversation repeats."""
    first = stand(words).copy_of
    assert first is not None
    return first


def _read_rows(workspace_id: int, conversations: Sequence[int]) -> list[_Row]:
    """Held until the end of the transaction: what somebody does at the desk meanwhile is waited for, or waits, and
    neither writes over the other.
    """
    held = " ORDER BY id FOR NO KEY UPDATE" if connection.vendor == "postgresql" else ""
    rows = select_in(
        "SELECT id, state, basket_id, assignee_id, decided_by, opened_at, snoozed_until, settled_at, copies, "  # noqa: S608  (our words)
        f"score_by_hand FROM store_conversation WHERE workspace_id = %s AND id {{among}}{held}",
        [workspace_id],
        conversations,
    )
    return [_Row._make((*row[:5], *(None if at is None else moment(at) for at in row[5:8]), *row[8:])) for row in rows]


def _change(
    row: _Row, words: list[Word], baskets: dict[str, int], spoken: Mapping[int, Word], now: dt.datetime, room: Room
) -> tuple[Any, ...]:
    where = stand(words, row.settled_at)
    state = next_state(row.state, where, any(not word.ours and word.post in spoken for word in words))
    pressing = where.pressing
    decided = pressing.post if pressing else None
    basket = row.basket
    # where a person, or a basket that was full, put it, it stays: the rules follow only their own word
    before = next((word.basket for word in words if word.post == row.decided_by), "")
    theirs = row.decided_by is None or baskets.get(before) == basket
    follows = theirs and decided != row.decided_by and row.assignee is None
    if pressing and pressing.basket and (basket is None or follows):
        basket = baskets.get(pressing.basket) or basket or next(iter(baskets.values()), None)
    assignee = row.assignee
    if assignee is None and row.opened_at is None and pressing and state == Conversation.State.OPEN:
        chosen = pressing.routed_to
        # the route was made before the lock of the workspace was held: others may have been given something since
        assignee = chosen if chosen is not None and room.take(chosen, row.id) else None
    opened = row.opened_at or (now if state == Conversation.State.OPEN else None)
    newest = where.newest
    return (
        state, basket, newest.person if newest else None,
        PRIORITIES.index(pressing.priority) if pressing else 1,
        row.score_by_hand if row.score_by_hand is not None else pressing.score if pressing else 0.0,
        newest.text if newest else "",
        pressing.why if pressing else "", decided, pressing.draft if pressing else "",
        adapt(opened), adapt(where.waiting_since), adapt(where.last_post_at),
        adapt(row.snoozed_until if state == Conversation.State.SNOOZED else None), assignee,
        pressing.mood if pressing else 0, pressing.intents if pressing else 0, where.automated,
        int(any(word.post in spoken for word in words)), row.id,
    )  # fmt: skip


def next_state(state: str, where: Standing, they_spoke: bool) -> str:
    """The state that follows from the posts; `they_spoke`: a word of theirs is new. Pure."""
    if where.pressing is None:
        return state  # only we spoke: our own posts never open a conversation
    if where.pressing.gone:
        # they took back all that they said
        return "resolved" if state in {"open", "pending", "snoozed", "folded"} else state
    if state in {"unopened", "folded"} and where.copy_of and not where.answered:
        return "folded"
    if state in {"unopened", "quarantined", "folded"}:
        return _first_state(state, where, they_spoke)
    if where.waiting_since and they_spoke:
        return "open"
    answered = state == "open" and where.answered and not where.waiting_since
    return "pending" if answered else state


def _first_state(state: str, where: Standing, they_spoke: bool) -> str:
    """The state of a conversation that nobody has seen yet."""
    assert where.pressing is not None
    if where.pressing.quarantined:
        return "quarantined"
    if state in {"unopened", "folded"} or they_spoke:
        return "open" if where.waiting_since or not where.answered else "pending"
    return state
