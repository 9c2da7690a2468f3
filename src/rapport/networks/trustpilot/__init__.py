"""Trustpilot: the reviews of one's own business, and our answers."""
