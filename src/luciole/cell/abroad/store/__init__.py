"""The SQL of what is elsewhere, and of what is here from elsewhere."""
