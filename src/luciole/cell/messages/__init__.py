"""Messages between people: sealed on their devices, carried here, kept until they are fetched."""
