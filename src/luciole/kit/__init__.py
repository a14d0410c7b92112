"""Tools without product words: database, queue, web, blobs, errors, clock, ids."""
