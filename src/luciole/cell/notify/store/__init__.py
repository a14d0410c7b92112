"""The SQL of notify: live events, lines of the list, what people want to be told, their devices."""
