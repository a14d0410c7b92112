"""A cell goes to another operator: one signed bundle, new keys for everything, the same logs.

    buyer   `luciole sale key`        a key for this one cell; its public half names the new keys
    seller  `luciole divest --announce` tells everybody, and when
    seller  `luciole divest`          the bundle, and the last entry of each log
    buyer   `luciole adopt`           opens it, with the seller offline, and goes on
    seller  `luciole prove-removal`   destroys the keys and the stores, and looks whether it did

The bundle, whose manifest is written last, by rename; without it, it is not whole:

    manifest.json    what it holds, the heads of the logs, signed by the key of `decisions`
    contents.json    files, sizes and hashes; its own hash stands in the log
    rows-<id>/…      the tables, the data keys and the list of objects, sealed in blocks
    objects/…        films, posters, pictures, one file each, sealed
    ledger/…         the archive of the logs, which is public, with the entry that hands them over
    witnesses        the cell's file of witnesses; evidence/ what its own witness has kept
    HAND-OVER.txt    what people have to do about names and certificates

The blocks are sealed under a key of the bundle, that key and each person's data key by HPKE to the
buyer: who finds or keeps the bundle opens nothing without the buyer's key.
"""
