"""May touch personal data, may not speak outside the cell."""
