"""Feeds: RSS, Atom and JSON Feed, many in one channel, each a stream of its own."""
