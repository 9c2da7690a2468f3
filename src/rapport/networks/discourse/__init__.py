"""Discourse forums, by their JSON interface with an API key."""
