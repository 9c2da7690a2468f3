"""Prepared replies where they are of use: those of a basket and a language, found by words and by what was asked.

Each process keeps the folded words of a workspace's replies and an index of what they are about; both are made anew
when a reply is written, changed or deleted. What is shown is read from the table each time.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from threading import Lock
from typing import Any

import msgspec
from django.db.models import Case, Count, Exists, F, Max, OuterRef, Q, Sum, When
from django.db.models.functions import Length

from rapport.core.likeness import Index
from rapport.core.text import fold
from rapport.store.models import Conversation, Post, PreparedReply, ReplyBasket
from rapport.store.models.scoped import ScopedQuerySet

#: shown without a search, and found by one
FIRST, FOUND = 12, 20
#: what is less alike to what they wrote is not found by it
LEAST = 0.1
#: replies that are ranked by how often they were used
_RANKED = 200


class _Known(msgspec.Struct, frozen=True):
    """The replies of one workspace, ready to be looked through."""

    #: tells whether anything was changed since
    mark: tuple[Any, ...]
    ids: list[int]
    #: folded: name, and everything
    names: list[str]
    texts: list[str]
    index: Index


_known: dict[int, _Known] = {}
_making = Lock()


def offered_here(
    conversation: Conversation, newest: Post | None, named: Collection[str] = (), called: str = ""
) -> tuple[PreparedReply, ...]:
    """The `FIRST` that are used most, of the conversation's basket and language, by name.

    Besides, whatever they are of: those with a slug in `named`, and the one whose name is `called`.
    """
    also = Q(slug__in=[slug for slug in named if slug])
    if called:
        also |= Q(name=called)
    fits = Q(pk__in=_fitting(conversation, language_of(newest)).order_by().values("pk"))
    rows = PreparedReply.objects.of(conversation.workspace_id).filter(fits | also)
    first = Case(When(also, then=0), default=1)
    shown = rows.order_by(first, F("used").desc(nulls_last=True), "name")[: FIRST + len(named) + 1]
    return tuple(sorted(shown, key=lambda row: (row.name.casefold(), row.pk)))


def find_snippets(conversation: Conversation, newest: Post | None, words: str) -> list[PreparedReply]:
    """At most `FOUND` of the conversation's basket and language that hold every word (or the beginning of one).

    Those that are called so come first, then those that are used most. Without words: those that are about what they
    wrote, the nearest first, then those that are used most.
    """
    known, fitting = _read(conversation.workspace_id), _fitting(conversation, language_of(newest))
    terms = fold(words).split()
    if not terms:
        near = _near(known, newest.text if newest else "", FOUND)
        liked = _in_order(fitting, near)
        most_used = fitting.exclude(pk__in=near).order_by(F("used").desc(nulls_last=True), "name")
        return (liked + list(most_used[:FOUND]))[:FOUND]
    ranks: dict[int, tuple[int, int]] = {}
    for place, text in enumerate(known.texts):
        if all(term in text for term in terms):
            name = known.names[place]
            called = 0 if name.startswith(terms[0]) else 1 if all(term in name for term in terms) else 2
            ranks[known.ids[place]] = (called, place)
    first = sorted(ranks, key=lambda pk: ranks[pk])[:_RANKED]
    found = list(fitting.filter(pk__in=first))
    return sorted(found, key=lambda row: (ranks[row.pk][0], -(row.used or 0), row.name.casefold()))[:FOUND]


def like_snippets(conversation: Conversation, newest: Post, most: int) -> list[tuple[PreparedReply, float]]:
    """Those of the conversation's basket and language that are nearest to what was asked, with how near (0..1)."""
    known = _read(conversation.workspace_id)
    near = {known.ids[each.position]: each.likeness for each in known.index.nearest(newest.text, 4 * most, LEAST)}
    rows = _in_order(_fitting(conversation, language_of(newest)), list(near))
    return [(row, near[row.pk]) for row in rows[:most]]


def language_of(post: Post | None) -> str:
    """ISO 639-1 code of a post, as its network or our reading says; "" = nobody knows."""
    if post is None:
        return ""
    if post.lang:
        return post.lang[:2].casefold()
    outcome = getattr(post, "outcome", None)
    return str(outcome.language[:2]) if outcome is not None and outcome.language != "und" else ""


def _fitting(conversation: Conversation, language: str) -> ScopedQuerySet[PreparedReply]:
    """Those that are offered in the conversation's basket and in this language; what is bound to neither always is."""
    bound = ReplyBasket.objects.filter(reply=OuterRef("pk"))
    rows = PreparedReply.objects.of(conversation.workspace_id).filter(
        ~Exists(bound) | Exists(bound.filter(basket=conversation.basket_id))
    )
    return rows.filter(Q(language__isnull=True) | Q(language=language)) if language else rows


def _in_order(rows: ScopedQuerySet[PreparedReply], ids: Sequence[int]) -> list[PreparedReply]:
    found = rows.in_bulk(list(ids))
    return [found[pk] for pk in ids if pk in found]


def _near(known: _Known, text: str, most: int) -> list[int]:
    return [known.ids[each.position] for each in known.index.nearest(text, most, LEAST)]


def _read(workspace: int) -> _Known:
    rows = PreparedReply.objects.of(workspace)
    told = rows.order_by().aggregate(
        n=Count("pk"), last=Max("pk"), changed=Max("changed_at"), names=Sum(Length("name")), texts=Sum(Length("text"))
    )
    mark = tuple(told.values())
    known = _known.get(workspace)
    if known is not None and known.mark == mark:
        return known
    with _making:
        all_rows = list(rows.order_by("name", "pk").values_list("pk", "slug", "name", "text"))
        made = _known[workspace] = _Known(
            mark,
            [pk for pk, _, _, _ in all_rows],
            [fold(name) for _, _, name, _ in all_rows],
            [fold(f"{name} {slug} {text}") for _, slug, name, text in all_rows],
            Index([f"{name} {text}" for _, _, name, text in all_rows]),
        )
    return made
