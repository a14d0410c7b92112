"""Persons and clips to look at: drawn by our own code, brought in through the public HTTP API."""
