"""Pages of Facebook: comments, mentions, posts of visitors, and Messenger."""
