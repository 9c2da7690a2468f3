"""Addresses of campaigns, below /w/SLUG/campaigns/."""

from __future__ import annotations

from django.urls import path

from rapport.web.campaigns import build, work

urlpatterns = [
    path("", work.index, name="campaigns"),
    path("new/", build.create, name="campaign_new"),
    path("<int:pk>/", work.campaign, name="campaign"),
    path("<int:pk>/change/", build.change, name="campaign_change"),
    path("<int:pk>/find/", build.find_posts, name="campaign_find"),
    path("<int:pk>/move/", build.move, name="campaign_move"),
    path("<int:pk>/answer/", work.act, name="campaign_work"),
    path("<int:pk>/posts/<int:post>/text/", work.save_text, name="campaign_text"),
]
