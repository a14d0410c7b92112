-- Staff of a cell, and what they ask to read of people. Nobody reads alone: a request is signed by
-- two of them, with passkeys that the key broker knows.

CREATE TABLE custody.staff (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL UNIQUE REFERENCES people.person (id) ON DELETE CASCADE,
    added_at timestamptz NOT NULL
);

-- Copied when somebody is added: a passkey that comes to the account later approves nothing.
CREATE TABLE custody.staff_key (
    credential_id bytea PRIMARY KEY,
    staff_id uuid NOT NULL REFERENCES custody.staff (id) ON DELETE CASCADE,
    public_key bytea NOT NULL,
    sign_count bigint NOT NULL CHECK (sign_count >= 0)
);
CREATE INDEX staff_key_by_staff ON custody.staff_key (staff_id);

-- `asked` is the request as JSON; its SHA-256 is what the two sign. `ends_at` is until when it may
-- be approved; then, until when it may be used.
CREATE TABLE custody.staff_read (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    staff_id uuid NOT NULL REFERENCES custody.staff (id) ON DELETE CASCADE,
    asked bytea NOT NULL CHECK (octet_length(asked) <= 4096),
    ends_at timestamptz NOT NULL,
    is_granted boolean NOT NULL DEFAULT false,
    is_told boolean NOT NULL DEFAULT false
);
CREATE INDEX staff_read_by_person ON custody.staff_read (person_id);
CREATE INDEX staff_read_by_staff ON custody.staff_read (staff_id);
CREATE INDEX staff_read_by_age ON custody.staff_read (ends_at);
CREATE INDEX staff_read_untold ON custody.staff_read (id) WHERE is_granted AND NOT is_told;

CREATE TABLE custody.staff_approval (
    read_id uuid NOT NULL REFERENCES custody.staff_read (id) ON DELETE CASCADE,
    staff_id uuid NOT NULL REFERENCES custody.staff (id) ON DELETE CASCADE,
    PRIMARY KEY (read_id, staff_id)
);
CREATE INDEX staff_approval_by_staff ON custody.staff_approval (staff_id);

-- With which passkeys somebody becomes staff: a row for each, or one without.
CREATE VIEW people.passkey_claim AS
    SELECT p.id AS person_id, p.handle, k.credential_id, k.public_key, k.sign_count
    FROM people.person p LEFT JOIN people.passkey k ON k.person_id = p.id;

-- Reads of which the person has not been told yet; who calls it tells them in the same transaction.
CREATE FUNCTION custody.take_notices() RETURNS TABLE (read_id uuid, whose uuid)
    LANGUAGE sql SECURITY DEFINER SET search_path = ''
    AS $$
        UPDATE custody.staff_read SET is_told = true WHERE is_granted AND NOT is_told
        RETURNING id, person_id
    $$;

REVOKE ALL ON FUNCTION custody.take_notices FROM PUBLIC;
GRANT USAGE ON SCHEMA custody TO luciole_notify;
GRANT EXECUTE ON FUNCTION custody.take_notices TO luciole_notify;
GRANT SELECT ON people.passkey_claim TO luciole_custody;
GRANT SELECT, INSERT, DELETE ON custody.staff TO luciole_custody;
GRANT SELECT, INSERT, UPDATE, DELETE ON custody.staff_key, custody.staff_read TO luciole_custody;
GRANT SELECT, INSERT ON custody.staff_approval TO luciole_custody;

-- A notification that comes from the cell itself has no actor.
ALTER TABLE notify.notification ALTER COLUMN actor_id DROP NOT NULL;
ALTER TABLE notify.notification DROP CONSTRAINT notification_kind_check;
ALTER TABLE notify.notification ADD CONSTRAINT notification_kind_check
    CHECK (kind IN ('like', 'follow', 'follow-request', 'follow-accepted', 'data-read'));
ALTER TABLE notify.notification ADD CHECK ((actor_id IS NULL) = (kind = 'data-read'));
-- Liking twice tells once; reading twice tells twice.
ALTER TABLE notify.notification
    DROP CONSTRAINT notification_person_id_kind_actor_id_clip_id_key;
CREATE UNIQUE INDEX notification_once ON notify.notification
    (person_id, kind, actor_id, clip_id) NULLS NOT DISTINCT WHERE actor_id IS NOT NULL;
