"""Persons and clips to look at, drawn by our own code and brought in through the public HTTP API."""
