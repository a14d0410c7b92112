-- The process on machines that only encode: it acts as media and takes jobs, and is nothing else.

DO $$ BEGIN
    CREATE ROLE luciole_films_process NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;  -- another cell of this cluster made it
END $$;
GRANT luciole_media, luciole_queue TO luciole_films_process;
GRANT luciole_films_process TO CURRENT_USER;
