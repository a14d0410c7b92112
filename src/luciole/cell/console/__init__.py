"""What operators, moderators and auditors see of a cell, and the little that they do there."""
