"""Reports, their review by people, decisions with a statement of reasons, and appeals."""
