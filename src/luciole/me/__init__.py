"""A person's own client for what they may always do: see, check, take along, leave. It speaks to a
cell as any stranger does, over HTTP, and trusts what it can check only."""
