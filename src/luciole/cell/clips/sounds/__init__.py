"""Sounds: the sound of a clip, whose it is, and its use in other clips."""
