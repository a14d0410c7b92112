-- Whom the cell reads elsewhere, what is counted there and here; and what changes says so to what is
-- elsewhere, in the same transaction.

-- Whom the cell reads on behalf of its people; who of them follows stays here. `end_at`: nobody does
-- any more, and from then on the other cell may know.
CREATE TABLE abroad.reading (
    person_id uuid PRIMARY KEY REFERENCES people.person (id) ON DELETE CASCADE,
    peer text NOT NULL,
    began_on date NOT NULL,
    end_at timestamptz
);
CREATE INDEX reading_ending ON abroad.reading (end_at) WHERE end_at IS NOT NULL;
-- Which other cells read one of ours.
CREATE TABLE abroad.reader (
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    peer text NOT NULL,
    since date NOT NULL,
    PRIMARY KEY (person_id, peer)
);

-- What other cells count of our people and clips, rounded; NULL: a few, or none.
CREATE TABLE abroad.total (
    subject_id uuid NOT NULL,
    peer text NOT NULL,
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    likes integer CHECK (likes >= 10),
    shares integer CHECK (shares >= 10),
    followers integer CHECK (followers >= 10),
    told_on date NOT NULL,
    PRIMARY KEY (subject_id, peer)
);
CREATE INDEX total_by_person ON abroad.total (person_id);
-- What other cells were told of theirs, so that nothing is told twice, and nothing twice a day.
CREATE TABLE abroad.told (
    subject_id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    likes integer, shares integer, followers integer,
    told_on date NOT NULL
);
CREATE INDEX told_by_person ON abroad.told (person_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON
    abroad.reading, abroad.reader, abroad.total, abroad.told TO luciole_abroad;

CREATE FUNCTION abroad.note(kind text, id uuid) RETURNS void
    LANGUAGE sql SET search_path = '' AS $$
    INSERT INTO abroad.stale (kind, id) VALUES (kind, id);
    SELECT pg_notify('luciole_abroad', '') $$;

-- A clip or a comment that is elsewhere, or is to be.
CREATE FUNCTION abroad.note_clip() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$ BEGIN
        IF EXISTS (SELECT 1 FROM abroad.reach r WHERE r.clip_id = OLD.id)
            OR EXISTS (SELECT 1 FROM abroad.crossing c WHERE c.subject_id = OLD.id) THEN
            PERFORM abroad.note('clip', OLD.id);
        END IF;
        RETURN NULL;
    END $$;
CREATE TRIGGER noted_abroad
    AFTER DELETE OR UPDATE OF
        state, audience, audience_list, caption, made_with_ai, comments_by, captions_vtt
    ON clips.clip FOR EACH ROW EXECUTE FUNCTION abroad.note_clip();
CREATE FUNCTION abroad.note_comment() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$ BEGIN
        IF EXISTS (SELECT 1 FROM abroad.crossing c WHERE c.subject_id = OLD.id) THEN
            PERFORM abroad.note('comment', OLD.id);
        END IF;
        RETURN NULL;
    END $$;
CREATE TRIGGER noted_abroad AFTER DELETE ON clips.comment
    FOR EACH ROW EXECUTE FUNCTION abroad.note_comment();
CREATE FUNCTION abroad.note_person() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$ BEGIN
        IF EXISTS (SELECT 1 FROM abroad.persona p WHERE p.person_id = NEW.id) THEN
            PERFORM abroad.note('person', NEW.id);
        END IF;
        RETURN NULL;
    END $$;
CREATE TRIGGER noted_abroad
    AFTER UPDATE OF handle, display_name, bio, avatar_key, is_private, leaving_at
    ON people.person FOR EACH ROW EXECUTE FUNCTION abroad.note_person();
CREATE FUNCTION abroad.note_window() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$ BEGIN
        IF EXISTS (SELECT 1 FROM abroad.persona p WHERE p.person_id = NEW.person_id) THEN
            PERFORM abroad.note('person', NEW.person_id);
        END IF;
        RETURN NULL;
    END $$;
CREATE TRIGGER noted_abroad AFTER INSERT OR UPDATE OF past_days
    ON clips.preference FOR EACH ROW EXECUTE FUNCTION abroad.note_window();
CREATE FUNCTION abroad.note_follow() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
    DECLARE
        whose uuid := CASE WHEN TG_OP = 'DELETE' THEN OLD.followee_id ELSE NEW.followee_id END;
    BEGIN
        IF EXISTS (SELECT 1 FROM abroad.person p WHERE p.person_id = whose) THEN
            PERFORM abroad.note('reading', whose);
        END IF;
        RETURN NULL;
    END $$;
CREATE TRIGGER noted_abroad AFTER INSERT OR DELETE OR UPDATE OF state
    ON graph.follow FOR EACH ROW EXECUTE FUNCTION abroad.note_follow();
REVOKE ALL ON FUNCTION abroad.note, abroad.note_clip, abroad.note_comment, abroad.note_person,
    abroad.note_window, abroad.note_follow FROM PUBLIC;
GRANT EXECUTE ON FUNCTION abroad.note TO luciole_abroad;
