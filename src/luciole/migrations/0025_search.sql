-- Search: what clips, people, hashtags and sounds are found by, and which hashtags are on the rise.
-- Everything here is made from what others hold and can be made anew from it.

DO $$ BEGIN
    CREATE ROLE luciole_search NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;  -- another cell of this cluster made it
END $$;
GRANT luciole_search TO luciole_api, luciole_worker, CURRENT_USER;
CREATE SCHEMA IF NOT EXISTS search;
GRANT USAGE ON SCHEMA search TO luciole_search;

-- What search may know of a clip that everybody may see, and of who is followed by how many.
CREATE VIEW clips.findable AS
    SELECT c.id, c.author_id, c.caption, c.hashtags, c.published_at, c.likes
    FROM clips.clip c JOIN people.card p ON p.id = c.author_id
    LEFT JOIN clips.shown_since w ON w.person_id = c.author_id
    WHERE c.state = 'published' AND c.audience = 'everyone' AND c.audience_list IS NULL
      AND NOT p.is_private AND (w.since IS NULL OR c.published_at >= w.since);
CREATE VIEW graph.followed_by AS SELECT person_id, followers FROM graph.tally;

-- Clips that everybody may see, and nothing of others: what is not public is in no index.
CREATE TABLE search.clip (
    id uuid PRIMARY KEY REFERENCES clips.clip (id) ON DELETE CASCADE,
    published_at timestamptz NOT NULL,
    -- In steps: exact up to 20, then by tenths, so that few likes write here.
    likes_step smallint NOT NULL CHECK (likes_step >= 0),
    heat double precision NOT NULL,
    -- Words as they are folded; `~` before stems, `#` before hashtags.
    terms tsvector NOT NULL
);
CREATE INDEX clip_by_terms ON search.clip USING gin (terms);
CREATE INDEX clip_by_age ON search.clip (published_at DESC, id DESC);
CREATE INDEX clip_by_likes ON search.clip (likes_step DESC, published_at DESC, id DESC);
CREATE INDEX clip_by_heat ON search.clip (heat DESC, id DESC);

-- Words of those clips, for who misspells one, and in how many clips each is. Room is left in each
-- page, so that a change of a count writes to no index.
CREATE TABLE search.word (
    word text PRIMARY KEY,
    -- The word, and the word without one of its letters.
    near text[] NOT NULL, clips integer NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX word_by_near ON search.word USING gin (near);

-- Keys are trigrams, and with `~` what is near.
CREATE TABLE search.hashtag (tag text PRIMARY KEY, keys text[] NOT NULL, clips integer NOT NULL)
    WITH (fillfactor = 70);
CREATE INDEX hashtag_by_keys ON search.hashtag USING gin (keys);
CREATE INDEX hashtag_by_clips ON search.hashtag (clips DESC, tag);

CREATE TABLE search.person (
    id uuid PRIMARY KEY REFERENCES people.person (id) ON DELETE CASCADE,
    keys text[] NOT NULL, followers_step smallint NOT NULL CHECK (followers_step >= 0)
);
CREATE INDEX person_by_keys ON search.person USING gin (keys);
CREATE INDEX person_by_followers ON search.person (followers_step DESC, id DESC);

-- Sounds with a name, or that others have used.
CREATE TABLE search.sound (
    id uuid PRIMARY KEY REFERENCES clips.sound (id) ON DELETE CASCADE,
    keys text[] NOT NULL, uses_step smallint NOT NULL CHECK (uses_step >= 0)
);
CREATE INDEX sound_by_keys ON search.sound USING gin (keys);
CREATE INDEX sound_by_uses ON search.sound (uses_step DESC, id DESC);

-- What has to be looked at again. Rows come with what changed, in the same transaction.
CREATE TABLE search.stale (
    n bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    kind text NOT NULL CHECK (kind IN ('clip', 'person', 'author', 'sound')),
    id uuid NOT NULL
);
-- Terms that went with a clip, until they are taken off the counts of words and hashtags.
CREATE TABLE search.gone (n bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, terms text[] NOT NULL);

-- Hashtags on the rise, with the numbers that say so. Made anew as a whole.
CREATE TABLE search.trend (
    tag text PRIMARY KEY, authors integer NOT NULL, clips integer NOT NULL,
    authors_before integer NOT NULL, usual double precision NOT NULL,
    score double precision NOT NULL, made_at timestamptz NOT NULL
);

CREATE FUNCTION search.step(number integer) RETURNS smallint
    LANGUAGE sql IMMUTABLE SET search_path = '' AS $$
    SELECT (CASE WHEN number <= 20 THEN greatest(number, 0)
                 ELSE 20 + floor(ln(number / 20.0) / ln(1.1)) END)::smallint $$;

-- Seconds; e times as many likes are worth 14 days.
CREATE FUNCTION search.heat(published_at timestamptz, likes integer) RETURNS double precision
    LANGUAGE sql IMMUTABLE SET search_path = ''
    AS $$ SELECT extract(epoch FROM published_at)::float8 + 14 * 86400 * ln(1 + likes)::float8 $$;

-- Stems of words in languages that PostgreSQL knows everywhere, as far as they are not the words
-- themselves; short stems of one language are words of another.
CREATE FUNCTION search.stems(words text[]) RETURNS TABLE (word text, stem text)
    LANGUAGE sql STABLE SET search_path = '' AS $$
    SELECT DISTINCT w.word, s.stem FROM unnest(words) AS w (word), unnest(
        pg_catalog.ts_lexize('pg_catalog.english_stem', w.word)
        || pg_catalog.ts_lexize('pg_catalog.french_stem', w.word)
        || pg_catalog.ts_lexize('pg_catalog.german_stem', w.word)
        || pg_catalog.ts_lexize('pg_catalog.spanish_stem', w.word)
        || pg_catalog.ts_lexize('pg_catalog.italian_stem', w.word)
        || pg_catalog.ts_lexize('pg_catalog.portuguese_stem', w.word)) AS s (stem)
    WHERE s.stem <> w.word AND char_length(s.stem) >= 4 $$;

-- What is not to be found any more is not from this transaction on; what is to be found is so a
-- moment later, when the worker has read of it.
CREATE FUNCTION search.note(kind text, id uuid) RETURNS void
    LANGUAGE sql SET search_path = '' AS $$
    INSERT INTO search.stale (kind, id) VALUES (kind, id);
    SELECT pg_notify('luciole_search', '') $$;

CREATE FUNCTION search.note_clip() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$ BEGIN
        IF TG_OP = 'UPDATE' AND OLD.likes <> NEW.likes THEN
            UPDATE search.clip SET likes_step = search.step(NEW.likes),
                heat = search.heat(published_at, NEW.likes)
            WHERE id = NEW.id AND likes_step <> search.step(NEW.likes);
        END IF;
        IF TG_OP = 'INSERT' OR OLD.state <> NEW.state OR OLD.audience <> NEW.audience
            OR OLD.audience_list IS DISTINCT FROM NEW.audience_list OR OLD.caption <> NEW.caption
            OR OLD.published_at IS DISTINCT FROM NEW.published_at THEN
            DELETE FROM search.clip WHERE id = NEW.id;
            IF NEW.state = 'published' AND NEW.audience = 'everyone'
                AND NEW.audience_list IS NULL THEN
                PERFORM search.note('clip', NEW.id);
            END IF;
        END IF;
        RETURN NULL;
    END $$;
CREATE TRIGGER noted_for_search
    AFTER INSERT OR UPDATE OF state, audience, audience_list, caption, published_at, likes
    ON clips.clip FOR EACH ROW EXECUTE FUNCTION search.note_clip();
CREATE FUNCTION search.note_gone() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$ BEGIN
        INSERT INTO search.gone (terms) VALUES (pg_catalog.tsvector_to_array(OLD.terms));
        PERFORM pg_notify('luciole_search', '');
        RETURN NULL;
    END $$;
CREATE TRIGGER noted_for_search AFTER DELETE ON search.clip FOR EACH ROW
    EXECUTE FUNCTION search.note_gone();
CREATE FUNCTION search.note_person() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$ BEGIN
        IF TG_OP = 'INSERT' OR OLD.handle <> NEW.handle OR OLD.display_name <> NEW.display_name
            OR (OLD.leaving_at IS NULL) <> (NEW.leaving_at IS NULL) THEN
            DELETE FROM search.person WHERE id = NEW.id;
            PERFORM search.note('person', NEW.id);
        END IF;
        -- Their clips are shown or not by what holds now; only counts are a moment behind.
        IF TG_OP = 'UPDATE' AND (OLD.is_private <> NEW.is_private
            OR (OLD.leaving_at IS NULL) <> (NEW.leaving_at IS NULL)) THEN
            PERFORM search.note('author', NEW.id);
        END IF;
        RETURN NULL;
    END $$;
CREATE TRIGGER noted_for_search
    AFTER INSERT OR UPDATE OF handle, display_name, is_private, leaving_at
    ON people.person FOR EACH ROW EXECUTE FUNCTION search.note_person();
CREATE FUNCTION search.note_window() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$ BEGIN
        PERFORM search.note('author', NEW.person_id);
        RETURN NULL;
    END $$;
CREATE TRIGGER noted_for_search AFTER INSERT OR UPDATE OF past_days ON clips.preference
    FOR EACH ROW EXECUTE FUNCTION search.note_window();
CREATE FUNCTION search.note_followers() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$ BEGIN
        UPDATE search.person SET followers_step = search.step(NEW.followers)
        WHERE id = NEW.person_id AND followers_step <> search.step(NEW.followers);
        RETURN NULL;
    END $$;
CREATE TRIGGER noted_for_search AFTER INSERT OR UPDATE OF followers
    ON graph.tally FOR EACH ROW EXECUTE FUNCTION search.note_followers();
CREATE FUNCTION search.note_sound() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$ BEGIN
        DELETE FROM search.sound WHERE id = NEW.id AND TG_OP = 'UPDATE' AND OLD.name <> NEW.name;
        UPDATE search.sound SET uses_step = search.step(NEW.uses)
        WHERE id = NEW.id AND uses_step <> search.step(NEW.uses);
        IF NOT EXISTS (SELECT 1 FROM search.sound WHERE id = NEW.id) THEN
            PERFORM search.note('sound', NEW.id);
        END IF;
        RETURN NULL;
    END $$;
CREATE TRIGGER noted_for_search AFTER INSERT OR UPDATE OF name, uses
    ON clips.sound FOR EACH ROW EXECUTE FUNCTION search.note_sound();

REVOKE ALL ON FUNCTION search.step, search.heat, search.stems, search.note, search.note_clip,
    search.note_gone, search.note_person, search.note_window, search.note_followers,
    search.note_sound FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search.step, search.heat, search.stems TO luciole_search;
GRANT SELECT, INSERT, UPDATE, DELETE ON
    search.clip, search.word, search.hashtag, search.person, search.sound, search.stale,
    search.gone, search.trend TO luciole_search;
GRANT USAGE ON SCHEMA people, graph, clips TO luciole_search;
GRANT SELECT ON people.card, graph.accepted, graph.apart, graph.muted, graph.followed_by,
    clips.findable, clips.published, clips.shown_since, clips.card, clips.sounds TO luciole_search;

-- What is there already.
INSERT INTO search.stale (kind, id) SELECT 'person', id FROM people.person
UNION ALL SELECT 'clip', id FROM clips.findable UNION ALL SELECT 'sound', id FROM clips.sound;
