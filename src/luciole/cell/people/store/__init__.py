"""The SQL of people: accounts, sessions, ways in, contacts. One function a query."""
