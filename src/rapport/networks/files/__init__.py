"""Posts from files: which layouts there are, and how a line of each becomes posts."""
