"""Help on every page: which page of the documents belongs to which page of the desk, and how it is shown."""
