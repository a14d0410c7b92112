-- What people want to be told and when, lines that gather many acts, a quiet digest, and devices that
-- are woken through a push service by the one process that speaks outside.

-- No row: everything is told at once.
CREATE TABLE notify.preference (
    person_id uuid PRIMARY KEY REFERENCES people.person (id) ON DELETE CASCADE,
    -- Kinds that are not told at all.
    off text[] NOT NULL DEFAULT '{}' CHECK (cardinality(off) <= 20),
    -- The hour of the day at which one line tells everything; NULL: at once.
    digest_at smallint CHECK (digest_at BETWEEN 7 AND 21),
    digested_on date,
    -- For minors it is so without a row.
    quiet_nights boolean NOT NULL DEFAULT false,
    -- Minutes that the person's clock is ahead of UTC.
    offset_minutes smallint CHECK (offset_minutes BETWEEN -840 AND 840)
);

-- A line of the list: one act, or all of a kind about the same thing on one day (`is_group`).
-- `top_id` is the newest act, by which the list is ordered. `waits`: for the digest; `digest_id`: the
-- digest that it went into.
CREATE TABLE notify.line (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN (
        'like', 'follow', 'follow-request', 'follow-accepted', 'data-read', 'comment',
        'comment-reply', 'comment-like', 'mention', 'repost', 'clip-reply', 'message-request',
        'digest')),
    clip_id uuid,
    about_id uuid,
    day date NOT NULL DEFAULT current_date,
    is_group boolean NOT NULL DEFAULT false,
    top_id uuid NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    is_read boolean NOT NULL DEFAULT false,
    waits boolean NOT NULL DEFAULT false,
    digest_id uuid REFERENCES notify.line (id) ON DELETE CASCADE
);

-- One line for each act so far.
INSERT INTO notify.line (id, person_id, kind, clip_id, day, top_id, made_at, is_read)
    SELECT id, person_id, kind, clip_id, made_at::date, id, made_at, is_read
    FROM notify.notification;

-- What happened, each act once. `about_id`: a comment, where it is about one. An act of the cell
-- itself has no actor. The table is made anew, since its rows lie in lines now.
CREATE TEMPORARY TABLE former ON COMMIT DROP AS
    SELECT id, person_id, kind, actor_id, clip_id, made_at FROM notify.notification;
DROP TABLE notify.notification;
CREATE TABLE notify.notification (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN (
        'like', 'follow', 'follow-request', 'follow-accepted', 'data-read', 'comment',
        'comment-reply', 'comment-like', 'mention', 'repost', 'clip-reply', 'message-request')),
    actor_id uuid REFERENCES people.person (id) ON DELETE CASCADE,
    clip_id uuid,
    about_id uuid,
    made_at timestamptz NOT NULL DEFAULT now(),
    line_id uuid NOT NULL REFERENCES notify.line (id) ON DELETE CASCADE,
    CHECK ((actor_id IS NULL) = (kind = 'data-read'))
);
INSERT INTO notify.notification (id, person_id, kind, actor_id, clip_id, made_at, line_id)
    SELECT id, person_id, kind, actor_id, clip_id, made_at, id FROM former;
-- Liking twice tells once; reading twice tells twice.
CREATE UNIQUE INDEX notification_once ON notify.notification
    (person_id, kind, actor_id, clip_id, about_id) NULLS NOT DISTINCT WHERE actor_id IS NOT NULL;
CREATE INDEX notification_by_person ON notify.notification (person_id, id);
CREATE INDEX notification_by_actor ON notify.notification (actor_id);
CREATE INDEX notification_by_line ON notify.notification (line_id, id DESC);
CREATE INDEX notification_about ON notify.notification (person_id, about_id)
    WHERE about_id IS NOT NULL;

-- What happens next of the same kind about the same thing goes into the same line.
CREATE UNIQUE INDEX line_open ON notify.line (person_id, kind, clip_id, about_id, day, waits)
    NULLS NOT DISTINCT WHERE is_group AND digest_id IS NULL;
CREATE INDEX line_by_person ON notify.line (person_id, top_id DESC)
    WHERE digest_id IS NULL AND NOT waits;
CREATE INDEX line_of_digest ON notify.line (digest_id, top_id DESC) WHERE digest_id IS NOT NULL;
CREATE INDEX line_unread ON notify.line (person_id) WHERE NOT is_read;
CREATE INDEX line_waiting ON notify.line (person_id) WHERE waits;
CREATE INDEX line_by_age ON notify.line (made_at);
CREATE INDEX line_about_clip ON notify.line (person_id, clip_id) WHERE clip_id IS NOT NULL;

-- A device that its person wants woken. It ends with its session. `sealed` is the address at the push
-- service, `endpoint_index` finds the same device again.
CREATE TABLE notify.push (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    session_id uuid NOT NULL UNIQUE REFERENCES people.session (id) ON DELETE CASCADE,
    endpoint_index bytea NOT NULL UNIQUE CHECK (octet_length(endpoint_index) = 32),
    sealed bytea NOT NULL CHECK (octet_length(sealed) <= 2048),
    offset_minutes smallint NOT NULL CHECK (offset_minutes BETWEEN -840 AND 840),
    -- Once, until the person has looked: not for each like.
    woken_for text CHECK (woken_for IN ('news', 'message')),
    woken_at timestamptz
);
CREATE INDEX push_by_person ON notify.push (person_id);

-- Whose devices are to be woken. Taken in the transaction that offers the pushes to the border.
CREATE TABLE notify.nudge (
    person_id uuid PRIMARY KEY REFERENCES people.person (id) ON DELETE CASCADE,
    is_message boolean NOT NULL,
    due_at timestamptz NOT NULL
);
CREATE INDEX nudge_due ON notify.nudge (due_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON
    notify.preference, notify.line, notify.notification, notify.push, notify.nudge
    TO luciole_notify;

-- The border: what is offered to the outside, by a function; only the gateway reads it.

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['luciole_border', 'luciole_gateway_process'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', name);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;  -- another cell of this cluster made it
        END;
    END LOOP;
END
$$;
GRANT luciole_border TO luciole_gateway_process;
GRANT luciole_border, luciole_gateway_process TO CURRENT_USER;
CREATE SCHEMA border;
GRANT USAGE ON SCHEMA border TO luciole_border, luciole_notify;

-- `ref` tells the offering slice what became of it, and nobody else anything. A newer offer under
-- the same ref takes the place of one that still waits.
CREATE TABLE border.offer (
    ref uuid PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    kind text NOT NULL CHECK (kind IN ('push')),
    body bytea NOT NULL CHECK (octet_length(body) <= 4096),
    made_at timestamptz NOT NULL DEFAULT now(),
    due_at timestamptz NOT NULL DEFAULT now(),
    attempts smallint NOT NULL DEFAULT 0
);
CREATE INDEX offer_due ON border.offer (due_at);

-- Refs whose far end says that it exists no more.
CREATE TABLE border.gone (
    ref uuid PRIMARY KEY,
    made_at timestamptz NOT NULL DEFAULT now()
);

-- What has left the cell, until the log of crossings has it.
CREATE TABLE border.crossing (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    kind text NOT NULL,
    service text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION border.put(kind text, ref uuid, offer_id uuid, body bytea) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
    BEGIN
        INSERT INTO border.offer AS o (ref, id, kind, body)
        VALUES (put.ref, put.offer_id, put.kind, put.body)
        ON CONFLICT ON CONSTRAINT offer_pkey DO UPDATE
        SET id = excluded.id, kind = excluded.kind, body = excluded.body,
            made_at = excluded.made_at, due_at = excluded.due_at, attempts = 0;
        PERFORM pg_catalog.pg_notify('luciole_border', '');
    END
    $$;
CREATE FUNCTION border.withdraw(refs uuid[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = ''
    AS $$ DELETE FROM border.offer WHERE ref = ANY (refs) $$;
CREATE FUNCTION border.take_gone() RETURNS SETOF uuid
    LANGUAGE sql SECURITY DEFINER SET search_path = ''
    AS $$ DELETE FROM border.gone RETURNING ref $$;
-- The gateway's way into the log of crossings, and into no other.
CREATE FUNCTION border.note(entry bytea) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = ''
    AS $$ SELECT ledger.put('border', entry) $$;
REVOKE ALL ON FUNCTION border.put, border.withdraw, border.take_gone, border.note FROM PUBLIC;
GRANT EXECUTE ON FUNCTION border.put, border.withdraw, border.take_gone TO luciole_notify;
GRANT EXECUTE ON FUNCTION border.note TO luciole_border;
GRANT SELECT, INSERT, UPDATE, DELETE ON border.offer, border.gone, border.crossing
    TO luciole_border;
