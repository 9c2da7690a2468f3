"""Google Business Profile: the reviews of one location, and our answers."""
