"""Prepared replies where they are of use: their basket, their language, how often somebody began from them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.db.models import F

from rapport.actions.audit import require, write_audit
from rapport.actions.outbound import save_prepared_reply
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.store.models import Basket, Membership, PreparedReply, ReplyBasket, Workspace


def save_snippet(
    by: Membership,
    slug: str,
    name: str,
    text: str,
    *,
    language: str = "",
    baskets: Sequence[Basket] = (),
    now: dt.datetime,
) -> PreparedReply:
    """As `outbound.save_prepared_reply`; offered in `baskets` (none: in every one) and `language` ("": in all)."""
    require(by, "configure")
    if any(basket.workspace_id != by.workspace_id for basket in baskets):
        raise NotAllowed("This basket belongs to another workspace.")
    if language and not (language.isascii() and language.isalpha() and language.islower() and len(language) == 2):
        raise InvalidInput("A language has two letters, such as en or de.")
    with transaction.atomic():
        reply = save_prepared_reply(by, slug, name, text, now=now)
        reply.language, reply.changed_at = language or None, now
        reply.save(update_fields=["language", "changed_at"])
        ReplyBasket.objects.filter(reply=reply).exclude(basket__in=baskets).delete()
        for basket in baskets:
            ReplyBasket.objects.get_or_create(reply=reply, basket=basket, defaults={"workspace": by.workspace})
        where = [basket.name for basket in baskets]
        write_audit(by.workspace, by, "prepared_reply.place", reply, now, language=language, baskets=where)
    return reply


def note_begun(workspace: Workspace, slug: str) -> None:
    """Somebody began an answer from it. A count and no deed: nothing is said or changed by it."""
    PreparedReply.objects.of(workspace).filter(slug=slug, used__isnull=True).update(used=0)
    PreparedReply.objects.of(workspace).filter(slug=slug).update(used=F("used") + 1)
