"""How an export that a person brings along is taken in: `zipped` opens the archive and trusts
nothing of it, `manifest` compares it with what it says of itself, `rows` are its lists, `taking`
is the job."""
