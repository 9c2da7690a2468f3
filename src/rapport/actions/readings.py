"""From which certainty readings count in a workspace, and how many posts get a second look."""

from __future__ import annotations

import datetime as dt

import msgspec
from django.db import transaction
from django.db.models import F

from rapport.actions.audit import announce, require, write_audit
from rapport.core.errors import InvalidInput
from rapport.core.thresholds import SHIPPED, Thresholds, read_thresholds
from rapport.store.models import Membership, ReadingSettings, Workspace
from rapport.store.queries.readings import restate


def save_reading_settings(
    by: Membership, thresholds: Thresholds, share: float | None, *, now: dt.datetime
) -> ReadingSettings:
    """Put thresholds and the share of the second look (0..1; None: as the deployment says) in force.

    The lists by mood and intent follow at once for the newest conversations (`store.queries.readings.restate`), the
    share with the next batch. `Thresholds` has checked its numbers. Raises `InvalidInput` for another share.
    """
    require(by, "configure")
    if share is not None and not 0 <= share <= 1:  # also where it is no number
        raise InvalidInput(f"The share of posts for the second look is {share:g}; it must lie between 0 and 1.")
    shipped = msgspec.structs.asdict(SHIPPED)
    # what is as it ships follows a release that changes it
    kept = {name: value for name, value in msgspec.structs.asdict(thresholds).items() if value != shipped[name]}
    with transaction.atomic():
        Workspace.objects.select_for_update(no_key=True).only("pk").get(pk=by.workspace_id)
        before = ReadingSettings.objects.of(by.workspace).first()
        was = read_thresholds(before.thresholds) if before else SHIPPED
        row, _made = ReadingSettings.objects.update_or_create(
            workspace=by.workspace,
            defaults={"thresholds": kept, "share": share, "changed_at": now, "changed_by": by},
        )
        Workspace.objects.filter(pk=by.workspace_id).update(config_version=F("config_version") + 1)
        restated = restate(by.workspace_id, thresholds) if thresholds != was else 0
        changed = {
            name: [getattr(was, name), getattr(thresholds, name)]
            for name in shipped
            if getattr(was, name) != getattr(thresholds, name)
        }
        write_audit(
            by.workspace_id, by, "readings.save", None, now,
            changed=changed, share=share, share_before=before.share if before else None, restated=restated,
        )  # fmt: skip
        announce(by.workspace_id, now, kind="config")
        announce(by.workspace_id, now)
    return row
