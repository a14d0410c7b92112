"""A key folder, as the tests of keys have it."""

from tests.unit.keys.conftest import clock, folder, root, store

__all__ = ["clock", "folder", "root", "store"]
