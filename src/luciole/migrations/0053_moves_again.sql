-- What a cell has refused to hear of somebody's move is told again: found without reading all that
-- ever went to other cells.
CREATE INDEX crossing_moves_refused ON abroad.crossing (offered_at)
    WHERE kind = 'move' AND state = 'refused';
