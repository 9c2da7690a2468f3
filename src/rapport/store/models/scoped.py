"""The one door to the rows of a workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from django.db import models

if TYPE_CHECKING:
    from rapport.store.models.accounts import Workspace

M = TypeVar("M", bound=models.Model)


class ScopedQuerySet(models.QuerySet[M]):
    """Rows of tables that belong to a workspace."""

    def of(self, workspace: Workspace | int) -> ScopedQuerySet[M]:
        """Only the rows of this workspace: the first call of every read."""
        return self.filter(workspace=workspace)
