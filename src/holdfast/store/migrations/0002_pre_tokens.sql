-- Who may call the API. Secrets and tokens are random 256 bit values and only their SHA-256 is
-- kept: nothing in these tables opens anything.
CREATE TABLE api_client (
    project      text        NOT NULL,
    id           text        NOT NULL,
    secret_hash  bytea       NOT NULL,
    name         text        NOT NULL,
    scope        text        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (project, id)
);

-- Access and refresh tokens. One that was revoked stays until it would have expired anyway, so that
-- the anonymous id of its session is not given to somebody else while the session's carts live.
-- session: the hash of the refresh token an access token came with or from.
CREATE TABLE token (
    project       text        NOT NULL,
    hash          bytea       NOT NULL,
    kind          text        NOT NULL CHECK (kind IN ('access', 'refresh')),
    client_id     text        NOT NULL,
    scope         text        NOT NULL,
    customer_id   uuid,
    anonymous_id  text,
    session       bytea,
    created_at    timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz NOT NULL,
    revoked       boolean     NOT NULL DEFAULT false,
    PRIMARY KEY (project, hash),
    FOREIGN KEY (project, client_id) REFERENCES api_client (project, id) ON DELETE CASCADE
);
-- A session has one refresh token, so this is where an anonymous id is claimed.
CREATE UNIQUE INDEX token_anonymous_session ON token (project, anonymous_id)
    WHERE kind = 'refresh' AND anonymous_id IS NOT NULL;
CREATE INDEX token_of_client ON token (project, client_id);
CREATE INDEX token_of_session ON token (project, session) WHERE session IS NOT NULL;
CREATE INDEX token_of_customer ON token (project, customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX token_expiry ON token (expires_at);
