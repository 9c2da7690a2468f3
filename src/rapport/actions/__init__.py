"""Every write: one verb each, with its transaction, its audit row and its event for open pages."""
