"""Finding people, clips, hashtags and sounds."""
