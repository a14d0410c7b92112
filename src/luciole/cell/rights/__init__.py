"""What a person may always do with what is held about them: see it, take it, bring it, erase it."""
