"""The daily random sample of what was put aside, for a person to look at."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable, Sequence

from django.db import transaction

from rapport.actions.audit import announce, require, write_audit
from rapport.actions.desk import take_out
from rapport.core.errors import InvalidInput
from rapport.store.models import Basket, Check, Conversation, Membership, Workspace
from rapport.store.queries.checks import drawable

#: how many a day: at 20 a day a month tells a share of 2 % from one of 4 %
SAMPLE = 20
#: local hour from which the sample of the day is drawn, so that it lies there when people come
FROM_HOUR = 6
#: what was put aside in this time before is what the sample is drawn from
BACK = dt.timedelta(hours=24)


def draw_sample(workspace: Workspace, pick: Callable[[Sequence[int], int], list[int]], *, now: dt.datetime) -> int:
    """Draw the sample of this day, once; returns how many.

    `pick` takes row ids and a number and returns so many of them at random.
    """
    local = now.astimezone(zoneinfo.ZoneInfo(workspace.timezone))
    if local.hour < FROM_HOUR or Check.objects.of(workspace).filter(day=local.date()).exists():
        return 0
    with transaction.atomic():
        # one process at a time: two clocks must not draw twice
        Workspace.objects.select_for_update(no_key=True).only("pk").get(pk=workspace.pk)
        if Check.objects.of(workspace).filter(day=local.date()).exists():
            return 0
        population = list(drawable(workspace, now - BACK).order_by().values_list("pk", flat=True))
        drawn = pick(population, min(SAMPLE, len(population)))
        if not drawn:
            return 0
        Check.objects.bulk_create(
            Check(workspace=workspace, conversation_id=pk, day=local.date(), population=len(population)) for pk in drawn
        )
        write_audit(workspace, None, "check.draw", None, now, drawn=len(drawn), population=len(population))
        announce(workspace, now)
    return len(drawn)


def judge_check(by: Membership, check: Check, *, basket: Basket | None, now: dt.datetime) -> Conversation:
    """Say of one that was put aside whether that was right; `basket`: it was not, and there it goes.

    Raises `InvalidInput` where somebody has said so already.
    """
    require(by, "release")
    with transaction.atomic():
        verdict = Check.Verdict.NOISE if basket is None else Check.Verdict.MISSED
        rows = Check.objects.of(by.workspace).filter(pk=check.pk, verdict=Check.Verdict.OPEN)
        if not rows.update(verdict=verdict, judged_by=by, judged_at=now):
            raise InvalidInput("A colleague has looked at this one meanwhile.")
        conversation = check.conversation
        if basket is not None and conversation.state == Conversation.State.QUARANTINED:
            conversation = take_out(by, conversation, basket, now=now)
        write_audit(by.workspace, by, "check.judge", conversation, now, verdict=verdict)
    return conversation
