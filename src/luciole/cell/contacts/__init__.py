"""Finding people whom one knows, without an address book in the cell."""
