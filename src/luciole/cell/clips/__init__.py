"""Clips, captions and likes."""
