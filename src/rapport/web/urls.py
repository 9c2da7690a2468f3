"""Every address of the desk. Each has its row in tests/web/test_access_matrix.py."""

from __future__ import annotations

from django.urls import include, path

from rapport.web import health, hooks

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("hooks/<slug:slug>/<slug:channel>/", hooks.receive, name="hook"),
    path("", include("rapport.web.accounts.urls")),
    path("", include("rapport.web.settings.urls")),
    path("w/<slug:slug>/", include("rapport.web.inbox.urls")),
]
