"""Professional accounts of Instagram: comments, mentions, and messages with what was said about stories."""
