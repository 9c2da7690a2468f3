"""The desk as a Django app: templates, static files, tags."""

from __future__ import annotations

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Holds no tables."""

    name = "rapport.web"
    label = "web"
