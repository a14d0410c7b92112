"""The SQL of rights, a module for each kind of thing."""
