"""Read-out to the wider Fediverse: who asked for it is shown there, and followed from there."""
