"""Rapport: open-source, self-hosted software for hybrid social engagement."""

__version__ = "0.1.0"
