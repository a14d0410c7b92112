"""Feeds: Latest, Following, Friends."""
