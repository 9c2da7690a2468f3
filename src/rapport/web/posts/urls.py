"""Addresses of posts of our own, below /w/SLUG/posts/."""

from __future__ import annotations

from django.urls import path

from rapport.web.posts import said, write

urlpatterns = [
    path("", said.index, name="posts"),
    path("new/", write.new, name="post_new"),
    path("draft/<int:pk>/", write.draft, name="post_draft"),
    path("draft/<int:pk>/image/<int:image>/", write.image, name="post_image"),
    path("<int:pk>/", said.act, name="post_act"),
]
