"""What a cell does for other cells: it holds shares of their keys, looks numbers up blindly, and
keeps their sealed backups. It sees no person of its own cell and has no login to the database."""
