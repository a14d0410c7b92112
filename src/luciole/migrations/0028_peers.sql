-- Cells that exchange with this one, what waits for them and came from them, and what the log of
-- crossings is to tell of it.

-- A cell that the operator has agreed with. Its key was compared by people; a passport that another
-- key signed is not taken.
CREATE TABLE border.peer (
    name text PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,19}$'),
    cell_id uuid NOT NULL UNIQUE,
    origin text NOT NULL UNIQUE,
    -- The signed passport as it was last seen; the columns above and below say what is in it.
    passport text NOT NULL CHECK (octet_length(passport) <= 16384),
    display_name text NOT NULL,
    operator text NOT NULL,
    jurisdiction text NOT NULL,
    border_key bytea NOT NULL CHECK (octet_length(border_key) = 32),
    log_keys text[] NOT NULL,
    witness_keys text[] NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now(),
    -- What our witness says of its logs. RED: they contradict what they were, and nothing crosses.
    verdict text NOT NULL DEFAULT 'CANNOT TELL' CHECK (verdict IN ('GREEN', 'RED', 'CANNOT TELL')),
    verdict_code text NOT NULL DEFAULT 'not-seen',
    verdict_at timestamptz NOT NULL DEFAULT now()
);
-- What any slice may know of peers.
CREATE VIEW border.peers AS
    SELECT name, cell_id, origin, display_name, operator, jurisdiction, added_at, verdict
    FROM border.peer;

-- Offers get a peer: NULL for what goes to a service (a push). One that has its `entry` in the log is
-- sent as that entry says, with `payload` as its body; a newer one waits behind it. The entry stands
-- at `floor` or behind.
ALTER TABLE border.offer DROP CONSTRAINT offer_pkey, DROP CONSTRAINT offer_kind_check,
    DROP CONSTRAINT offer_body_check, DROP CONSTRAINT offer_id_key;
ALTER TABLE border.offer ADD PRIMARY KEY (id),
    ADD COLUMN peer text,
    ADD COLUMN entry bytea,
    ADD COLUMN payload bytea,
    ADD COLUMN floor bigint,
    ADD CHECK (kind ~ '^[a-z]{1,20}$'),
    ADD CHECK (octet_length(body) <= 65536),
    ADD CHECK ((kind = 'push') = (peer IS NULL)),
    ADD CHECK ((entry IS NULL) = (payload IS NULL) AND (entry IS NULL) = (floor IS NULL));
CREATE UNIQUE INDEX offer_waiting ON border.offer (ref, peer) NULLS NOT DISTINCT
    WHERE entry IS NULL;
CREATE INDEX offer_by_peer ON border.offer (peer, id) WHERE peer IS NOT NULL;
CREATE INDEX offer_by_ref ON border.offer (ref);

-- What became of an offer to a peer, until its slice has taken it. `receipt` is the peer's signed
-- word, where there is one.
CREATE TABLE border.news (
    crossing uuid NOT NULL PRIMARY KEY,
    ref uuid NOT NULL,
    kind text NOT NULL,
    peer text NOT NULL,
    state text NOT NULL CHECK (state IN ('sent', 'refused', 'expired')),
    code text NOT NULL DEFAULT '',
    receipt text NOT NULL DEFAULT '',
    made_at timestamptz NOT NULL DEFAULT now()
);

-- What came from a peer and was let in, until its slice has taken it. `place`: where the sender's
-- log has it, so that the order can be told.
CREATE TABLE border.arrival (
    crossing uuid NOT NULL PRIMARY KEY,
    peer text NOT NULL REFERENCES border.peer (name) ON DELETE CASCADE,
    kind text NOT NULL,
    place bigint NOT NULL,
    body bytea NOT NULL CHECK (octet_length(body) <= 65536),
    made_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX arrival_in_order ON border.arrival (kind, peer, place);

-- Crossings that were received, with the receipt: asked again, it is given again; with another
-- content, it is a replay.
CREATE TABLE border.received (
    crossing uuid NOT NULL PRIMARY KEY,
    peer text NOT NULL,
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    receipt text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX received_by_age ON border.received (made_at);

-- Signed requests that were seen, for as long as their time is good.
CREATE TABLE border.seen (
    signature bytea PRIMARY KEY CHECK (octet_length(signature) = 32),
    made_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX seen_by_age ON border.seen (made_at);

-- Immediate exchanges with peers, until the log of crossings tells their hour: by digests only.
CREATE TABLE border.exchange (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    peer text NOT NULL,
    is_ours boolean NOT NULL,
    kind text NOT NULL,
    asked bytea NOT NULL CHECK (octet_length(asked) = 32),
    answered bytea NOT NULL CHECK (octet_length(answered) = 32),
    made_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX exchange_by_age ON border.exchange (made_at);

DROP FUNCTION border.put(text, uuid, uuid, bytea);
-- Offers something to a peer, or to a service (`peer` NULL). It takes the place of an offer under the
-- same ref and peer that has no entry yet. `offer_id` (a UUIDv7) becomes the crossing's id.
CREATE FUNCTION border.put(kind text, ref uuid, offer_id uuid, peer text, body bytea) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
    #variable_conflict use_column
    BEGIN
        INSERT INTO border.offer AS o (ref, id, kind, peer, body)
        VALUES (put.ref, put.offer_id, put.kind, put.peer, put.body)
        ON CONFLICT (ref, peer) WHERE entry IS NULL DO UPDATE
        SET id = excluded.id, kind = excluded.kind, body = excluded.body,
            made_at = excluded.made_at, due_at = excluded.due_at, attempts = 0;
        PERFORM pg_catalog.pg_notify('luciole_border', '');
    END
    $$;
-- Only what has no entry yet: what the log tells of goes its way, and is called back by another.
CREATE OR REPLACE FUNCTION border.withdraw(refs uuid[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = ''
    AS $$ DELETE FROM border.offer WHERE ref = ANY (refs) AND entry IS NULL $$;
-- What became of offers of these kinds. NOTIFY luciole_news says that there is some.
CREATE FUNCTION border.take_news(kinds text[])
    RETURNS TABLE (crossing uuid, ref uuid, kind text, peer text, state text, code text,
                   receipt text, made_at timestamptz)
    LANGUAGE sql SECURITY DEFINER SET search_path = ''
    AS $$
        DELETE FROM border.news n WHERE n.kind = ANY (kinds)
        RETURNING n.crossing, n.ref, n.kind, n.peer, n.state, n.code, n.receipt, n.made_at
    $$;
-- What came in of these kinds, at most so many; the caller orders by peer and place. NOTIFY
-- luciole_arrivals says that there is some.
CREATE FUNCTION border.take_arrivals(kinds text[], most integer)
    RETURNS TABLE (crossing uuid, peer text, kind text, place bigint, body bytea,
                   made_at timestamptz)
    LANGUAGE sql SECURITY DEFINER SET search_path = ''
    AS $$
        DELETE FROM border.arrival WHERE crossing IN (
            SELECT a.crossing FROM border.arrival a WHERE a.kind = ANY (kinds)
            ORDER BY a.peer, a.place LIMIT most FOR UPDATE SKIP LOCKED)
        RETURNING crossing, peer, kind, place, body, made_at
    $$;
REVOKE ALL ON FUNCTION border.put, border.take_news, border.take_arrivals FROM PUBLIC;
GRANT EXECUTE ON FUNCTION border.put TO luciole_notify;
GRANT SELECT, INSERT, UPDATE, DELETE ON
    border.peer, border.news, border.arrival, border.received, border.seen, border.exchange
    TO luciole_border;
