"""Pairing of a young person's account with an adult's: settings and time, never content."""
