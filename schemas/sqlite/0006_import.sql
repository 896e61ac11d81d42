-- How far the store has been filled from a backup; no row while nothing fills it.
CREATE TABLE import (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    backup BLOB NOT NULL,
    done INTEGER NOT NULL
) STRICT;
