-- A moderator who has the case of a reported message in hand asks to read what was disclosed in it. Two
-- operators sign that read as any other; here stands which case and which report it is for.
CREATE TABLE safety.disclosure (
    read_id uuid PRIMARY KEY,
    review_id uuid NOT NULL REFERENCES safety.review (id) ON DELETE CASCADE,
    message_report_id uuid NOT NULL,
    -- Who made the report: theirs is what is read.
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    -- Who asked.
    staff_id uuid NOT NULL,
    asked_at timestamptz NOT NULL
);
CREATE INDEX disclosure_by_review ON safety.disclosure (review_id);
CREATE INDEX disclosure_by_person ON safety.disclosure (person_id);
CREATE INDEX disclosure_by_age ON safety.disclosure (asked_at);

-- How far a read is, and not of whom, nor why: that is for those who sign it.
CREATE VIEW custody.read_state AS
    SELECT r.id, r.staff_id, r.is_granted, r.ends_at,
           (SELECT count(*)::int FROM custody.staff_approval a WHERE a.read_id = r.id) AS signatures
    FROM custody.staff_read r;

GRANT SELECT, INSERT, UPDATE, DELETE ON safety.disclosure TO luciole_safety;
GRANT SELECT ON custody.read_state TO luciole_safety;
