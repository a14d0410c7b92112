"""The SQL of the border: what was offered and what became of it, peers, what came from them. All of
it runs as luciole_border."""
