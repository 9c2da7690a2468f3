"""Addresses of what is told of our own words, below /w/SLUG/same-words/."""

from __future__ import annotations

from django.urls import path

from rapport.web import voice

urlpatterns = [path("", voice.same_words, name="same_words")]
