"""What is worth knowing of one's words while one writes: shown beside the findings of the guard, holds nothing back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from rapport.core.draft import first_name
from rapport.core.reply import Finding
from rapport.core.voice import NEAR, Hint, weigh
from rapport.store.models import Channel, Draft, Membership, Post
from rapport.store.queries.voice import like_for_people


def hints_on(
    member: Membership, text: str, target: Post, template: str = "", *, now: dt.datetime, guarded: bool = False
) -> tuple[Hint, ...]:
    """Hints of `core.voice` on a text that answers `target`, which comes with its handle and person.

    `template`: the prepared words that it began from. `guarded`: the guard says already that it is nearly the same.
    """
    if not text.strip():
        return ()
    handle = target.handle
    sent = () if guarded else like_for_people(text, member, NEAR, now=now)
    return weigh(
        text,
        target.text,
        language=target.lang[:2],
        name=first_name(handle.person.name or handle.name),
        template=template,
        sent=sent,
    )


def hints_while_writing(
    member: Membership,
    draft: Draft,
    place: tuple[Post, Channel] | None,
    findings: Iterable[Finding],
    *,
    now: dt.datetime,
) -> tuple[Hint, ...]:
    """Hints on what somebody writes; `place`: what it answers, `findings`: what the guard says of it."""
    if place is None:
        return ()
    guarded = any(found.rule == "near-same" for found in findings)
    return hints_on(member, draft.text, place[0], draft.origin or "", now=now, guarded=guarded)
