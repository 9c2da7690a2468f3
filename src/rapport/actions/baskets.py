"""How a basket works: its name and purpose, hours, promises, how work is given out, and who works in it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import F, Max
from django.utils.text import slugify

from rapport.actions.audit import announce, require, write_audit
from rapport.actions.promises import change_terms
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.hours import Hours, check_hours
from rapport.core.promises import MOST_MINUTES, Terms, check_terms
from rapport.core.route import STRATEGIES, Strategy
from rapport.store.models import Basket, BasketMember, Membership, Workspace
from rapport.store.queries.load import read_setups

MOST_BASKETS = 100
MOST_SKILLS = 30
#: a skill is one word, so that rules can name it: skill:refunds
SKILL = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
LANGUAGE = re.compile(r"[a-z]{2,3}")


class Wish(msgspec.Struct, frozen=True):
    """What somebody sets a basket to."""

    name: str
    tone: str = Basket.Tone.QUIET.value
    purpose: str = ""
    languages: tuple[str, ...] = ()
    hours: Hours = Hours()
    terms: Terms = Terms()
    strategy: Strategy = "known"
    push: bool = False
    #: open conversations that it holds before more go on; 0 = no limit
    capacity: int = 0
    return_after: int | None = None
    overflow: Basket | None = None
    overflow_after: int | None = None


def save_basket(by: Membership, basket: Basket | None, wish: Wish, *, slug: str = "", now: dt.datetime) -> Basket:
    """Change a basket, or make a new one (None), which everybody who sees every basket sees at once.

    A new one is called `slug` in rules, or after its name where none is given. What runs in it goes on by the new
    hours and promises from now on. Raises `InvalidInput`.
    """
    require(by, "configure")
    _check(by, basket, wish)
    with transaction.atomic():
        Workspace.objects.select_for_update(no_key=True).only("pk").get(pk=by.workspace_id)
        before = read_setups(by.workspace_id, now).get(basket.pk) if basket is not None else None
        row = basket or Basket(workspace=by.workspace, slug=free_slug(by, slug or wish.name), position=_last_place(by))
        for name, value in _fields(wish).items():
            setattr(row, name, value)
        row.save()
        if before is not None:
            change_terms(by.workspace_id, row.pk, before, now=now)
        Workspace.objects.filter(pk=by.workspace_id).update(config_version=F("config_version") + 1)
        write_audit(by.workspace, by, "basket.save", row, now, name=row.name, new=basket is None)
        announce(by.workspace, now, kind="config")
    return row


def set_people(by: Membership, basket: Basket, members: Collection[Membership], *, now: dt.datetime) -> None:
    """Say who works in a basket, and nobody else does: outside agents see the conversations of their baskets alone."""
    require(by, "team")
    if basket.workspace_id != by.workspace_id or any(each.workspace_id != by.workspace_id for each in members):
        raise NotAllowed("This belongs to another workspace.")
    wanted = {each.pk for each in members}
    with transaction.atomic():
        rows = BasketMember.objects.of(by.workspace).filter(basket=basket)
        had = set(rows.values_list("membership_id", flat=True))
        rows.exclude(membership__in=wanted).delete()
        BasketMember.objects.bulk_create(
            BasketMember(workspace=by.workspace, basket=basket, membership_id=pk) for pk in sorted(wanted - had)
        )
        write_audit(
            by.workspace, by, "basket.people", basket, now, came=sorted(wanted - had), went=sorted(had - wanted)
        )
        announce(by.workspace, now, kind="config")


def describe_member(
    by: Membership, member: Membership, *, capacity: int, languages: Sequence[str], skills: Sequence[str],
    now: dt.datetime,
) -> Membership:  # fmt: skip
    """Say how much a colleague takes at once, and what they are good at. Raises `InvalidInput`."""
    require(by, "configure")
    if member.workspace_id != by.workspace_id:
        raise NotAllowed("This member belongs to another workspace.")
    if not 0 <= capacity <= 1000:
        raise InvalidInput("Somebody takes at most 1,000 conversations at once; 0 means no limit.")
    member.capacity, member.languages, member.skills = capacity, check_languages(languages), check_skills(skills)
    with transaction.atomic():
        member.save(update_fields=["capacity", "languages", "skills"])
        write_audit(
            by.workspace, by, "member.describe", member, now,
            capacity=capacity, languages=member.languages, skills=member.skills,
        )  # fmt: skip
        announce(by.workspace, now, kind="config")
    return member


def check_languages(written: Sequence[str]) -> list[str]:
    """Codes such as "de", each once. Raises `InvalidInput`."""
    found = list(dict.fromkeys(each.strip().lower() for each in written if each.strip()))
    if wrong := [each for each in found if not LANGUAGE.fullmatch(each)]:
        raise InvalidInput(f"{wrong[0]!r} is no language code; write two letters such as de, en, fr.")
    return found[:MOST_SKILLS]


def check_skills(written: Sequence[str]) -> list[str]:
    """Words such as "refunds", each once. Raises `InvalidInput`."""
    found = list(dict.fromkeys(each.strip().lower() for each in written if each.strip()))
    if wrong := [each for each in found if not SKILL.fullmatch(each)]:
        raise InvalidInput(f"{wrong[0]!r} cannot be a skill; write one word in small letters, such as refunds.")
    return found[:MOST_SKILLS]


def _check(by: Membership, basket: Basket | None, wish: Wish) -> None:
    if not wish.name.strip():
        raise InvalidInput("A basket needs a name.")
    if basket is not None and basket.workspace_id != by.workspace_id:
        raise NotAllowed("This basket belongs to another workspace.")
    if basket is None and Basket.objects.of(by.workspace).count() >= MOST_BASKETS:
        raise InvalidInput(f"A workspace has at most {MOST_BASKETS} baskets.")
    if wish.tone not in Basket.Tone.values or wish.strategy not in STRATEGIES:
        raise InvalidInput("Choose one of the colours and one of the ways that are offered.")
    check_hours(wish.hours)
    check_terms(wish.terms)
    check_languages(wish.languages)
    for minutes in (wish.return_after, wish.overflow_after):
        if minutes is not None and not 1 <= minutes <= MOST_MINUTES:
            raise InvalidInput("A time lies between a minute and a year.")
    if not 0 <= wish.capacity <= 1_000_000:
        raise InvalidInput("A basket holds at most a million open conversations; 0 means no limit.")
    if wish.overflow is not None and wish.overflow.workspace_id != by.workspace_id:
        raise NotAllowed("The basket for what does not fit belongs to another workspace.")
    if basket is not None and wish.overflow is not None and wish.overflow.pk == basket.pk:
        raise InvalidInput("What does not fit must go to another basket than this one.")
    if wish.overflow is None and (wish.capacity or wish.overflow_after is not None):
        raise InvalidInput("Say which basket takes what does not fit here.")


def _fields(wish: Wish) -> dict[str, Any]:
    hours: dict[str, Any] = msgspec.to_builtins(wish.hours)
    hours.pop("holidays", None)
    closed_days = wish.hours.closed or wish.hours.opened or wish.hours.country
    return {
        "name": wish.name.strip()[:120],
        "tone": wish.tone,
        "purpose": wish.purpose.strip()[:300],
        "languages": check_languages(wish.languages),
        # round the clock without a holiday is no hours at all
        "hours": hours if wish.hours.week or closed_days else {},
        "promises": {} if wish.terms.empty else msgspec.to_builtins(wish.terms),
        "strategy": wish.strategy,
        "push": wish.push,
        "capacity": wish.capacity,
        "return_after": wish.return_after,
        "overflow": wish.overflow,
        "overflow_after": wish.overflow_after,
    }


def free_slug(by: Membership, name: str) -> str:
    """A short name for rules that no basket of the workspace has: "care", "care-2"."""
    base = slugify(name)[:56] or "basket"
    taken = set(Basket.objects.of(by.workspace).filter(slug__startswith=base).values_list("slug", flat=True))
    return next(each for each in [base, *(f"{base}-{n}" for n in range(2, 1000))] if each not in taken)


def _last_place(by: Membership) -> int:
    last: int | None = Basket.objects.of(by.workspace).aggregate(last=Max("position"))["last"]
    return 0 if last is None else last + 1
