-- What was done once and must not be done again, by a key of whoever asked for
-- it: a message that was kept, by its place and what it was kept as.
CREATE TABLE incident_keys (
    key    TEXT PRIMARY KEY,
    number BIGINT NOT NULL
) {{clustered}};
