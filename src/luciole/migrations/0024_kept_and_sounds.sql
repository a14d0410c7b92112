-- What people keep and pass on (favourites, collections, reposts), and sounds with their reuse.

CREATE TABLE clips.favourite (
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    clip_id uuid NOT NULL REFERENCES clips.clip (id) ON DELETE CASCADE,
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (person_id, clip_id)
);
CREATE INDEX favourite_by_person ON clips.favourite (person_id, made_at DESC, clip_id DESC);
CREATE INDEX favourite_by_clip ON clips.favourite (clip_id);

-- Likes are shown in pages, too, to whom their person shows them.
DROP INDEX clips.liked_by_person;
CREATE INDEX liked_by_person ON clips.liked (person_id, made_at DESC, clip_id DESC);

CREATE TABLE clips.collection (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 60),
    is_public boolean NOT NULL DEFAULT false,
    made_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (owner_id, name)
);

-- A favourite in a collection. It goes with the favourite.
CREATE TABLE clips.collected (
    collection_id uuid NOT NULL REFERENCES clips.collection (id) ON DELETE CASCADE,
    person_id uuid NOT NULL,
    clip_id uuid NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (collection_id, clip_id),
    FOREIGN KEY (person_id, clip_id) REFERENCES clips.favourite (person_id, clip_id)
        ON DELETE CASCADE
);
CREATE INDEX collected_in_order ON clips.collected (collection_id, made_at DESC, clip_id DESC);
CREATE INDEX collected_by_favourite ON clips.collected (person_id, clip_id);

CREATE TABLE clips.repost (
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    clip_id uuid NOT NULL REFERENCES clips.clip (id) ON DELETE CASCADE,
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (person_id, clip_id)
);
CREATE INDEX repost_by_person ON clips.repost (person_id, made_at DESC, clip_id DESC);
CREATE INDEX repost_by_clip ON clips.repost (clip_id);

-- What feed may know of reposts.
CREATE VIEW clips.reposted AS SELECT person_id, clip_id, made_at FROM clips.repost;

-- The sound of a clip. It goes with the clip that it comes from; clips that were made with it lose
-- it then.
CREATE TABLE clips.sound (
    id uuid PRIMARY KEY,
    clip_id uuid NOT NULL UNIQUE REFERENCES clips.clip (id) ON DELETE CASCADE,
    owner_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    -- Empty: the original sound of its owner, in the reader's language.
    name text NOT NULL DEFAULT '' CHECK (char_length(name) <= 80),
    is_reusable boolean NOT NULL DEFAULT true,
    -- Published clips for everyone with this sound, the one that it comes from among them.
    uses integer NOT NULL DEFAULT 0 CHECK (uses >= 0),
    made_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sound_by_owner ON clips.sound (owner_id);
CREATE INDEX clip_by_sound ON clips.clip (sound_id, published_at DESC, id DESC)
    WHERE sound_id IS NOT NULL;
-- Whether others may use the sound that the clip is about to have.
ALTER TABLE clips.clip ADD COLUMN lets_reuse boolean NOT NULL DEFAULT false;

-- Sounds as others see them. Open are those of clips that everybody may see.
CREATE VIEW clips.sounds AS
    SELECT
        s.id, s.clip_id, c.asset_id, s.owner_id, s.name, s.is_reusable, s.uses, s.made_at,
        p.handle, p.display_name, p.avatar_key,
        (c.state = 'published' AND c.audience = 'everyone' AND c.audience_list IS NULL
         AND NOT p.is_private AND NOT coalesce(c.published_at < w.since, false)) AS is_open
    FROM clips.sound s
    JOIN clips.clip c ON c.id = s.clip_id
    JOIN people.card p ON p.id = s.owner_id
    LEFT JOIN clips.shown_since w ON w.person_id = s.owner_id;

-- Counts uses as they come and go, in the transaction that makes them so.
CREATE FUNCTION clips.count_use() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
    DECLARE
        before uuid;
        after uuid;
    BEGIN
        IF TG_OP <> 'INSERT' AND OLD.state = 'published' AND OLD.audience = 'everyone'
            AND OLD.audience_list IS NULL THEN
            before := OLD.sound_id;
        END IF;
        IF TG_OP <> 'DELETE' AND NEW.state = 'published' AND NEW.audience = 'everyone'
            AND NEW.audience_list IS NULL THEN
            after := NEW.sound_id;
        END IF;
        IF before IS DISTINCT FROM after THEN
            UPDATE clips.sound SET uses = uses - 1 WHERE id = before;
            UPDATE clips.sound SET uses = uses + 1 WHERE id = after;
        END IF;
        RETURN NULL;
    END
    $$;
CREATE TRIGGER use_counted AFTER INSERT OR DELETE OR UPDATE OF state, audience, audience_list, sound_id
    ON clips.clip FOR EACH ROW EXECUTE FUNCTION clips.count_use();

CREATE FUNCTION clips.forget_sound() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
    BEGIN
        UPDATE clips.clip SET sound_id = NULL WHERE sound_id = OLD.id;
        RETURN NULL;
    END
    $$;
CREATE TRIGGER sound_forgotten AFTER DELETE ON clips.sound
    FOR EACH ROW EXECUTE FUNCTION clips.forget_sound();
REVOKE ALL ON FUNCTION clips.count_use, clips.forget_sound FROM PUBLIC;

-- Clips that are there already have their sound too. An id of one's own is made from the clip's.
INSERT INTO clips.sound (id, clip_id, owner_id, is_reusable, made_at)
SELECT md5('sound/' || c.id::text)::uuid, c.id, c.author_id, p.age_band = '18+', c.published_at
FROM clips.clip c
JOIN people.person p ON p.id = c.author_id
JOIN media.playable m ON m.asset_id = c.asset_id
WHERE c.state = 'published' AND m.has_audio;
UPDATE clips.clip c SET sound_id = s.id FROM clips.sound s WHERE s.clip_id = c.id;

-- What ranking may know of a clip: which sound it has, too.
CREATE OR REPLACE VIEW clips.rankable AS
    SELECT c.id, c.author_id, c.hashtags, c.caption, c.published_at, m.duration_ms, c.sound_id
    FROM clips.clip c
    JOIN people.card p ON p.id = c.author_id
    JOIN media.playable m ON m.asset_id = c.asset_id
    WHERE c.state = 'published' AND c.audience = 'everyone' AND NOT p.is_private;

-- So a change of the sound is a row of For You's log, too.
DROP TRIGGER noted_for_feed ON clips.clip;
CREATE TRIGGER noted_for_feed
    AFTER INSERT OR DELETE OR UPDATE OF state, audience, caption, hashtags, published_at, sound_id
    ON clips.clip FOR EACH ROW EXECUTE FUNCTION feed.note_clip();

-- The film that a film's sound comes from, and whether its own is heard too. When that film goes, the
-- mode alone is left: a job finds it so, and takes the sound away.
ALTER TABLE media.asset
    ADD COLUMN sound_asset_id uuid,
    ADD COLUMN sound_mode text CHECK (sound_mode IN ('replace', 'mix')),
    ADD CHECK (sound_asset_id IS NULL OR sound_mode IS NOT NULL);
CREATE INDEX asset_bereft ON media.asset (id)
    WHERE sound_mode IS NOT NULL AND sound_asset_id IS NULL;
CREATE FUNCTION media.forget_sound() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
    BEGIN
        UPDATE media.asset SET sound_asset_id = NULL WHERE sound_asset_id = OLD.id;
        RETURN NULL;
    END
    $$;
CREATE TRIGGER sound_forgotten AFTER DELETE ON media.asset
    FOR EACH ROW EXECUTE FUNCTION media.forget_sound();
REVOKE ALL ON FUNCTION media.forget_sound FROM PUBLIC;
CREATE OR REPLACE VIEW media.playable AS
    SELECT
        a.id AS asset_id, a.state, a.refused_code, a.progress, a.duration_ms, a.width, a.height,
        a.has_audio, a.is_public,
        coalesce(
            (SELECT jsonb_agg(
                jsonb_build_object(
                    'name', f.name, 'width', f.width, 'height', f.height,
                    'bitrate_bps', f.bitrate_bps, 'size_bytes', f.size_bytes, 'mime', f.mime,
                    'key', CASE WHEN a.is_public THEN 'p/' ELSE 'r/' END
                        || a.token || '/' || f.filename)
                ORDER BY f.width * f.height)
             FROM media.file f WHERE f.asset_id = a.id AND f.kind = 'rendition'),
            '[]'::jsonb) AS renditions,
        (SELECT CASE WHEN a.is_public THEN 'p/' ELSE 'r/' END || a.token || '/' || f.filename
         FROM media.file f WHERE f.asset_id = a.id AND f.kind = 'poster') AS poster_key,
        NULL::text AS captions_key,
        a.sound_mode
    FROM media.asset a;
CREATE INDEX asset_with_sound ON media.asset (sound_asset_id) WHERE sound_asset_id IS NOT NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON
    clips.favourite, clips.collection, clips.collected, clips.repost, clips.sound
    TO luciole_clips;
GRANT SELECT ON clips.sounds TO luciole_clips;
GRANT SELECT ON clips.reposted TO luciole_feed;
