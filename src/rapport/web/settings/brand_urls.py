"""Addresses of the accounts of other firms, below /w/SLUG/settings/brands/."""

from __future__ import annotations

from django.urls import path

from rapport.web.settings import brands

urlpatterns = [path("", brands.index, name="brands"), path("<int:pk>/remove/", brands.remove, name="brand_remove")]
