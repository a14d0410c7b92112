"""What is withheld where, by whose order, and what governments have asked for."""
