"""Typed settings, Django's settings, addresses and the ASGI entry."""
