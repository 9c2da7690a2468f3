"""Posts of our own: what we said to nobody in particular, and what is being written."""
