"""How many people were here in a month."""
