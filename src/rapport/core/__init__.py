"""The pure core: frozen structs and functions. No Django, I/O, clock or randomness."""
