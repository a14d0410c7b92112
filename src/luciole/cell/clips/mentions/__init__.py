"""Handles in captions and comments, and whom they reach."""
