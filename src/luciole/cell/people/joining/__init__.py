"""Who may join the cell, and what they agree to."""
