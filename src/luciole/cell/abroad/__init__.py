"""People and clips of other cells here, and what of ours is there."""
