-- The house: one role and one schema for each slice, one role for each process.
--
-- Roles belong to the whole PostgreSQL cluster, schemas to one database; two cells on one cluster
-- share the role names and nothing else.

DO $$
DECLARE
    name text;
BEGIN
    -- Roles of the slices: own nothing, log in never, may touch what each migration grants them.
    FOREACH name IN ARRAY ARRAY[
        'luciole_people', 'luciole_notify', 'luciole_media',
        'luciole_graph', 'luciole_clips', 'luciole_feed', 'luciole_queue',
        -- Roles of the processes. The supervisor gives them a login where the server is its own.
        'luciole_api', 'luciole_worker'
    ] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', name);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;  -- another cell of this cluster made it
        END;
    END LOOP;
END
$$;

GRANT luciole_people, luciole_notify, luciole_media, luciole_graph, luciole_clips, luciole_feed,
      luciole_queue TO luciole_api, luciole_worker;
-- The owner may act as any process (and as any slice, in the tests of their rights).
GRANT luciole_people, luciole_notify, luciole_media, luciole_graph, luciole_clips, luciole_feed,
      luciole_queue, luciole_api, luciole_worker TO CURRENT_USER;

REVOKE ALL ON SCHEMA public FROM PUBLIC;

CREATE SCHEMA people;
CREATE SCHEMA notify;
CREATE SCHEMA media;
CREATE SCHEMA graph;
CREATE SCHEMA clips;
CREATE SCHEMA feed;

GRANT USAGE ON SCHEMA people TO luciole_people;
GRANT USAGE ON SCHEMA notify TO luciole_notify;
GRANT USAGE ON SCHEMA media TO luciole_media;
GRANT USAGE ON SCHEMA graph TO luciole_graph;
GRANT USAGE ON SCHEMA clips TO luciole_clips;
GRANT USAGE ON SCHEMA feed TO luciole_feed;

GRANT USAGE ON SCHEMA house TO luciole_api, luciole_worker;
GRANT SELECT ON house.migration TO luciole_api, luciole_worker;

-- Everybody may queue a job; only the worker's runner takes them out again.
GRANT USAGE ON SCHEMA queue TO luciole_queue;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA queue TO luciole_queue;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA queue TO luciole_queue;
GRANT USAGE ON TYPE queue.pgqueuer_status TO luciole_queue;
ALTER DEFAULT PRIVILEGES IN SCHEMA queue
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO luciole_queue;
