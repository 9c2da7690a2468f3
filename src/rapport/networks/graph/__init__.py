"""What Facebook and Instagram share: Meta's Graph API, its login, its webhooks and its inbox. Not a network itself."""
