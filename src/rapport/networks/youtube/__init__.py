"""Channels of YouTube: comments on own videos, and videos found by words."""
