"""Saved views: a list with its filters under a name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db import transaction

from rapport.actions.audit import announce, require, write_audit
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.store.models import Membership, SavedView, Workspace
from rapport.store.models.scoped import ScopedQuerySet

MAX_NAME = 80  # characters
MOST = 30  # of one person, and of all together
MAX_KEPT = 2_000  # characters of everything that one keeps


def save_view(by: Membership, name: str, asked: Mapping[str, str], *, shared: bool, now: dt.datetime) -> SavedView:
    """Keep a list (`web.inbox.asked.Asked.kept`, checked there) under a name, for oneself or for everybody."""
    require(by, "configure" if shared else "read")
    name = _clean(name)
    if not asked or sum(len(key) + len(value) for key, value in asked.items()) > MAX_KEPT:
        raise InvalidInput("There is no list to keep, or it is too long.")
    with transaction.atomic():
        # one at a time: a unique name and a place at the end
        Workspace.objects.select_for_update(no_key=True).only("pk").get(pk=by.workspace_id)
        beside = _beside(by, None if shared else by.pk)
        _check_name(beside, name)
        if beside.count() >= MOST:
            raise InvalidInput(f"There are {MOST} views already. Remove one that nobody uses first.")
        last = beside.order_by("-position").values_list("position", flat=True).first()
        view = SavedView.objects.create(
            workspace=by.workspace, owner=None if shared else by, name=name, asked=dict(asked), by=by, at=now,
            position=0 if last is None else last + 1,
        )  # fmt: skip
        _tell(by, "view.save", view, now)
    return view


def change_view(
    by: Membership, view: SavedView, *, name: str | None = None, asked: Mapping[str, str] | None = None,
    shared: bool | None = None, now: dt.datetime,
) -> SavedView:  # fmt: skip
    """Another name, other filters, for everybody or for its maker alone; None leaves a thing as it is."""
    _own(by, view)
    with transaction.atomic():
        Workspace.objects.select_for_update(no_key=True).only("pk").get(pk=by.workspace_id)
        row = SavedView.objects.of(by.workspace).select_for_update().get(pk=view.pk)
        if shared is not None and shared != (row.owner_id is None):
            require(by, "configure")
            row.owner = None if shared else by
        row.name = row.name if name is None else _clean(name)
        row.asked = row.asked if asked is None else dict(asked)
        beside = _beside(by, row.owner_id).exclude(pk=row.pk)
        _check_name(beside, row.name)
        if beside.count() >= MOST:
            raise InvalidInput(f"There are {MOST} views already. Remove one that nobody uses first.")
        row.save(update_fields=["name", "asked", "owner"])
        _tell(by, "view.change", row, now)
    return row


def shift_view(by: Membership, view: SavedView, *, up: bool, now: dt.datetime) -> None:
    """One place up or down among those that it stands with; at the end there is nothing to do."""
    _own(by, view)
    with transaction.atomic():
        Workspace.objects.select_for_update(no_key=True).only("pk").get(pk=by.workspace_id)
        rows = list(_beside(by, view.owner_id).order_by("position", "name"))
        at = next((place for place, row in enumerate(rows) if row.pk == view.pk), None)
        to = None if at is None else at - 1 if up else at + 1
        if at is None or to is None or not 0 <= to < len(rows):
            return
        rows[at], rows[to] = rows[to], rows[at]
        for place, row in enumerate(rows):
            row.position = place
        SavedView.objects.bulk_update(rows, ["position"])
        _tell(by, "view.shift", view, now)


def remove_view(by: Membership, view: SavedView, *, now: dt.datetime) -> None:
    """Forget a view; what it showed stays where it is."""
    _own(by, view)
    with transaction.atomic():
        _tell(by, "view.remove", view, now)
        SavedView.objects.of(by.workspace).filter(pk=view.pk).delete()


def _beside(by: Membership, owner: int | None) -> ScopedQuerySet[SavedView]:
    rows = SavedView.objects.of(by.workspace_id)
    return rows.filter(owner__isnull=True) if owner is None else rows.filter(owner=owner)


def _own(by: Membership, view: SavedView) -> None:
    """Raise `NotAllowed` for the view of somebody else, and for a shared one below lead."""
    require(by, "read" if view.owner_id is not None else "configure")
    if view.workspace_id != by.workspace_id or view.owner_id not in {None, by.pk}:
        raise NotAllowed("This view belongs to somebody else.")


def _clean(name: str) -> str:
    kept = " ".join(name.replace("\x00", "").split())
    if not kept:
        raise InvalidInput("Give the view a name.")
    if len(kept) > MAX_NAME:
        raise InvalidInput(f"The name of a view has at most {MAX_NAME} characters.")
    return kept


def _check_name(beside: ScopedQuerySet[SavedView], name: str) -> None:
    if beside.filter(name=name).exists():
        raise InvalidInput(f"There is a view called “{name}” already. Choose another name, or change that one.")


def _tell(by: Membership, verb: str, view: SavedView, now: dt.datetime) -> None:
    write_audit(by.workspace, by, verb, view, now, name=view.name, shared=view.owner_id is None, asked=view.asked)
    if view.owner_id is None:
        announce(by.workspace, now, kind="config")
