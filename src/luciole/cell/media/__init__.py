"""Uploads, the fence around decoding, renditions, and their delivery."""
