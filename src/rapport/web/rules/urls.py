"""Addresses of the pages of single rules, of their editors and packs."""

from __future__ import annotations

from django.urls import include, path

from rapport.web.rules import page

pages = [
    path("list/", page.index, name="rule_list"),
    path("rule/", page.show, name="rule_page"),
]

urlpatterns = [path("w/<slug:slug>/settings/rules/", include(pages))]
