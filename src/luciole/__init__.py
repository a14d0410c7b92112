"""Luciole: short videos, shared with your people; your data stays home, and you can check."""

__version__ = "0.1.0"
