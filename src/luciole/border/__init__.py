"""What speaks to other cells and to strangers; it may not touch personal data."""
