"""Every address of the desk. Each has its row in tests/web/test_access_matrix.py."""

from __future__ import annotations

from django.urls import include, path

from rapport.web import approvals, health, hooks, notices

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("hooks/<slug:slug>/<slug:channel>/", hooks.receive, name="hook"),
    path("", include("rapport.web.accounts.urls")),
    path("", include("rapport.web.settings.urls")),
    path("", include("rapport.web.rules.urls")),
    path("w/<slug:slug>/approvals/", approvals.index, name="approvals"),
    path("w/<slug:slug>/approvals/<int:pk>/send/", approvals.send, name="approval_send"),
    path("w/<slug:slug>/approvals/<int:pk>/return/", approvals.give_back, name="approval_return"),
    path("w/<slug:slug>/notices/", notices.index, name="notices"),
    path("w/<slug:slug>/notices/<int:pk>/", notices.open_notice, name="notice"),
    path("w/<slug:slug>/notices/read/", notices.read_all, name="notices_read"),
    path("w/<slug:slug>/notices/settings/", notices.preferences, name="notice_settings"),
    path("w/<slug:slug>/notices/off/<slug:way>/", notices.off, name="notices_off"),
    path("w/<slug:slug>/notices/devices/add/", notices.add_device, name="device_add"),
    path("w/<slug:slug>/notices/devices/<int:pk>/remove/", notices.remove_device, name="device_remove"),
    path("w/<slug:slug>/", include("rapport.web.inbox.urls")),
]
