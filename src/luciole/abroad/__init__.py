"""The backup that a cell keeps in another cell, sealed to a key that only its operator has.

parcels.py    sealed streams in pieces of fixed sizes, under names that say nothing
recovery.py   the recovery key: the whole in the operator's hand, its public half in the cell
keeper.py     the other cell, as who ships or restores sees it
spool.py      the write-ahead log as pg_receivewal brings it, and what of it is new
state.py      what has been sent, in a small file beside
shipping.py   a round: objects, log, write-ahead log, head; base backups; what may go
restore.py    from the other cell to a cell that runs again
"""
