"""The key broker: a process that holds people's keys and lends their use under logged grants.

    person's session token ──► grant (one entry in the log) ──► seal, open
    purpose and day        ──► grant (one entry in the log) ──► seal, open

The web application never sees a data key: it names a grant and gets fields. No grant is given that
the log has not taken: the entry and the grant are one transaction. What the broker cannot know is
whether the application shows an opened field to the right person; it knows who asked, for what
purpose, and that the person can read so in their journal.
"""
