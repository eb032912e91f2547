-- What is not history: sessions, accounts, keys that a passphrase opens. It is written over and taken away, no event says
-- so, and no log has it. `version` tells of two who write at once who was first.
CREATE TABLE drawer (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    holder TEXT NOT NULL,
    version BIGINT NOT NULL,
    until BIGINT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (kind, name)
) /* by key */;

CREATE INDEX drawer_holders ON drawer (kind, holder);
