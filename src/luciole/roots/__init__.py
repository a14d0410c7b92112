"""Where the root of a cell's keys may live besides a file: OpenBao or Vault, and PKCS#11 tokens.

A cell whose root is a file loads none of this. What a root elsewhere sees are the few keys that
wrap all others, at each start and each rotation; so whoever chooses one reads its file here too.
"""
