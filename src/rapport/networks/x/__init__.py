"""X: mentions, searches, messages and our own posts through API v2."""
