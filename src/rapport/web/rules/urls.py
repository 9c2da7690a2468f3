"""Addresses of the pages of single rules, of their editors and packs."""

from __future__ import annotations

from django.urls import include, path

from rapport.web.rules import groups, packs, page, rows, table, text

pages = [
    path("list/", page.index, name="rule_list"),
    path("rule/", page.show, name="rule_page"),
    path("edit/", text.edit, name="rule_text"),
    path("edit/check/", text.check, name="rule_check"),
    path("edit/words/", text.words, name="rule_words"),
    path("edit/rule/", rows.edit, name="rule_rows"),
    path("edit/preview/", rows.preview, name="rule_preview"),
    path("edit/group/", groups.switch, name="rule_group"),
    path("edit/table/", table.edit, name="rule_table"),
    path("packs/", packs.index, name="rule_packs"),
    path("packs/<slug:pack>/", packs.show, name="rule_pack"),
]

urlpatterns = [path("w/<slug:slug>/settings/rules/", include(pages))]
