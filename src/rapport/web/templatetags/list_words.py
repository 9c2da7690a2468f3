"""Words of lists and of what is done with several conversations."""

from __future__ import annotations

import secrets

from django import template
from django.template import Context
from django.utils import timezone, translation
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from rapport.core.roles import Right
from rapport.store.models import Membership, SavedView
from rapport.store.queries.desk import Row

register = template.Library()


@register.filter
def may(member: Membership | None, right: Right) -> bool:
    """Whether the role of this member holds a right."""
    return member is not None and member.may(right)


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


#: rows of lists as they were rendered: fifty open pages read the same ones again whenever one of them changes
_ROWS: dict[tuple[object, ...], SafeString] = {}
MOST_ROWS = 20_000


@register.simple_tag(takes_context=True)
def list_row(context: Context, row: Row) -> SafeString:
    """One row of a list (desk/row.html), rendered anew only where something that it shows is different."""
    key = _shown_in(context, row)
    found = _ROWS.get(key)
    if found is None:
        engine = context.template.engine  # type: ignore[union-attr]  # there is one while it renders
        with context.push(row=row):
            found = mark_safe(engine.get_template("desk/row.html").render(context))  # noqa: S308  (our own template)
        if len(_ROWS) >= MOST_ROWS:
            _ROWS.clear()
        _ROWS[key] = found
    return found


def _shown_in(context: Context, row: Row) -> tuple[object, ...]:
    """Everything that a row of a list is made of; times are said to the minute."""
    each, handle, listing, member = row.conversation, row.handle, context["listing"], context["membership"]
    opened = context.get("conversation")
    return (
        translation.get_language(), timezone.get_current_timezone_name(), int(context["now"].timestamp()) // 60,
        context["workspace"].slug, listing.beside, bool(listing.asked.words or listing.asked.ready),
        member.may("triage"), each.assignee_id == member.pk, opened is not None and opened.pk == each.pk,
        each.pk, each.person_id, each.person.name if each.person else "", each.network, each.priority, each.state,
        each.waiting_since, each.last_post_at, each.snoozed_until, each.due_at, each.preview, each.why, each.automated,
        each.copies, str(each.assignee or ""), str(each.basket or ""), handle.followers if handle else None,
        row.reposts, row.machines, row.tags,
    )  # fmt: skip
