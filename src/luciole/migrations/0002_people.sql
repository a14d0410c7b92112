-- Accounts: who a person is to others, and how they prove it.

CREATE TABLE people.person (
    id uuid PRIMARY KEY,
    handle text NOT NULL UNIQUE CHECK (handle ~ '^[a-z0-9_.]{3,24}$'),
    display_name text NOT NULL CHECK (char_length(display_name) BETWEEN 1 AND 50),
    bio text NOT NULL DEFAULT '' CHECK (char_length(bio) <= 300),
    avatar_key text UNIQUE,
    locale text NOT NULL CHECK (locale IN ('en', 'fr')),
    age_band text NOT NULL CHECK (age_band IN ('under-13', '13-15', '16-17', '18+')),
    is_private boolean NOT NULL,
    created_at timestamptz NOT NULL
);

-- Every handle that was ever taken, by what it looks like (`an0.1` and `anol` are alike). The row
-- outlives the handle and the person, so that nobody is ever taken for somebody else.
CREATE TABLE people.handle_taken (
    likeness text PRIMARY KEY,
    person_id uuid REFERENCES people.person (id) ON DELETE SET NULL
);
CREATE INDEX handle_taken_by_person ON people.handle_taken (person_id);

CREATE TABLE people.handle_change (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    changed_at timestamptz NOT NULL
);
CREATE INDEX handle_change_by_person ON people.handle_change (person_id, changed_at);
CREATE INDEX handle_change_by_age ON people.handle_change (changed_at);

-- The wrapped data key of each person, apart from what it opens: it is to move to a store of its
-- own whose backups are short.
CREATE TABLE people.data_key (
    person_id uuid PRIMARY KEY REFERENCES people.person (id) ON DELETE CASCADE,
    wrapped bytea NOT NULL
);

CREATE TABLE people.password (
    person_id uuid PRIMARY KEY REFERENCES people.person (id) ON DELETE CASCADE,
    hash text NOT NULL
);

CREATE TABLE people.passkey (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    credential_id bytea NOT NULL UNIQUE,
    public_key bytea NOT NULL,
    sign_count bigint NOT NULL CHECK (sign_count >= 0),
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 50),
    created_at timestamptz NOT NULL,
    last_used_on date
);
CREATE INDEX passkey_by_person ON people.passkey (person_id, created_at);

-- A code is 80 random bits, so that its plain SHA-256 cannot be searched. Used: gone.
CREATE TABLE people.recovery_code (
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    code_hash bytea NOT NULL,
    PRIMARY KEY (person_id, code_hash)
);

-- A passkey ceremony that is under way. Used or expired: gone.
CREATE TABLE people.challenge (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('sign-up', 'sign-in', 'add')),
    subject_id uuid CHECK ((subject_id IS NULL) = (kind = 'sign-in')),
    challenge_hash bytea NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX challenge_by_age ON people.challenge (expires_at);

-- No network address, no full user agent; the day of the last use, not its hour.
CREATE TABLE people.session (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    token_hash bytea NOT NULL UNIQUE,
    label text NOT NULL CHECK (char_length(label) <= 50),
    created_at timestamptz NOT NULL,
    last_seen_on date NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX session_by_person ON people.session (person_id, created_at);
CREATE INDEX session_by_age ON people.session (expires_at);

-- `sealed` opens with the person's data key only. `address_index` finds the person again; NULL
-- where somebody else gave the same address before, which is never told.
CREATE TABLE people.contact (
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('email', 'phone')),
    sealed bytea NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    address_index bytea,
    PRIMARY KEY (person_id, kind),
    UNIQUE (kind, address_index)
);

-- What other slices may know of a person.
CREATE VIEW people.card AS
    SELECT
        id, handle, display_name, bio, avatar_key, is_private,
        age_band <> '18+' AS age_band_minor
    FROM people.person;

GRANT SELECT, INSERT, UPDATE, DELETE ON
    people.person, people.handle_taken, people.handle_change, people.data_key, people.password,
    people.passkey, people.recovery_code, people.challenge, people.session, people.contact
    TO luciole_people;
GRANT SELECT ON people.card TO luciole_people;
