"""Bluesky, and every data server of the AT Protocol."""
