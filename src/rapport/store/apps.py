"""The one Django app."""

from __future__ import annotations

from django.apps import AppConfig


class StoreConfig(AppConfig):
    """Owns every table, so that moving behaviour between packages never moves a table."""

    name = "rapport.store"
    label = "store"
    default_auto_field = "django.db.models.BigAutoField"
