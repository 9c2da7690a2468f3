"""Words of lists and of what is done with several conversations."""

from __future__ import annotations

import secrets
from itertools import chain

from django import template
from django.template import Context
from django.utils import timezone, translation
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from rapport.core.roles import Right
from rapport.store.models import Channel, Membership, SavedView, Workspace
from rapport.store.queries.desk import Row
from rapport.web.templatetags.desk_frame import moment
from rapport.web.templatetags.promise_words import due

register = template.Library()


@register.filter
def may(member: Membership | None, right: Right) -> bool:
    """Whether the role of this member holds a right."""
    return member is not None and member.may(right)


@register.simple_tag
def nothing_connected(workspace: Workspace) -> bool:
    """Whether a workspace has no source at all, so that nobody can be heard."""
    return not Channel.objects.of(workspace).exists()


@register.filter
def may_change(view: SavedView, member: Membership) -> bool:
    """Whether this member may put other filters into a view: their own, or a shared one from lead upwards."""
    return view.owner_id == member.pk or (view.owner_id is None and member.may("configure"))


@register.simple_tag
def priorities() -> list[tuple[int, str]]:
    """(value, word) of every priority, low first."""
    return [(0, _("low")), (1, _("medium")), (2, _("high")), (3, _("urgent"))]


@register.simple_tag
def form_key() -> str:
    """Random letters that mark one form: sent twice, it is done once."""
    return secrets.token_hex(12)


#: rows of lists as they were rendered, in the pieces between what differs from page to page and from minute to minute:
#: fifty open pages read the same ones again and again
_ROWS: dict[tuple[object, ...], tuple[SafeString, ...]] = {}
MOST_ROWS = 20_000
#: what stands for those places while a row is rendered; nobody outside of this process knows it
_GAP = f"<!--{secrets.token_hex(16)}-->"


@register.simple_tag(takes_context=True)
def list_row(context: Context, row: Row) -> SafeString:
    """One row of a list (desk/row.html), rendered anew only where something that it shows is different."""
    each, listing, opened = row.conversation, context["listing"], context.get("conversation")
    key = _shown_in(context, row)
    pieces = _ROWS.get(key)
    if pieces is None:
        pieces = _render(context, row)
        if len(_ROWS) >= MOST_ROWS:
            _ROWS.clear()
        _ROWS[key] = pieces
    is_waiting = each.waiting_since and each.state == "open"
    fill = (
        format_html("?{}", listing.beside) if listing.beside else "",
        ' aria-current="true"' if opened is not None and opened.pk == each.pk else "",
        moment(context, each.waiting_since, "waits") if is_waiting else moment(context, each.last_post_at, "ago"),
        due(context, each.due_at),
        "",
    )
    return mark_safe("".join(chain.from_iterable(zip(pieces, fill, strict=True))))  # noqa: S308  (made right here)


def _render(context: Context, row: Row) -> tuple[SafeString, ...]:
    engine = context.template.engine  # type: ignore[union-attr]  # there is one while it renders
    gap = mark_safe(_GAP)  # noqa: S308  (a comment of our own)
    with context.push(row=row, gap=gap):
        whole = engine.get_template("desk/row.html").render(context)
    return tuple(mark_safe(piece) for piece in whole.split(_GAP))  # noqa: S308  (our own template)


def _shown_in(context: Context, row: Row) -> tuple[object, ...]:
    """Everything that a row of a list is made of, but for what `list_row` fills in."""
    each, handle, listing, member = row.conversation, row.handle, context["listing"], context["membership"]
    snoozed = each.snoozed_until if each.state == "snoozed" else None
    return (
        translation.get_language(), timezone.get_current_timezone_name(),
        # until when somebody snoozed it is said without the day today
        timezone.localtime(context["now"]).date() if snoozed else None,
        context["workspace"].slug, bool(listing.asked.words or listing.asked.ready),
        member.may("triage"), each.assignee_id == member.pk,
        each.pk, each.person_id, each.person.name if each.person else "", each.network, each.priority, each.state,
        snoozed, each.preview, each.why, each.automated, each.copies, str(each.assignee or ""), str(each.basket or ""),
        handle.followers if handle else None, row.reposts, row.machines, row.tags,
    )  # fmt: skip
