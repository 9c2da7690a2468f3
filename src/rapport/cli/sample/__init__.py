"""The sample that `rapport up --demo` shows: everything in it is invented."""
