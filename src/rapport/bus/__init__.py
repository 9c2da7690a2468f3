"""How batches of posts travel from listening to the line, at least once."""
