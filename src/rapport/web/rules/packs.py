"""Starter packs: what each brings, what it would change and fire on, and adding one to a draft."""

from __future__ import annotations

from typing import Any

import msgspec
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from rapport.actions.baskets import Wish, save_basket
from rapport.actions.outbound import save_prepared_reply
from rapport.actions.rule_drafts import save_draft
from rapport.actions.shipped import names_of_pack, say_pack
from rapport.core.errors import InvalidRule
from rapport.core.rules.pack import PACKS, Pack, PackBasket, PackReply, add_pack, has_pack, read_pack
from rapport.store.models import Basket, PreparedReply
from rapport.store.queries.rule_trials import NEWEST, newest_kept
from rapport.web.access import DeskRequest, desk
from rapport.web.rules.said import names_of, say_actions
from rapport.web.rules.target import Target, begin_with, compiled, find_target, go
from rapport.web.settings.excerpt import compare


class Offered(msgspec.Struct, frozen=True):
    """One pack in the list."""

    pack: Pack
    #: it is in the document already
    there: bool


class Line(msgspec.Struct, frozen=True):
    """One rule of a pack, and what it would do with the newest posts."""

    name: str
    does: str
    fired: int


@desk(right="configure")
@require_safe
def index(request: DeskRequest) -> HttpResponse:
    """The packs that there are."""
    target = find_target(request)
    offered = [Offered(pack, _has(target, pack)) for pack in (say_pack(read_pack(slug)) for slug in PACKS)]
    return render(request, "rules/packs.html", {"target": target, "offered": offered})


@desk(right="configure")
@require_http_methods(["GET", "POST"])
def show(request: DeskRequest, pack: str) -> HttpResponse:
    """One pack with what it would change (GET); put it into the draft, or into a new one (POST)."""
    try:
        chosen = say_pack(read_pack(pack))
    except KeyError:
        raise Http404 from None
    target = find_target(request)
    if request.method == "POST":
        return _add(request, target, chosen)
    names = {**names_of(request.workspace), **_names_in(chosen)}
    fired, sorted_, tried = _fired(request, chosen)
    lines = [
        Line(str(rule["name"]), ", ".join(say_actions(rule["then"], names)), fired.get(str(rule["name"]), 0))
        for rule in chosen.rules
    ]
    baskets, replies = _missing(request, chosen)
    shown = {
        "target": target,
        "pack": chosen,
        "lines": lines,
        "tried": tried,
        "share": sorted_ / tried if tried else 0.0,
        "baskets": baskets,
        "replies": replies,
        "there": _has(target, chosen),
        "changes": compare(target.document, _with(target, chosen)),
    }
    return render(request, "rules/pack.html", shown)


def _names_in(pack: Pack) -> dict[tuple[str, str], str]:
    return {
        **{("basket", basket.slug): basket.name for basket in pack.baskets},
        **{("draft", reply.slug): reply.name for reply in pack.replies},
    }


def _names(pack: Pack) -> set[str]:
    return names_of_pack(read_pack(pack.slug))


def _has(target: Target, pack: Pack) -> bool:
    try:
        return has_pack(target.document, pack, _names(pack))
    except ValueError:  # a draft that is no TOML yet
        return False


def _with(target: Target, pack: Pack) -> str:
    try:
        return add_pack(target.document, pack, _names(pack))
    except ValueError:
        return target.document


def _missing(request: DeskRequest, pack: Pack) -> tuple[list[PackBasket], list[PackReply]]:
    """What would be made: baskets and replies that the workspace does not have."""
    baskets = set(Basket.objects.of(request.workspace).values_list("slug", flat=True))
    replies = set(PreparedReply.objects.of(request.workspace).values_list("slug", flat=True))
    return (
        [basket for basket in pack.baskets if basket.slug not in baskets],
        [reply for reply in pack.replies if reply.slug not in replies],
    )


def _fired(request: DeskRequest, pack: Pack) -> tuple[dict[str, int], int, int]:
    """How often each rule would fire on the newest posts if nothing stood before the pack, how many of them
    it would put into a basket, and how many were tried.
    """
    try:
        rules = compiled(pack.text)
    except InvalidRule:  # a test sees to it that none is
        return {}, 0, 0
    fired: dict[str, int] = {}
    sorted_ = tried = 0
    for kept in newest_kept(request.membership, NEWEST):
        decision = kept.decide(rules)
        tried += decision is not None
        matched = [step for step in decision.trace if step.matched] if decision else []
        sorted_ += any(action.startswith("basket:") for step in matched for action in step.actions)
        for step in matched:
            fired[step.rule] = fired.get(step.rule, 0) + 1
    return fired, sorted_, tried


def _add(request: DeskRequest, target: Target, pack: Pack) -> HttpResponse:
    """Baskets and replies that are missing, then the rules into a draft. All of it or nothing."""
    now = timezone.now()
    try:
        document = add_pack(target.document, pack, _names(pack))
    except ValueError:
        messages.error(request, _("The draft cannot be read yet. Mend it first, then add the pack."))
        return go(request, "rule_text", target)
    baskets, replies = _missing(request, pack)
    with transaction.atomic():
        for basket in baskets:
            wish = Wish(name=basket.name, tone=basket.tone, purpose=basket.purpose)
            save_basket(request.membership, None, wish, slug=basket.slug, now=now)
        for reply in replies:
            save_prepared_reply(request.membership, reply.slug, reply.name, reply.text, now=now)
        if target.draft is None:
            draft = begin_with(request, document, _("With the pack %(name)s") % {"name": pack.name})
        else:
            draft = save_draft(request.membership, target.draft, document, target.revision, now=now)
    told: Any = _("The pack is in the draft “%(name)s”. Try it on history, then publish it.")
    messages.success(request, told % {"name": draft.name})
    return go(request, "rule_list", draft=draft.pk)
