"""The deep reader of the mood in eight languages (docs/reference/model-card-deep.md)."""
