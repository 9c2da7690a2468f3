"""Fields of its own that a workspace keeps of people, and what each person has in them."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from django.db import transaction
from django.utils.text import slugify

from rapport.actions.audit import announce, require, write_audit
from rapport.actions.people import require_person
from rapport.actions.undo import note_deed
from rapport.core.errors import InvalidInput, Stale
from rapport.store.models import Conversation, Membership, Person, PersonField, PersonValue

MAX_FIELDS = 40
MAX_CHOICES = 50
MAX_VALUE = 500  # characters


def save_field(
    by: Membership,
    name: str,
    kind: str,
    choices: Sequence[str] = (),
    *,
    field: PersonField | None = None,
    now: dt.datetime,
) -> PersonField:
    """Make a field, or give one another name and other choices; the kind of one that exists stays.

    Raises `InvalidInput` where the name is taken or empty, or a choice has nothing to choose from.
    """
    require(by, "configure")
    name = " ".join(name.replace("\x00", "").split())[:120]
    options = list(dict.fromkeys(" ".join(each.replace("\x00", "").split())[:120] for each in choices))
    options = [each for each in options if each]
    if not name:
        raise InvalidInput('Give the field a name: "Customer number".')
    if kind not in PersonField.Kind.values:
        raise InvalidInput(f"{kind!r} is no kind of field.")
    if kind == PersonField.Kind.CHOICE and not 1 < len(options) <= MAX_CHOICES:
        raise InvalidInput(f"A choice needs two to {MAX_CHOICES} things to choose from, one a line.")
    rows = PersonField.objects.of(by.workspace)
    with transaction.atomic():
        if rows.filter(name__iexact=name).exclude(pk=field.pk if field else 0).exists():
            raise InvalidInput(f"There is a field called {name} already.")
        if field is None:
            taken = set(rows.values_list("slug", flat=True))
            if len(taken) >= MAX_FIELDS:
                raise InvalidInput(f"There are {MAX_FIELDS} fields already. Delete one that nobody uses.")
            base = slugify(name)[:55] or "field"
            slug = next(each for each in (base, *(f"{base}-{n}" for n in range(2, 99))) if each not in taken)
            field = PersonField(workspace=by.workspace, slug=slug, kind=kind, position=len(taken))
        elif not rows.filter(pk=field.pk).exists():
            raise InvalidInput("This field is not there any more.")
        field.name, field.choices = name, options if field.kind == PersonField.Kind.CHOICE else []
        field.save()
        write_audit(by.workspace, by, "person_field.save", field, now, name=name, kind=field.kind, choices=options)
    return field


def delete_field(by: Membership, field: PersonField, *, now: dt.datetime) -> int:
    """Forget a field and what everybody has in it; returns how many people had something."""
    require(by, "configure")
    with transaction.atomic():
        row = PersonField.objects.of(by.workspace).filter(pk=field.pk).first()
        if row is None:
            raise InvalidInput("This field is not there any more.")
        had = PersonValue.objects.of(by.workspace).filter(field=row).count()
        write_audit(by.workspace, by, "person_field.delete", row, now, name=row.name, people=had)
        row.delete()
    return had


def set_value(
    by: Membership, person: Person, field: PersonField, value: str, *, seen: str | None = None, now: dt.datetime
) -> str:
    """What a person has in one field; empty takes it away. Returns what is kept. The audit has no word of theirs.

    `seen`: what stood there when somebody began to write; raises `Stale` where it is something else by now.
    """
    require_person(by, person)
    if not PersonField.objects.of(by.workspace).filter(pk=field.pk).exists():
        raise InvalidInput("This field is not there any more.")
    kept = read_value(field, value)
    rows = PersonValue.objects.of(by.workspace).filter(person=person, field=field)
    with transaction.atomic():
        if rows.filter(value=kept).exists() or (not kept and not rows.exists()):
            return kept
        was = rows.values_list("value", flat=True).first() or ""
        if seen is not None and seen != was:
            raise Stale(f"{field.name} was changed by a colleague meanwhile, and that stands. Yours was: {kept}")
        if kept:
            PersonValue.objects.update_or_create(
                person=person, field=field, defaults={"workspace": by.workspace, "value": kept, "by": by, "at": now}
            )
        else:
            rows.delete()
        write_audit(by.workspace, by, "person.field", person, now, field=field.name, emptied=not kept)
        before, after = {"field": field.pk, "value": was}, {"field": field.pk, "value": kept}
        note_deed(by, "person.field", [(person.pk, before, after)], now=now)
        announce(
            by.workspace,
            now,
            Conversation.objects.of(by.workspace).filter(person=person).values_list("pk", flat=True)[:200],
        )
    return kept


def read_value(field: PersonField, value: str) -> str:
    """What was typed, as it is kept: a number with a point, a day as 2026-11-22, a flag as "yes" or "no".

    Raises `InvalidInput` with what would fit.
    """
    text = value.replace("\x00", "").strip()
    if not text:
        return ""
    if len(text) > MAX_VALUE:
        raise InvalidInput(f"{field.name} has {len(text):,} characters; at most {MAX_VALUE} fit.")
    kind = PersonField.Kind(field.kind)
    if kind == PersonField.Kind.NUMBER:
        return _read_number(field, text)
    if kind == PersonField.Kind.DATE:
        try:
            return dt.date.fromisoformat(text).isoformat()
        except ValueError:
            raise InvalidInput(f"{field.name}: write the day as year, month, day: 2026-11-30.") from None
    if kind == PersonField.Kind.CHOICE and text not in field.choices:
        raise InvalidInput(f"{field.name} is one of: {', '.join(field.choices)}.")
    if kind == PersonField.Kind.FLAG and text not in {"yes", "no"}:
        raise InvalidInput(f"{field.name} is yes or no.")
    if kind == PersonField.Kind.LINK and not text.lower().startswith(("https://", "http://")):
        raise InvalidInput(f"{field.name}: write the whole address, beginning with https://.")
    return text


def _read_number(field: PersonField, text: str) -> str:
    try:
        number = Decimal(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)
    except InvalidOperation:
        raise InvalidInput(f"{field.name} is a number: 12 or 12.5.") from None
    if not number.is_finite() or abs(number.adjusted()) > 20 or math.isnan(number):
        raise InvalidInput(f"{field.name} is a number: 12 or 12.5.")
    return format(number, "f")
