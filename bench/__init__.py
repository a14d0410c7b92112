"""Measurements against a floor or a peer. Each file says what it measures and how to run it."""
