"""Addresses: the desk at the root, the interface for programs under /api/v1/."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("account/", include("allauth.urls")),
    path("", include("rapport.web.urls")),
]
