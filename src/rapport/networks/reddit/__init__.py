"""Reddit: the inbox, mentions, subreddits and searches through the OAuth API."""
