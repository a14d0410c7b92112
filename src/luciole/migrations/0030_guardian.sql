-- A guardian in another cell holds the other half of people's keys. What the key broker knows of it,
-- and what it reads of the log to prove an entry.

CREATE TABLE custody.guardian (
    is_this boolean PRIMARY KEY DEFAULT true CHECK (is_this),
    peer text NOT NULL CHECK (peer ~ '^[a-z0-9][a-z0-9-]{0,19}$'),
    cell_id uuid NOT NULL,
    is_on boolean NOT NULL,
    since timestamptz NOT NULL,
    -- How often a half was asked for; each is counted before it is asked.
    asked bigint NOT NULL DEFAULT 0,
    -- What the guardian said last: how many halves it holds, how often it gave or refused one.
    held bigint NOT NULL DEFAULT 0,
    given bigint NOT NULL DEFAULT 0,
    refused bigint NOT NULL DEFAULT 0,
    compared_at timestamptz
);
-- Halves of keys that are gone, until the guardian has destroyed them. A handle is random and names
-- nobody.
CREATE TABLE custody.orphan (
    handle bytea PRIMARY KEY CHECK (octet_length(handle) = 16),
    made_at timestamptz NOT NULL DEFAULT now()
);

-- Entries that give somebody the use of a key: grants (2) and reads by staff (3).
CREATE VIEW custody.granting AS
    SELECT person_id, n, leaf, ref FROM custody.journal WHERE get_byte(leaf, 1) IN (2, 3);
CREATE VIEW ledger.shown AS
    SELECT log, size, note FROM ledger.checkpoint WHERE published_at IS NOT NULL;

GRANT SELECT ON custody.granting, ledger.placed, ledger.shown TO luciole_custody;
GRANT SELECT, INSERT, UPDATE ON custody.guardian TO luciole_custody;
GRANT SELECT, INSERT, DELETE ON custody.orphan TO luciole_custody;
