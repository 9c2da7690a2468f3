"""The straight line and those who walk it: worker, sender, listener, clock."""
