"""The deep reader of all readings in English (docs/reference/model-card-deep.md)."""
