"""The SQL of search: `index` writes what is found, `clips` and `names` find it."""
