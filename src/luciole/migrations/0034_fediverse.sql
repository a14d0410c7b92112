-- Read-out to the wider Fediverse, for authors who have asked for it: what is shown there, which
-- servers have followers of theirs, and what waits to be delivered.

-- Whom the gateway may show: people of this cell with a consent in force for the Fediverse. The
-- operator and the law under which it was given go with it; where the cell has others by now, it is
-- suspended.
CREATE VIEW border.public_author AS
    SELECT s.id, p.handle, p.display_name, p.bio, p.avatar_key, c.operator, c.jurisdiction,
           c.given_at
    FROM abroad.consent c
    JOIN abroad.persona s ON s.person_id = c.person_id
    JOIN people.card p ON p.id = c.person_id
    WHERE c.act = 'fediverse' AND c.ended_at IS NULL AND p.home IS NULL AND NOT p.is_private;
-- Which clips of theirs: public, published, and of the reach that the author chose for each.
CREATE VIEW border.public_clip AS
    SELECT k.id, s.id AS author, k.caption, k.made_with_ai, k.published_at, k.duration_ms,
           k.renditions, k.poster_key
    FROM abroad.reach r
    JOIN clips.card k ON k.id = r.clip_id
    JOIN abroad.persona s ON s.person_id = k.author_id
    JOIN border.public_author a ON a.id = s.id
    WHERE r.reach = 'fediverse' AND k.state = 'published' AND k.audience = 'everyone'
        AND k.audience_list IS NULL AND NOT k.is_private AND NOT k.is_past;
GRANT SELECT ON border.public_author, border.public_clip TO luciole_border;

-- What has to be looked at again, with what changed, in the same transaction. When the gateway
-- begins, it looks at everything, so nothing is lost with these.
CREATE TABLE border.fedi_stale (
    n bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    kind text NOT NULL CHECK (kind IN ('clip', 'person')),
    id uuid NOT NULL
);
-- What is shown there, so that changes can be told, and that it is gone. `digest` is of the document.
CREATE TABLE border.fedi_shown (
    kind text NOT NULL CHECK (kind IN ('clip', 'person')),
    id uuid NOT NULL,
    author uuid NOT NULL,
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    shown_at timestamptz NOT NULL,
    PRIMARY KEY (kind, id)
);
CREATE INDEX fedi_shown_by_author ON border.fedi_shown (author, kind, id);
-- Where to deliver to: who follows an author from elsewhere. An address is looked up anew after 30
-- days, and taken away where nobody is there any more.
CREATE TABLE border.fedi_follower (
    author uuid NOT NULL,
    actor text NOT NULL CHECK (octet_length(actor) <= 2048),
    inbox text NOT NULL CHECK (octet_length(inbox) <= 2048),
    since date NOT NULL,
    refreshed_at timestamptz NOT NULL,
    PRIMARY KEY (author, actor)
);
CREATE INDEX fedi_follower_by_age ON border.fedi_follower (refreshed_at);
CREATE INDEX fedi_follower_by_inbox ON border.fedi_follower (inbox);
-- Keys of others, by their names, until they are a day old.
CREATE TABLE border.fedi_key (
    name text PRIMARY KEY CHECK (octet_length(name) <= 2048),
    actor text NOT NULL,
    inbox text NOT NULL,
    pem text CHECK (octet_length(pem) <= 4096),
    ed25519 bytea CHECK (octet_length(ed25519) = 32),
    fetched_at timestamptz NOT NULL,
    CHECK ((pem IS NULL) <> (ed25519 IS NULL))
);
CREATE INDEX fedi_key_by_age ON border.fedi_key (fetched_at);
-- What waits to be delivered. `author`: by whose name it is signed.
CREATE TABLE border.fedi_delivery (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    author uuid NOT NULL,
    inbox text NOT NULL,
    body bytea NOT NULL CHECK (octet_length(body) <= 65536),
    attempts smallint NOT NULL DEFAULT 0,
    made_at timestamptz NOT NULL DEFAULT now(),
    due_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX fedi_delivery_due ON border.fedi_delivery (due_at, id);
CREATE INDEX fedi_delivery_by_inbox ON border.fedi_delivery (inbox);
-- Servers that verify the older signatures only.
CREATE TABLE border.fedi_server (
    origin text PRIMARY KEY CHECK (octet_length(origin) <= 300),
    found_at timestamptz NOT NULL
);
-- Activities that came, by the SHA-256 of their addresses: none is taken twice.
CREATE TABLE border.fedi_seen (
    uri bytea PRIMARY KEY CHECK (octet_length(uri) = 32),
    made_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX fedi_seen_by_age ON border.fedi_seen (made_at);
-- Likes, shares and answers from elsewhere: counted, by the SHA-256 of who and with what. No name,
-- no text.
CREATE TABLE border.fedi_reaction (
    clip_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('like', 'share', 'answer')),
    what bytea NOT NULL CHECK (octet_length(what) = 32),
    made_on date NOT NULL,
    PRIMARY KEY (clip_id, kind, what)
);
-- How many, as others are told; nothing below ten.
CREATE VIEW border.fediverse_totals AS
    SELECT clip_id,
        nullif(greatest(count(*) FILTER (WHERE kind = 'like'), 9), 9) AS likes,
        nullif(greatest(count(*) FILTER (WHERE kind = 'share'), 9), 9) AS shares,
        nullif(greatest(count(*) FILTER (WHERE kind = 'answer'), 9), 9) AS answers
    FROM border.fedi_reaction GROUP BY clip_id;
GRANT SELECT ON border.fediverse_totals TO luciole_border, luciole_abroad;

CREATE FUNCTION border.note_fedi(kind text, id uuid) RETURNS void
    LANGUAGE sql SET search_path = '' AS $$
    INSERT INTO border.fedi_stale (kind, id) VALUES (kind, id);
    SELECT pg_notify('luciole_fediverse', '') $$;
-- A clip whose reach is the Fediverse, or was.
CREATE FUNCTION border.note_fedi_reach() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$ BEGIN
        IF TG_OP <> 'DELETE' AND NEW.reach = 'fediverse' THEN
            PERFORM border.note_fedi('clip', NEW.clip_id);
        ELSIF TG_OP <> 'INSERT' AND OLD.reach = 'fediverse' THEN
            PERFORM border.note_fedi('clip', OLD.clip_id);
        END IF;
        RETURN NULL;
    END $$;
CREATE TRIGGER noted_fedi AFTER INSERT OR UPDATE OR DELETE ON abroad.reach
    FOR EACH ROW EXECUTE FUNCTION border.note_fedi_reach();
CREATE FUNCTION border.note_fedi_clip() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$ BEGIN
        IF EXISTS (SELECT 1 FROM abroad.reach r WHERE r.clip_id = OLD.id AND r.reach = 'fediverse')
            OR EXISTS (SELECT 1 FROM border.fedi_shown s WHERE s.kind = 'clip' AND s.id = OLD.id)
        THEN
            PERFORM border.note_fedi('clip', OLD.id);
        END IF;
        RETURN NULL;
    END $$;
CREATE TRIGGER noted_fedi
    AFTER DELETE OR UPDATE OF state, audience, audience_list, caption, made_with_ai
    ON clips.clip FOR EACH ROW EXECUTE FUNCTION border.note_fedi_clip();
CREATE FUNCTION border.note_fedi_person() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
    DECLARE persona uuid;
    BEGIN
        FOR persona IN SELECT s.id FROM abroad.persona s WHERE s.person_id = NEW.id LOOP
            PERFORM border.note_fedi('person', persona);
        END LOOP;
        RETURN NULL;
    END $$;
CREATE TRIGGER noted_fedi
    AFTER UPDATE OF handle, display_name, bio, avatar_key, is_private, leaving_at
    ON people.person FOR EACH ROW EXECUTE FUNCTION border.note_fedi_person();
CREATE FUNCTION border.note_fedi_consent() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
    DECLARE persona uuid;
    BEGIN
        IF NEW.act = 'fediverse' THEN
            FOR persona IN SELECT s.id FROM abroad.persona s WHERE s.person_id = NEW.person_id LOOP
                PERFORM border.note_fedi('person', persona);
            END LOOP;
        END IF;
        RETURN NULL;
    END $$;
CREATE TRIGGER noted_fedi AFTER INSERT OR UPDATE ON abroad.consent
    FOR EACH ROW EXECUTE FUNCTION border.note_fedi_consent();
-- An account that goes takes its persona along; what was shown of it is taken back.
CREATE FUNCTION border.note_fedi_persona() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$ BEGIN
        PERFORM border.note_fedi('person', coalesce(NEW.id, OLD.id));
        RETURN NULL;
    END $$;
CREATE TRIGGER noted_fedi AFTER INSERT OR DELETE ON abroad.persona
    FOR EACH ROW EXECUTE FUNCTION border.note_fedi_persona();
REVOKE ALL ON FUNCTION border.note_fedi, border.note_fedi_reach, border.note_fedi_clip,
    border.note_fedi_person, border.note_fedi_consent, border.note_fedi_persona FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON
    border.fedi_stale, border.fedi_shown, border.fedi_follower, border.fedi_key,
    border.fedi_delivery, border.fedi_server, border.fedi_seen, border.fedi_reaction
    TO luciole_border;
