-- The record. Written in PostgreSQL's words; `database.rs` gives SQLite its own for the three that differ:
-- BYTEA is BLOB there, BIGINT PRIMARY KEY is INTEGER PRIMARY KEY, and /* by key */ is WITHOUT ROWID.

-- Every event, in one order. `salt` and `body` are gone once an erasure (`erased_by`, a position) took them;
-- `commitment` = SHA-256(salt, body) stays and is the leaf of the Merkle tree.
CREATE TABLE events (
    position BIGINT PRIMARY KEY,
    stream TEXT NOT NULL,
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    salt BYTEA,
    body BYTEA,
    commitment BYTEA NOT NULL,
    erased_by BIGINT,
    UNIQUE (stream, number)
);

-- Private texts, encrypted, by the digest that events name them by.
CREATE TABLE texts (
    digest BYTEA NOT NULL PRIMARY KEY,
    ciphertext BYTEA NOT NULL
) /* by key */;

-- What anonymous people sent since the last daily draining: no time, no sequence, a key that chance drew.
CREATE TABLE intake (
    key BYTEA NOT NULL PRIMARY KEY,
    body BYTEA NOT NULL
) /* by key */;
