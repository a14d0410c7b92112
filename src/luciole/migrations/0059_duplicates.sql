-- One decision for films that look alike, and a way to part them; a film like one that a decision
-- removed is pointed at.

-- A moderator has parted it from another case: what machines find alike is not put to it again.
ALTER TABLE safety.review ADD COLUMN is_apart boolean NOT NULL DEFAULT false;

-- Which of a case's things a report is about, so that it goes along when a case is parted. The
-- subject goes with whom it is about, and the report stays with whoever made it.
ALTER TABLE safety.report ADD COLUMN subject_id uuid;
UPDATE safety.report p SET subject_id = s.id
FROM safety.subject s
WHERE s.review_id = p.review_id
  AND NOT EXISTS (SELECT 1 FROM safety.subject o WHERE o.review_id = s.review_id AND o.id <> s.id);

-- What a suggestion of the method `copy` rests on: the removal of the film that this one is like.
ALTER TABLE safety.suggestion ADD COLUMN decision_id uuid;
ALTER TABLE safety.suggestion DROP CONSTRAINT suggestion_method_check;
ALTER TABLE safety.suggestion ADD CONSTRAINT suggestion_method_check
    CHECK (method IN ('list', 'rule', 'copy'));
ALTER TABLE safety.suggestion ADD CONSTRAINT suggestion_of_copy
    CHECK ((method = 'copy') = (decision_id IS NOT NULL));
ALTER TABLE safety.measured DROP CONSTRAINT measured_method_check;
ALTER TABLE safety.measured ADD CONSTRAINT measured_method_check
    CHECK (method IN ('list', 'rule', 'copy'));

-- The films that new ones are compared with, the newest first.
CREATE INDEX decision_of_removal ON safety.decision (begun_at DESC, id)
    WHERE act = 'remove' AND ended_at IS NULL;
