"""What decides the order of For You: pure functions over numbers, no database, no network."""
