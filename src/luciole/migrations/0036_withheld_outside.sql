-- The wider Fediverse asks from no known country, so the jurisdiction of the cell counts for it: what is
-- withheld there is taken back from it, and shown again when the order ends.

CREATE OR REPLACE VIEW border.public_author AS
    SELECT s.id, p.handle, p.display_name, p.bio, p.avatar_key, c.operator, c.jurisdiction,
           c.given_at
    FROM abroad.consent c
    JOIN abroad.persona s ON s.person_id = c.person_id
    JOIN people.card p ON p.id = c.person_id
    WHERE c.act = 'fediverse' AND c.ended_at IS NULL AND p.home IS NULL AND NOT p.is_private
        AND NOT EXISTS (SELECT 1 FROM notices.people_here h WHERE h.person_id = p.id);
CREATE OR REPLACE VIEW border.public_clip AS
    SELECT k.id, s.id AS author, k.caption, k.made_with_ai, k.published_at, k.duration_ms,
           k.renditions, k.poster_key
    FROM abroad.reach r
    JOIN clips.card k ON k.id = r.clip_id
    JOIN abroad.persona s ON s.person_id = k.author_id
    JOIN border.public_author a ON a.id = s.id
    WHERE r.reach = 'fediverse' AND k.state = 'published' AND k.audience = 'everyone'
        AND k.audience_list IS NULL AND NOT k.is_private AND NOT k.is_past
        AND NOT EXISTS (SELECT 1 FROM notices.clips_here h WHERE h.clip_id = k.id);

CREATE FUNCTION notices.note_outside(notice uuid) RETURNS void
    LANGUAGE plpgsql SET search_path = '' AS $$
    DECLARE about record;
    BEGIN
        FOR about IN
            SELECT s.clip_id, p.id AS persona
            FROM notices.subject s LEFT JOIN abroad.persona p ON p.person_id = s.person_id
            WHERE s.notice_id = notice
        LOOP
            IF about.clip_id IS NOT NULL THEN
                PERFORM border.note_fedi('clip', about.clip_id);
            ELSIF about.persona IS NOT NULL THEN
                PERFORM border.note_fedi('person', about.persona);
            END IF;
        END LOOP;
    END $$;
CREATE FUNCTION notices.note_notice() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$ BEGIN
        PERFORM notices.note_outside(NEW.id);
        RETURN NULL;
    END $$;
CREATE FUNCTION notices.note_subject() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$ BEGIN
        PERFORM notices.note_outside(NEW.notice_id);
        RETURN NULL;
    END $$;
CREATE TRIGGER noted_outside AFTER UPDATE OF state ON notices.notice
    FOR EACH ROW EXECUTE FUNCTION notices.note_notice();
CREATE TRIGGER noted_outside AFTER INSERT ON notices.subject
    FOR EACH ROW EXECUTE FUNCTION notices.note_subject();
REVOKE ALL ON FUNCTION notices.note_outside, notices.note_notice, notices.note_subject FROM PUBLIC;

-- With what our witness says of their logs, for the page that shows it to everybody.
CREATE OR REPLACE VIEW border.peers AS
    SELECT name, cell_id, origin, display_name, operator, jurisdiction, added_at, verdict,
           verdict_code, verdict_at
    FROM border.peer;
