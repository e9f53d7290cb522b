-- Accounts of chat platforms that are known to be a person's.
CREATE TABLE identities (
    connection TEXT   NOT NULL,
    user_id    TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    person_id  BIGINT NOT NULL,
    linked_at  BIGINT NOT NULL,
    PRIMARY KEY (connection, user_id)
) {{clustered}};
CREATE INDEX identities_person ON identities (person_id);

-- epoch grows when all sessions of a person end.
ALTER TABLE people ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;

-- What works once and was used, until it would not work any more anyway. token
-- is a SHA-256, as in sessions.
CREATE TABLE used_once (
    token      TEXT   PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX used_once_expiry ON used_once (expires_at);
