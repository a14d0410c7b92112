-- The author of a clip is told of comments that wait for them (`comment-held`). Each list of kinds is
-- kept as it is found, and has one more.
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT c.conrelid::regclass AS place, c.conname AS name, pg_get_constraintdef(c.oid) AS says
        FROM pg_constraint c
        WHERE (c.conrelid, c.conname) IN (
            ('notify.line'::regclass, 'line_kind_check'),
            ('notify.notification'::regclass, 'notification_kind_check'))
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', found.place, found.name);
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s', found.place, found.name,
            replace(found.says, 'ARRAY[', 'ARRAY[''comment-held''::text, '));
    END LOOP;
END
$$;
