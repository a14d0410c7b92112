"""Notifications, and live updates of the open page."""
