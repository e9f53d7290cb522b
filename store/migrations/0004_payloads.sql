-- What tools sent and no program understood. body is base64: it may be anything.
CREATE TABLE payloads (
    id           {{id}},
    source       TEXT   NOT NULL,
    received_at  BIGINT NOT NULL,
    content_type TEXT   NOT NULL,
    fault        TEXT   NOT NULL,
    size         BIGINT NOT NULL,
    body         TEXT   NOT NULL
);
CREATE INDEX payloads_source ON payloads (source, id);
