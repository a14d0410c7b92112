"""Numbered SQL files; `schema.sql` is generated from them and checked in."""
