-- Reports, their review by people, decisions with a statement of reasons, and appeals.

-- One thing to look at and decide, whoever reported it. `set_aside`: staff who asked for another's
-- opinion, or decided before an appeal. `digest`: SHA-256 of the smallest rendition of its clips.
CREATE TABLE safety.review (
    id uuid PRIMARY KEY,
    state text NOT NULL CHECK (state IN ('open', 'appealed', 'decided', 'gone')),
    category text NOT NULL,
    severity smallint NOT NULL,
    opened_at timestamptz NOT NULL,
    assigned_to uuid,
    assigned_at timestamptz,
    set_aside uuid[] NOT NULL DEFAULT '{}',
    digest bytea CHECK (octet_length(digest) = 32),
    decided_at timestamptz,
    CHECK ((assigned_to IS NULL) = (assigned_at IS NULL))
);
CREATE INDEX review_waiting ON safety.review (severity DESC, opened_at, id)
    WHERE state IN ('open', 'appealed');
CREATE INDEX review_by_digest ON safety.review (digest) WHERE digest IS NOT NULL;

-- What a review is about, each thing once among those that are open.
CREATE TABLE safety.subject (
    id uuid PRIMARY KEY,
    review_id uuid NOT NULL REFERENCES safety.review (id) ON DELETE CASCADE,
    what text NOT NULL CHECK (what IN ('clip', 'comment', 'person', 'message')),
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    clip_id uuid,
    comment_id uuid,
    message_report_id uuid,
    CHECK ((what = 'clip') = (clip_id IS NOT NULL)),
    CHECK ((what = 'comment') = (comment_id IS NOT NULL)),
    CHECK ((what = 'message') = (message_report_id IS NOT NULL))
);
CREATE INDEX subject_by_review ON safety.subject (review_id);
CREATE INDEX subject_by_person ON safety.subject (person_id);
CREATE INDEX subject_by_clip ON safety.subject (clip_id) WHERE clip_id IS NOT NULL;
CREATE INDEX subject_by_comment ON safety.subject (comment_id) WHERE comment_id IS NOT NULL;
CREATE UNIQUE INDEX subject_by_message ON safety.subject (message_report_id)
    WHERE message_report_id IS NOT NULL;

-- `id` stands in the log. Of the form without an account, `code_hash` finds the outcome.
CREATE TABLE safety.report (
    id uuid PRIMARY KEY,
    review_id uuid NOT NULL REFERENCES safety.review (id) ON DELETE CASCADE,
    reporter_id uuid REFERENCES people.person (id) ON DELETE CASCADE,
    code_hash bytea UNIQUE CHECK (octet_length(code_hash) = 32),
    what text NOT NULL CHECK (what IN ('clip', 'comment', 'person', 'message')),
    category text NOT NULL,
    is_illegal boolean NOT NULL,
    explanation text NOT NULL CHECK (char_length(explanation) <= 2000),
    made_at timestamptz NOT NULL,
    outcome text NOT NULL DEFAULT 'waiting'
        CHECK (outcome IN ('waiting', 'acted', 'no-violation', 'gone')),
    answer text NOT NULL DEFAULT '' CHECK (char_length(answer) <= 2000),
    decided_at timestamptz,
    CHECK ((reporter_id IS NULL) <> (code_hash IS NULL)),
    CHECK ((outcome = 'waiting') = (decided_at IS NULL))
);
CREATE INDEX report_by_review ON safety.report (review_id);
CREATE INDEX report_by_reporter ON safety.report (reporter_id, id DESC);
-- Who filled in the form, where they wanted to say so.
CREATE TABLE safety.notifier (
    report_id uuid PRIMARY KEY REFERENCES safety.report (id) ON DELETE CASCADE,
    name text NOT NULL CHECK (char_length(name) <= 100),
    email text NOT NULL CHECK (char_length(email) <= 254)
);

CREATE TABLE safety.note (
    id uuid PRIMARY KEY,
    review_id uuid NOT NULL REFERENCES safety.review (id) ON DELETE CASCADE,
    -- Of whom the case is; it goes with them.
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    staff_id uuid NOT NULL,
    words text NOT NULL CHECK (char_length(words) BETWEEN 1 AND 2000),
    made_at timestamptz NOT NULL
);
CREATE INDEX note_by_person ON safety.note (person_id);
CREATE INDEX note_by_review ON safety.note (review_id, id);

-- A moderator at work, opened with a passkey; bound to the session that opened it.
CREATE TABLE safety.shift (
    id uuid PRIMARY KEY,
    session_id uuid NOT NULL,
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    staff_id uuid,
    asked_at timestamptz NOT NULL,
    ends_at timestamptz,
    taken integer NOT NULL DEFAULT 0,
    CHECK ((staff_id IS NULL) = (ends_at IS NULL))
);
CREATE INDEX shift_by_session ON safety.shift (session_id);
CREATE INDEX shift_by_person ON safety.shift (person_id);

-- `id` is random, public, and the statement's in the EU's database. `statement` has its fields and
-- names nobody; whom it is about goes with the person.
CREATE TABLE safety.decision (
    id uuid PRIMARY KEY,
    review_id uuid,
    staff_id uuid NOT NULL,
    act text NOT NULL CHECK (act IN ('remove', 'adults', 'label', 'limit', 'suspend')),
    what text NOT NULL CHECK (what IN ('clip', 'comment', 'person')),
    person_id uuid REFERENCES people.person (id) ON DELETE SET NULL,
    clip_id uuid,
    comment_id uuid,
    details jsonb NOT NULL,
    statement jsonb NOT NULL,
    nonce bytea NOT NULL CHECK (octet_length(nonce) = 32),
    begun_at timestamptz NOT NULL,
    until timestamptz,
    appeal_until timestamptz NOT NULL,
    ended_at timestamptz,
    ended_why text NOT NULL DEFAULT '' CHECK (ended_why IN ('', 'reversed', 'over'))
);
CREATE INDEX decision_by_person ON safety.decision (person_id, begun_at DESC);
CREATE INDEX decision_by_review ON safety.decision (review_id);
CREATE INDEX decision_by_time ON safety.decision (begun_at DESC, id DESC);

-- Of who was decided about (`decision_id`), or of who reported and saw nothing done (`report_id`).
CREATE TABLE safety.appeal (
    id uuid PRIMARY KEY,
    review_id uuid NOT NULL REFERENCES safety.review (id) ON DELETE CASCADE,
    decision_id uuid REFERENCES safety.decision (id) ON DELETE CASCADE,
    report_id uuid REFERENCES safety.report (id) ON DELETE CASCADE,
    person_id uuid REFERENCES people.person (id) ON DELETE CASCADE,
    explanation text NOT NULL CHECK (char_length(explanation) BETWEEN 1 AND 2000),
    made_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    outcome text NOT NULL DEFAULT 'waiting' CHECK (outcome IN ('waiting', 'upheld', 'reversed')),
    answer text NOT NULL DEFAULT '' CHECK (char_length(answer) <= 2000),
    staff_id uuid,
    decided_at timestamptz,
    CHECK ((decision_id IS NULL) <> (report_id IS NULL)),
    CHECK ((outcome = 'waiting') = (decided_at IS NULL))
);
CREATE UNIQUE INDEX appeal_of_decision ON safety.appeal (decision_id)
    WHERE decision_id IS NOT NULL;
CREATE UNIQUE INDEX appeal_of_report ON safety.appeal (report_id) WHERE report_id IS NOT NULL;
CREATE INDEX appeal_by_review ON safety.appeal (review_id);
CREATE INDEX appeal_by_person ON safety.appeal (person_id);

-- Reports of messages, of which safety may know that they are there, and not what is in them.
CREATE VIEW messages.reported AS
    SELECT id, reporter_id, about_id, made_at FROM messages.report;

GRANT SELECT, INSERT, UPDATE, DELETE ON safety.review, safety.subject, safety.report,
    safety.notifier, safety.note, safety.shift, safety.decision, safety.appeal TO luciole_safety;
GRANT USAGE ON SCHEMA people, clips, messages, ledger TO luciole_safety;
GRANT SELECT ON people.card, people.opened, clips.card, clips.comment_card, messages.reported
    TO luciole_safety;
GRANT EXECUTE ON FUNCTION ledger.put TO luciole_safety;

ALTER TABLE notify.line DROP CONSTRAINT line_kind_check;
ALTER TABLE notify.line ADD CONSTRAINT line_kind_check CHECK (kind IN (
    'like', 'follow', 'follow-request', 'follow-accepted', 'data-read', 'operator-change',
    'comment', 'comment-reply', 'comment-like', 'mention', 'repost', 'clip-reply',
    'message-request', 'digest', 'withheld', 'withheld-ended',
    'report-decided', 'decision', 'appeal-decided'));
ALTER TABLE notify.notification DROP CONSTRAINT notification_kind_check;
ALTER TABLE notify.notification DROP CONSTRAINT notification_check;
ALTER TABLE notify.notification ADD CONSTRAINT notification_kind_check CHECK (kind IN (
    'like', 'follow', 'follow-request', 'follow-accepted', 'data-read', 'operator-change',
    'comment', 'comment-reply', 'comment-like', 'mention', 'repost', 'clip-reply',
    'message-request', 'withheld', 'withheld-ended',
    'report-decided', 'decision', 'appeal-decided'));
ALTER TABLE notify.notification ADD CONSTRAINT notification_check
    CHECK ((actor_id IS NULL) = (kind IN ('data-read', 'operator-change', 'withheld',
        'withheld-ended', 'report-decided', 'decision', 'appeal-decided')));
