"""What the feed's choices are worth, by protocols that say what they can and cannot show."""
