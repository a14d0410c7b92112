"""How the processes of a cell ask the key broker. Nobody has to trust this side: what it may ask,
and what it gets, the broker decides (`luciole.custody`)."""
