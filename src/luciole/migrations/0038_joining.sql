-- Who may join: how the cell takes people, invitations, those who wait, work that was done, terms and
-- who agreed to them.

-- What the operator has chosen at the machine; without a row the setting counts.
CREATE TABLE people.registration (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    mode text NOT NULL CHECK (mode IN ('open', 'invitation', 'approval', 'closed')),
    changed_at timestamptz NOT NULL
);

-- Nothing says who came by which one.
CREATE TABLE people.invitation (
    id uuid PRIMARY KEY,
    code_hash bytea NOT NULL UNIQUE CHECK (octet_length(code_hash) = 32),
    note text NOT NULL DEFAULT '',
    uses_left integer NOT NULL CHECK (uses_left >= 0),
    made_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

-- Somebody who would like an account and has none.
CREATE TABLE people.request (
    id uuid PRIMARY KEY,
    ticket_hash bytea NOT NULL UNIQUE CHECK (octet_length(ticket_hash) = 32),
    name text NOT NULL,
    words text NOT NULL,
    made_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'approved', 'refused')),
    reason text NOT NULL DEFAULT '',
    decided_at timestamptz
);
CREATE INDEX request_waiting ON people.request (made_at, id) WHERE state = 'waiting';

-- Work that was used, so that it is good once; it also says how many have come lately.
CREATE TABLE people.spent_work (
    mark bytea PRIMARY KEY CHECK (octet_length(mark) = 16),
    spent_at timestamptz NOT NULL
);
CREATE INDEX spent_work_by_time ON people.spent_work (spent_at);

-- Each version of the terms that was shown, so that an agreement can be read years later.
CREATE TABLE people.terms (
    version text PRIMARY KEY,
    said text NOT NULL,
    first_shown_at timestamptz NOT NULL
);
CREATE TABLE people.agreement (
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    version text NOT NULL REFERENCES people.terms (version),
    agreed_at timestamptz NOT NULL,
    PRIMARY KEY (person_id, version)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON
    people.registration, people.invitation, people.request, people.spent_work, people.terms,
    people.agreement
    TO luciole_people;
