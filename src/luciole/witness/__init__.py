"""A witness for the logs of cells: run by anybody (`luciole witness`), and one beside each cell.

It shares the pure parts and the reading of tiles with the log, and nothing that writes one: no
database, no key of a cell.
"""
