"""Ranking state in Ray actors, for a cell that outgrows one process (docs/decisions/0020)."""
