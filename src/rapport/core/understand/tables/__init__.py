"""The word lists of the readings, as package files. Format: see `rapport.core.understand.vocabulary`."""
