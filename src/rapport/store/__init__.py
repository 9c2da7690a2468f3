"""Tables, queries and the mapping between rows and structs. One Django app owns every table."""
