"""Rules for people: the page of each, what is wrong with a set, editors, packs."""
