-- API clients and tokens. Secrets arrive here hashed.

-- name: add_client
INSERT INTO api_client (project, id, secret_hash, name, scope)
VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT DO NOTHING;

-- name: find_client
SELECT project, id, secret_hash, name, scope
  FROM api_client
 WHERE project = $1 AND id = $2;

-- name: add_token
-- An access token without a session of its own: client credentials, or a refreshed session.
INSERT INTO token (project, hash, kind, client_id, scope, customer_id, anonymous_id, expires_at, session)
VALUES ($1, $2, 'access', $3, $4, $5, $6, $7, $8)
    ON CONFLICT DO NOTHING;

-- name: open_session
-- Both tokens of a shopper's session, or none where another session has the anonymous id.
WITH session AS (
    INSERT INTO token (project, hash, kind, client_id, scope, customer_id, anonymous_id, expires_at)
    VALUES ($1, $2, 'refresh', $4, $5, $6, $7, $9)
        ON CONFLICT DO NOTHING
    RETURNING project
)
INSERT INTO token (project, hash, kind, client_id, scope, customer_id, anonymous_id, expires_at, session)
SELECT project, $3, 'access', $4, $5, $6, $7, $8, $2
  FROM session
    ON CONFLICT DO NOTHING;

-- name: find_token
SELECT project, kind, client_id, scope, customer_id, anonymous_id, expires_at, revoked
  FROM token
 WHERE project = $1 AND hash = $2;

-- name: revoke_token
-- Only by the client it was issued to; with a refresh token goes its whole session (RFC 7009 §2.1).
UPDATE token
   SET revoked = true
 WHERE project = $1 AND client_id = $3 AND (hash = $2 OR session = $2);

-- name: revoke_tokens_of_customer
-- All sessions of a customer, whichever client opened them.
UPDATE token
   SET revoked = true
 WHERE project = $1 AND customer_id = $2 AND NOT revoked;

-- name: purge_tokens
-- Expired tokens open nothing; a bounded number goes at a time.
DELETE FROM token
 WHERE (project, hash) IN (
       SELECT project, hash FROM token WHERE expires_at < now() LIMIT $1);
