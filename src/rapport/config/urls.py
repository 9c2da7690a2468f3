"""Addresses: the desk at the root, the interface for programs under /api/v1/."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("rapport.web.urls")),
]

handler400 = "rapport.web.errors.bad_request"
handler403 = "rapport.web.errors.forbidden"
handler404 = "rapport.web.errors.not_found"
# django-allauth looks here for the page of a throttled request
handler429 = "rapport.web.errors.too_many"
handler500 = "rapport.web.errors.server_error"
