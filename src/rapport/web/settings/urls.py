"""Addresses of the settings of a workspace, and of its quarantine."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
