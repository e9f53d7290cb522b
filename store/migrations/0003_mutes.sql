-- What people asked not to hear of for a while: alerts that matchers (in
-- Alertmanager's syntax) hold for get no cards until a time. ended_by is who
-- ended it early. settled is 0 until the cards that it kept back were made.
CREATE TABLE mutes (
    id         {{id}},
    number     BIGINT NOT NULL UNIQUE,
    matchers   TEXT   NOT NULL,
    reason     TEXT   NOT NULL,
    created_by TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    until      BIGINT NOT NULL,
    ended_by   TEXT   NOT NULL DEFAULT '',
    settled    BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX mutes_open ON mutes (until) WHERE settled = 0;
