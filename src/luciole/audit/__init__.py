"""What an auditor is given: who may read what, what runs, what leaves, and a search for leaks."""
