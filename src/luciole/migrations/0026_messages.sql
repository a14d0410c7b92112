-- Messages: devices and their keys, conversations, and sealed envelopes that wait to be fetched.
-- The cell carries opaque bytes; who wrote a message is not stored.

DO $$
BEGIN
    CREATE ROLE luciole_messages NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;  -- another cell of this cluster made it
END
$$;
GRANT luciole_messages TO luciole_api, luciole_worker;
GRANT luciole_messages TO CURRENT_USER;

CREATE SCHEMA messages;
GRANT USAGE ON SCHEMA messages TO luciole_messages;

-- One line for each device. The row of a revoked one stays for a while, so that what it signed can
-- still be checked. `next_n` numbers what is delivered to it: the row is locked while a number is
-- taken, so that numbers become visible in their order.
CREATE TABLE messages.device (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    signature_key bytea NOT NULL UNIQUE CHECK (octet_length(signature_key) = 32),
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 50),
    made_at timestamptz NOT NULL,
    seen_on date NOT NULL,
    revoked_at timestamptz,
    next_n bigint NOT NULL DEFAULT 1
);
CREATE INDEX device_by_person ON messages.device (person_id, made_at, id);
CREATE INDEX device_by_end ON messages.device (revoked_at) WHERE revoked_at IS NOT NULL;

-- What the log commits to about a device, opened for whoever talks to its person.
CREATE TABLE messages.device_entry (
    device_id uuid NOT NULL REFERENCES messages.device (id) ON DELETE CASCADE,
    act text NOT NULL CHECK (act IN ('added', 'revoked')),
    n bigint NOT NULL,
    leaf bytea NOT NULL CHECK (octet_length(leaf) = 71),
    nonce bytea NOT NULL CHECK (octet_length(nonce) = 32),
    opening bytea NOT NULL CHECK (octet_length(opening) <= 2048),
    PRIMARY KEY (device_id, act)
);

-- Each is given out once, the one of last resort as often as there is no other.
CREATE TABLE messages.key_package (
    id uuid PRIMARY KEY,
    device_id uuid NOT NULL REFERENCES messages.device (id) ON DELETE CASCADE,
    is_last_resort boolean NOT NULL,
    package bytea NOT NULL CHECK (octet_length(package) <= 8192),
    expires_at timestamptz NOT NULL
);
CREATE INDEX key_package_by_device ON messages.key_package (device_id, is_last_resort, id);
CREATE UNIQUE INDEX key_package_last_resort ON messages.key_package (device_id)
    WHERE is_last_resort;
CREATE INDEX key_package_by_age ON messages.key_package (expires_at);

-- `low_id` and `high_id` are the two of a pair that goes on, so that two people have one.
CREATE TABLE messages.conversation (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('pair', 'group')),
    group_id bytea NOT NULL UNIQUE CHECK (octet_length(group_id) BETWEEN 1 AND 64),
    epoch bigint NOT NULL CHECK (epoch >= 0),
    group_info bytea NOT NULL CHECK (octet_length(group_info) <= 262144),
    low_id uuid REFERENCES people.person (id) ON DELETE SET NULL,
    high_id uuid REFERENCES people.person (id) ON DELETE SET NULL,
    -- Messages sent before the request was accepted.
    knocks smallint NOT NULL DEFAULT 0,
    is_over boolean NOT NULL DEFAULT false,
    updated_on date NOT NULL,
    CHECK (low_id < high_id),
    UNIQUE (low_id, high_id)
);
CREATE INDEX conversation_by_high ON messages.conversation (high_id);

-- `place` counts from 0, who began the conversation. `declined` is not shown to the other.
CREATE TABLE messages.member (
    conversation_id uuid NOT NULL REFERENCES messages.conversation (id) ON DELETE CASCADE,
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    place smallint NOT NULL CHECK (place >= 0),
    folder text NOT NULL CHECK (folder IN ('inbox', 'requests', 'declined')),
    is_muted boolean NOT NULL DEFAULT false,
    PRIMARY KEY (conversation_id, person_id)
);
CREATE INDEX member_by_person ON messages.member (person_id, conversation_id);

-- Devices that are in a conversation's group.
CREATE TABLE messages.seat (
    conversation_id uuid NOT NULL REFERENCES messages.conversation (id) ON DELETE CASCADE,
    device_id uuid NOT NULL REFERENCES messages.device (id) ON DELETE CASCADE,
    PRIMARY KEY (conversation_id, device_id)
);
CREATE INDEX seat_by_device ON messages.seat (device_id);

CREATE TABLE messages.envelope (
    id uuid PRIMARY KEY,
    conversation_id uuid NOT NULL REFERENCES messages.conversation (id) ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('welcome', 'commit', 'message')),
    epoch bigint NOT NULL,
    body bytea NOT NULL CHECK (octet_length(body) <= 262144),
    recall_hash bytea CHECK (octet_length(recall_hash) = 32),
    at timestamptz NOT NULL
);
ALTER TABLE messages.envelope ALTER COLUMN body SET STORAGE EXTERNAL;  -- nothing to compress
CREATE INDEX envelope_by_conversation ON messages.envelope (conversation_id);
CREATE INDEX envelope_by_age ON messages.envelope (at);

-- For every device in the group, also the one that sent it.
CREATE TABLE messages.delivery (
    device_id uuid NOT NULL REFERENCES messages.device (id) ON DELETE CASCADE,
    n bigint NOT NULL,
    envelope_id uuid NOT NULL REFERENCES messages.envelope (id) ON DELETE CASCADE,
    PRIMARY KEY (device_id, n)
);
CREATE INDEX delivery_by_envelope ON messages.delivery (envelope_id);

CREATE TABLE messages.attachment (
    id uuid PRIMARY KEY,
    conversation_id uuid NOT NULL REFERENCES messages.conversation (id) ON DELETE CASCADE,
    object_key text NOT NULL UNIQUE,
    size_bytes integer NOT NULL CHECK (size_bytes BETWEEN 1 AND 8388608),
    at timestamptz NOT NULL
);
CREATE INDEX attachment_by_conversation ON messages.attachment (conversation_id);
CREATE INDEX attachment_by_age ON messages.attachment (at);

-- What a person's recovery code opens; only their devices know it.
CREATE TABLE messages.backup (
    person_id uuid PRIMARY KEY REFERENCES people.person (id) ON DELETE CASCADE,
    object_key text NOT NULL UNIQUE,
    size_bytes integer NOT NULL CHECK (size_bytes BETWEEN 1 AND 16777216),
    made_on date NOT NULL
);

-- No row: the defaults of the person's age band.
CREATE TABLE messages.setting (
    person_id uuid PRIMARY KEY REFERENCES people.person (id) ON DELETE CASCADE,
    who text NOT NULL CHECK (who IN ('everyone', 'friends', 'nobody')),
    typing boolean NOT NULL,
    read_marks boolean NOT NULL
);

-- `sealed` has what the reporter disclosed, under the reporter's key.
CREATE TABLE messages.report (
    id uuid PRIMARY KEY,
    reporter_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    about_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    sealed bytea NOT NULL,
    made_at timestamptz NOT NULL
);
CREATE INDEX report_by_reporter ON messages.report (reporter_id, id);
CREATE INDEX report_by_about ON messages.report (about_id, id);
CREATE INDEX report_by_age ON messages.report (made_at);

-- Objects that no row refers to, or will soon: announced before they are written.
CREATE TABLE messages.unclaimed (
    object_key text PRIMARY KEY,
    since timestamptz NOT NULL,
    is_doomed boolean NOT NULL DEFAULT false
);
CREATE INDEX unclaimed_by_age ON messages.unclaimed (since);

GRANT SELECT, INSERT, UPDATE, DELETE ON
    messages.device, messages.device_entry, messages.key_package, messages.conversation,
    messages.member, messages.seat, messages.envelope, messages.delivery, messages.attachment,
    messages.backup, messages.setting, messages.report, messages.unclaimed
    TO luciole_messages;

-- Of the age band, what messages ask.
CREATE VIEW people.writer AS
    SELECT id, age_band <> '18+' AS is_minor,
           age_band IN ('under-13', '13-15') AS is_too_young
    FROM people.person WHERE leaving_at IS NULL;
-- Where an entry is, without the entry.
CREATE VIEW custody.entry_ref AS SELECT person_id, n, ref FROM custody.journal;

GRANT USAGE ON SCHEMA people, graph, custody, ledger TO luciole_messages;
GRANT SELECT ON people.writer, people.card, graph.accepted, graph.friends, graph.apart,
    graph.restricted, custody.entry_ref, ledger.placed TO luciole_messages;
-- A device that is added or revoked is an entry of its person.
GRANT EXECUTE ON FUNCTION custody.take_number, custody.record TO luciole_messages;
