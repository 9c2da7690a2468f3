"""The one door to the rows of a workspace."""

from __future__ import annotations

from typing import TypeVar

from django.db import models

M = TypeVar("M", bound=models.Model)


class ScopedQuerySet(models.QuerySet[M]):
    """Rows of tables that belong to a workspace."""

    def of(self, workspace: models.Model | int) -> ScopedQuerySet[M]:
        """Only the rows of this workspace (a `Workspace` or its id): the first call of every read."""
        return self.filter(workspace=workspace)
