-- Passports of peers are read again: a cell that was sold, or moved, shows another.

-- `held_log_keys`: who holds its logs now, where those were handed over since people compared
-- `log_keys`. `passport_code`: why the passport that it shows now is not taken; empty where it is.
ALTER TABLE border.peer
    ADD COLUMN held_log_keys text[],
    ADD COLUMN passport_code text NOT NULL DEFAULT '' CHECK (passport_code ~ '^[a-z-]{0,40}$');

-- What the gateway may say in the log of decisions: about peers, and nothing else.
CREATE FUNCTION border.note_peer(entry bytea) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
    BEGIN
        IF pg_catalog.convert_from(entry, 'UTF8')::pg_catalog.jsonb ->> 'kind' <> 'peer' THEN
            RAISE EXCEPTION 'only entries about peers';
        END IF;
        PERFORM ledger.put('decisions', entry);
    END $$;
REVOKE ALL ON FUNCTION border.note_peer FROM PUBLIC;
GRANT EXECUTE ON FUNCTION border.note_peer TO luciole_border;

-- What servers of the Fediverse were brought, of whom, the last time for each thing: a person sees it
-- among their crossings.
ALTER TABLE border.fedi_delivery
    ADD COLUMN kind text CHECK (kind IN ('clip', 'person')),
    ADD COLUMN subject uuid,
    ADD COLUMN is_gone boolean NOT NULL DEFAULT false,
    ADD CHECK ((kind IS NULL) = (subject IS NULL));
-- `id` is a UUIDv7 of when it was told.
CREATE TABLE border.fedi_told (
    id uuid PRIMARY KEY,
    author uuid NOT NULL REFERENCES abroad.persona (id) ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('clip', 'person')),
    subject uuid NOT NULL,
    server text NOT NULL CHECK (octet_length(server) <= 300),
    is_gone boolean NOT NULL,
    told_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (subject, server)
);
CREATE INDEX fedi_told_by_author ON border.fedi_told (author, id DESC);
-- Nothing of an account that is gone.
CREATE FUNCTION border.tell_fedi(
    number uuid, author uuid, kind text, subject uuid, server text, is_gone boolean) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
        INSERT INTO border.fedi_told (id, author, kind, subject, server, is_gone)
        SELECT tell_fedi.number, p.id, tell_fedi.kind, tell_fedi.subject, tell_fedi.server,
               tell_fedi.is_gone
        FROM abroad.persona p WHERE p.id = tell_fedi.author FOR KEY SHARE
        ON CONFLICT (subject, server) DO UPDATE
        SET id = excluded.id, is_gone = excluded.is_gone, told_at = excluded.told_at
    $$;
REVOKE ALL ON FUNCTION border.tell_fedi FROM PUBLIC;
GRANT EXECUTE ON FUNCTION border.tell_fedi TO luciole_border;
CREATE VIEW border.fediverse_told AS
    SELECT p.person_id, t.id, t.kind, t.subject, t.server, t.is_gone, t.told_at
    FROM border.fedi_told t JOIN abroad.persona p ON p.id = t.author;
GRANT SELECT ON border.fediverse_told TO luciole_abroad;
