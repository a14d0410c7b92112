"""People who move from one cell to another, by the words of both cells."""
