-- One problem of one object. closed is 0 while it is firing and the alert's own
-- id afterwards. body is the rest of alert.Alert as JSON. last_id is the highest
-- id given to anything that belongs to the alert: whoever adds to it, on
-- whatever machine, goes on above.
CREATE TABLE alerts (
    id          {{id}},
    source      TEXT   NOT NULL,
    fingerprint TEXT   NOT NULL,
    topic       TEXT   NOT NULL,
    closed      BIGINT NOT NULL,
    severity    BIGINT NOT NULL,
    revision    BIGINT NOT NULL,
    last_id     BIGINT NOT NULL,
    starts_at   BIGINT NOT NULL,
    ends_at     BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    body        TEXT   NOT NULL
);
CREATE INDEX alerts_open ON alerts (source, id) WHERE closed = 0;
CREATE INDEX alerts_history ON alerts (source, fingerprint) WHERE closed <> 0;
{{shared}}CREATE UNIQUE INDEX alerts_object ON alerts (source, fingerprint, topic) WHERE closed = 0;

-- What happened to an alert. intake is apart from body because it is searched.
CREATE TABLE events (
    alert_id BIGINT NOT NULL,
    id       BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    kind     TEXT   NOT NULL,
    intake   TEXT   NOT NULL,
    body     TEXT   NOT NULL,
    PRIMARY KEY (alert_id, id)
) {{clustered}};

-- Outward duties (Duty). state is due, done, dead, or waiting: due, but behind a
-- card that has no receipt and can't get one now. claimed_at is when an attempt
-- began that was not settled; tried is what wanted was then, or -1 when somebody
-- may have shown something old since and the card must be rendered anew.
CREATE TABLE deliveries (
    id            {{id}},
    destination   TEXT   NOT NULL,
    kind          TEXT   NOT NULL,
    state         TEXT   NOT NULL,
    alert_id      BIGINT NOT NULL,
    event_id      BIGINT NOT NULL,
    key           TEXT   NOT NULL,
    ref           TEXT   NOT NULL,
    receipt       TEXT   NOT NULL DEFAULT '',
    wanted        BIGINT NOT NULL,
    tried         BIGINT NOT NULL DEFAULT 0,
    reached       BIGINT NOT NULL DEFAULT 0,
    priority      BIGINT NOT NULL,
    due_at        BIGINT NOT NULL,
    attempts      BIGINT NOT NULL DEFAULT 0,
    claimed_at    BIGINT NOT NULL DEFAULT 0,
    unknown_since BIGINT NOT NULL DEFAULT 0,
    last_error    TEXT   NOT NULL DEFAULT '',
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL
);
CREATE INDEX deliveries_alert ON deliveries (alert_id, kind);
CREATE INDEX deliveries_due ON deliveries (destination, priority DESC, due_at) WHERE state = 'due';
CREATE INDEX deliveries_dead ON deliveries (destination, id) WHERE state = 'dead';

-- Leases: which process carries a destination's duties out. life is random for
-- each start of a process; fence grows whenever the lease changes hands.
CREATE TABLE destinations (
    name        TEXT   PRIMARY KEY,
    owner       TEXT   NOT NULL,
    life        TEXT   NOT NULL,
    fence       BIGINT NOT NULL,
    lease_until BIGINT NOT NULL
);

CREATE TABLE settings (
    name       TEXT   PRIMARY KEY,
    value      TEXT   NOT NULL,
    updated_at BIGINT NOT NULL
);

-- handle is the name in lower case: two people must not look alike.
CREATE TABLE people (
    id            {{id}},
    handle        TEXT   NOT NULL UNIQUE,
    name          TEXT   NOT NULL,
    role          TEXT   NOT NULL,
    password_hash TEXT   NOT NULL,
    created_at    BIGINT NOT NULL
);

-- token is the SHA-256 of what the browser has: who reads the database can't
-- sign in with it. data is base64.
CREATE TABLE sessions (
    token      TEXT   PRIMARY KEY,
    data       TEXT   NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- The built-in chat room.
CREATE TABLE room_messages (
    id         {{id}},
    channel    TEXT   NOT NULL,
    key        TEXT   NOT NULL UNIQUE,
    thread     BIGINT NOT NULL,
    body       TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT NOT NULL
);
CREATE INDEX room_channel ON room_messages (channel, id) WHERE thread = 0;
CREATE INDEX room_thread ON room_messages (thread, id) WHERE thread <> 0;
