"""An inbound webhook: any program brings posts to our door, signed after the Standard Webhooks specification."""
