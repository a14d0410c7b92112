"""How a person's export is made: `compose` says what goes in, `archive` writes the ZIP as it comes,
`pieces` seals and stores it."""
