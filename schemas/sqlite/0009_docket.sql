-- What administration keeps: entries of books, each with the number of its revision. The books by their numbers:
-- audit, reports, standings, jobs, activity, days (0 to 5).
CREATE TABLE docket (
    book INTEGER NOT NULL,
    id BLOB NOT NULL,
    rev INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (book, id)
) STRICT, WITHOUT ROWID;

-- The rooms that a user is in, or was, and its files: looked for when the user is to be forgotten.
CREATE INDEX members_ever ON members (user, room);
CREATE INDEX files_by_owner ON files (owner, file);
