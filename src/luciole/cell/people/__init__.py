"""Accounts: handles, sessions, passwords, passkeys, recovery, contacts, age band."""
