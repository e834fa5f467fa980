-- What keyed requests were answered. Most rows are written by the committer (constraints.sql).

-- name: find_answers
SELECT wanted.n, i.fingerprint, i.status, i.kind, i.body, i.created_at
  FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS wanted (project, client_id, key, n)
  JOIN idempotency i ON i.project = wanted.project AND i.client_id = wanted.client_id AND i.key = wanted.key;

-- name: keep_answer
-- The answer of a request that had nothing to commit; one that is there already stays.
INSERT INTO idempotency (project, client_id, key, fingerprint, status, kind, resource_id, version, body)
VALUES ($1::text, $2::text, $3::text, $4::bytea, $5::smallint, $6::text, $7::uuid, $8::bigint, $9::bytea)
    ON CONFLICT DO NOTHING;

-- name: purge_answers
WITH old AS (
    SELECT project, client_id, key
      FROM idempotency
     WHERE created_at < now() - make_interval(days => $1::int)
     ORDER BY created_at
     LIMIT $2::int
       FOR UPDATE SKIP LOCKED
)
DELETE FROM idempotency i USING old
 WHERE i.project = old.project AND i.client_id = old.client_id AND i.key = old.key;
