"""Duets and stitches: clips that are made from clips of others."""
