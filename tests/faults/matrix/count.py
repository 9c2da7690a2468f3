"""What a run of the matrix left: on the servers, in the database, and what people were asked and answered."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from faults.matrix.servers import Said

if TYPE_CHECKING:
    from faults.matrix.run import Batch, Item, Matrix

#: seconds on the clock of the matrix until a person is asked
ASKED_WITHIN = 300.0
#: seconds that a request which had begun may take to leave after the hold was committed
HOLD_GRACE = 1.0
#: steps by which a delivery is given to a person
ASKED = ("unknown", "failed")
#: promises; each is a number of replies for which it was broken, 0 is asked for
PROMISES = {
    "doubled": "more posts on the server than approvals of these words to this post",
    "lost": "shown as sent, and no such post on the server (or another reply's)",
    "forgotten": "neither sent nor given to a person, or held by nothing that holds any more",
    "without_cause": "given to a person without a cause",
    "asked_late": "unknown for more than five minutes before a person was asked",
    "overtaken": "the second answer in a conversation left before the first",
    "left_while_held": "left more than a second after the hold was committed",
}


class Finding(dict[str, Any]):
    """One broken promise: which, and the case with all that befell it."""


def judge(matrix: Matrix, batch: Batch, holds: list[tuple[float, float]] | None) -> dict[str, Any]:
    """Count one batch. Reads the servers and, in this process, the database.

    `holds`: from when to when it was held, None after people answered: what they send again leaves later than what
    followed it.
    """
    from django.db import connections

    from rapport.store.models import Delivery

    rows = {
        row.approval.sequence: row
        for row in Delivery.objects.filter(workspace__name=f"Fernway {batch.number}")
        .select_related("approval", "channel").prefetch_related("tries", "parts")
    }  # fmt: skip
    accounts = {batch.account(server) for server in {item.server for item in batch.items}}
    said = [each for each in matrix.networks.said() if each.account in accounts]
    groups: dict[tuple[str, str], list[tuple[Item, Any]]] = defaultdict(list)
    for place, item in enumerate(batch.items, 1):
        groups[item.server, item.text].append((item, rows[place]))
    posts: dict[tuple[str, str], list[Said]] = defaultdict(list)
    for each in said:
        posts[each.server, each.text].append(each)
    places = {item.case: place for place, item in enumerate(batch.items, 1)}
    broken: list[Finding] = []
    for key, group in groups.items():
        one = group[0][0]
        broken += _judge_thread(matrix, *group[0], posts) if one.parts else _judge_group(matrix, group, posts[key])
    if holds is not None:
        broken += _judge_order(matrix, batch, posts, {case: rows[place] for case, place in places.items()})
        broken += _judge_holds(matrix, batch, said, holds)
    states = Counter(row.state if not is_unknown(row) else "unknown" for row in rows.values())
    reconciled = sum(any(each.step == "reconciled" for each in row.tries.all()) for row in rows.values())
    connections.close_all()
    return {
        "deliveries": len(rows), "posts": len(said), "states": states, "broken": broken, "held": len(holds or ()),
        "reconciled": reconciled,
    }  # fmt: skip


def is_unknown(row: Any) -> bool:
    """A person is asked whether the network took it."""
    return row.unknown_at is not None or (row.state == "failed" and "cannot tell" in row.cause)


def was_asked(row: Any) -> bool:
    """A person was asked at some time."""
    return any(each.step in ASKED for each in row.tries.all())


def _judge_group(matrix: Matrix, group: list[tuple[Item, Any]], posts: list[Said]) -> list[Finding]:
    found = []
    ids = {post.id for post in posts}
    sent = [row for _, row in group if row.state == "sent"]
    if len(posts) > len(group) and _was_sent_again(group):
        found.append(_finding(matrix, "doubled_by_answer", group[-1], posts=len(posts)))
    elif len(posts) > len(group):
        found.append(_finding(matrix, "doubled", group[-1], posts=len(posts)))
    given: set[str] = set()
    for item, row in group:
        sent_as = row.external_id
        if row.state == "sent" and (sent_as not in ids or sent_as in given):
            found.append(_finding(matrix, "lost", (item, row), posts=len(posts), sent=len(sent)))
        given.add(sent_as if row.state == "sent" else "")
        if row.state not in {"sent", "failed", "cancelled"} and not is_unknown(row):
            found.append(_finding(matrix, "forgotten", (item, row), state=row.state, cause=row.cause))
        if row.state in {"failed", "held"} and not row.cause:
            found.append(_finding(matrix, "without_cause", (item, row)))
        late = _asked_after(matrix, row)
        disturbed = {fault.kind for fault in matrix.cases[item.case].faults} & {"stop", "clock"}
        if late is not None and late > ASKED_WITHIN and not disturbed:
            found.append(_finding(matrix, "asked_late", (item, row), seconds=round(late)))
    return found


def _judge_thread(matrix: Matrix, item: Item, row: Any, posts: dict[tuple[str, str], list[Said]]) -> list[Finding]:
    """Each post once, in its order, hanging on one before it; all of them where it is shown as sent."""
    found, pair = [], (item, row)
    parts = sorted(row.parts.all(), key=lambda each: each.number)
    there = [posts[item.server, text] for text in item.parts]
    if any(len(each) > 1 for each in there):
        found.append(_finding(matrix, "doubled_by_answer" if _was_sent_again([pair]) else "doubled", pair))
    ids = ["" if part.state != "sent" else part.external_id for part in parts]
    wrong = [sent_as and sent_as not in {each.id for each in said} for sent_as, said in zip(ids, there, strict=True)]
    if any(wrong) or (row.state == "sent" and not all(ids)) or len(set(filter(None, ids))) < sum(map(bool, ids)):
        found.append(_finding(matrix, "lost", pair, ids=ids))
    first = [min((each.received for each in said), default=float("inf")) for said in there]
    above = [said[0].parent for said in there if said]
    if first != sorted(first) or any(parent not in ids for parent in above[1:]):
        found.append(_finding(matrix, "overtaken", pair, ids=ids, above=above))
    if row.state not in {"sent", "failed", "cancelled"} and not is_unknown(row):
        found.append(_finding(matrix, "forgotten", pair, state=row.state, cause=row.cause))
    return found


def _was_sent_again(group: list[tuple[Item, Any]]) -> bool:
    """A person was told that it is unknown, saw nothing there, and sent it again, where no key tells of two."""
    return any(item.server in {"none", "late"} and was_asked(row) for item, row in group)


def _asked_after(matrix: Matrix, row: Any) -> float | None:
    """Seconds from the request that got no answer to the question to a person, without the leaps of the clock."""
    if not is_unknown(row):
        return None
    tries = sorted(row.tries.all(), key=lambda each: each.pk)
    pushed = [each.at for each in tries if each.step == "pushed"]
    failed = [each.at for each in tries if each.step in ASKED]
    if not pushed or not failed:
        return None
    leapt = matrix.board.leapt(pushed[-1].timestamp(), failed[-1].timestamp())
    return float((failed[-1] - pushed[-1]).total_seconds() - leapt)


def _judge_order(
    matrix: Matrix, batch: Batch, posts: dict[tuple[str, str], list[Said]], rows: dict[int, Any]
) -> list[Finding]:
    found = []
    for first, second in zip(batch.items, batch.items[1:], strict=False):
        if second.role != "second":
            continue
        one, two = posts[first.server, first.text], posts[second.server, second.text]
        if one and two and min(each.received for each in two) < min(each.received for each in one):
            found.append(_finding(matrix, "overtaken", (second, rows[second.case]), first=_story(rows[first.case])))
    return found


def _judge_holds(matrix: Matrix, batch: Batch, said: list[Said], holds: list[tuple[float, float]]) -> list[Finding]:
    by_text = {text: item for item in batch.items for text in (item.text, *item.parts)}
    return [
        _finding(matrix, "left_while_held", (by_text[each.text], None), seconds=round(each.received - start, 2))
        for each in said
        for start, end in holds
        if start + HOLD_GRACE < each.received < end
    ]


def _finding(matrix: Matrix, promise: str, pair: tuple[Item, Any], **more: Any) -> Finding:
    item, row = pair
    case = matrix.cases[item.case]
    story = _story(row) if row is not None else []
    return Finding(
        promise=promise, seed=matrix.seed, case=case.number, server=case.server, wire=case.wire,
        faults=[list(each) for each in case.faults], again=case.wire_again, role=item.role, story=story, **more,
    )  # fmt: skip


def _story(row: Any) -> list[str]:
    tries = sorted(row.tries.all(), key=lambda each: each.pk)
    return [f"{each.fence} {each.step} +{(each.at - tries[0].at).total_seconds():.0f}s" for each in tries]


# ---------------------------------------------------------------- people


def shown_at(matrix: Matrix, server: str, post: str) -> str:
    """The address under which a person finds a post of ours."""
    if server == "records":
        return f"https://bsky.app/profile/brand.example/post/{post.rpartition('/')[2]}"
    return f"{matrix.networks.urls['keys']}/@brand/{post}" if server == "keys" else f"https://x.com/i/status/{post}"


def ask_people(matrix: Matrix, batch: Batch) -> None:
    """In a child: a person looks at what is unknown: what they see on the network they take for sent, the rest goes
    out again.
    """
    from rapport.actions.unknown import say_it_is_there, send_again
    from rapport.store.models import Delivery, Membership
    from rapport.store.queries.parts import next_part

    alice = Membership.objects.get(workspace__name=f"Fernway {batch.number}")
    now = matrix.clock()
    said = [each for each in matrix.networks.said() if each.at + each.hidden <= now.timestamp()]
    taken = set(Delivery.objects.filter(workspace=alice.workspace, state="sent").values_list("external_id", flat=True))
    for row in Delivery.objects.filter(workspace=alice.workspace).select_related("approval", "channel"):
        if not is_unknown(row):
            continue
        item = batch.items[row.approval.sequence - 1]
        part = next_part(row)
        text = item.parts[part.number - 1] if part else item.text
        shown = [each for each in said if each.text == text and each.id not in taken]
        if shown:
            taken.add(shown[0].id)
            say_it_is_there(alice, row, link=shown_at(matrix, item.server, shown[0].id), now=now)
        else:
            send_again(alice, row, now=now)


# ---------------------------------------------------------------- the whole run


class Tally:
    """All batches together."""

    def __init__(self) -> None:
        self.deliveries = self.posts = self.held = self.reconciled = 0
        self.before: Counter[str] = Counter()
        self.after: Counter[str] = Counter()
        self.findings: list[Finding] = []

    def add(self, judged: dict[str, Any]) -> None:
        """As the machines left it."""
        self.deliveries += judged["deliveries"]
        self.held += judged["held"]
        self.before += judged["states"]
        self.findings += judged["broken"]

    def add_answers(self, judged: dict[str, Any]) -> None:
        """After people answered what was unknown; what was broken before is not counted again."""
        self.posts += judged["posts"]
        self.after += judged["states"]
        self.reconciled += judged["reconciled"]
        known = {(each["promise"], each["case"]) for each in self.findings}
        self.findings += [
            Finding(each, answered=True) for each in judged["broken"] if (each["promise"], each["case"]) not in known
        ]

    def told(self, matrix: Matrix, seconds: float) -> dict[str, Any]:
        """The line of JSON."""
        fired = [matrix.board.fired[case.number] for case in matrix.cases]
        reached = {case.cell for case, count in zip(matrix.cases, fired, strict=True) if count >= len(case.faults)}
        steps = {(cell[2], cell[3], cell[4]) for cell in reached}
        counts = Counter(each["promise"] for each in self.findings)
        return {
            "database": "postgresql" if os.environ.get("RAPPORT_DATABASE_URL") else "sqlite",
            "deliveries": self.deliveries, "seed": matrix.seed, "seconds": round(seconds),
            "posts": self.posts, "killed": matrix.killed, "stopped": matrix.stopped, "forks": matrix.forks,
            "cut": matrix.board.errors.value, "holds": self.held, "reconciled": self.reconciled,
            "faults_planned": sum(len(case.faults) for case in matrix.cases), "faults_happened": sum(fired),
            "cells_planned": len({case.cell for case in matrix.cases}), "cells_reached": len(reached),
            "steps_reached": len(steps),
            "left_by_machines": dict(self.before), "after_people": dict(self.after),
            "doubled_by_answer": counts["doubled_by_answer"],
            "broken": {name: counts[name] for name in PROMISES},
            "findings": [dict(each) for each in self.findings[:60]],
        }  # fmt: skip


def table(found: dict[str, Any]) -> str:
    """For people."""
    head = (
        f"crash matrix on {found['database']}, seed {found['seed']}: {found['deliveries']:,} deliveries in "
        f"{found['seconds']} s, {found['killed']:,} kills, {found['stopped']:,} stops, "
        f"{found['faults_happened']:,} of {found['faults_planned']:,} planned faults, "
        f"{found['cells_reached']:,} of {found['cells_planned']:,} cells"
    )
    lines = [head]
    lines += [f"  {found['broken'][name]:6,}  {name:16} {words}" for name, words in PROMISES.items()]
    lines.append(
        f"  {found['doubled_by_answer']:6,}  twice as a person, told that it is unknown, sent it again (no keys there)"
    )
    lines.append(f"  left by the machines: {found['left_by_machines']}; after people: {found['after_people']}")
    return "\n".join(lines)
