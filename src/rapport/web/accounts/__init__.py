"""One's own account: signing in, the profile, the second factor."""
