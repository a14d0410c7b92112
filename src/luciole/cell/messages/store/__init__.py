"""The SQL of messages."""
