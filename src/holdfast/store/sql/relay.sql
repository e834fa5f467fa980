-- Messages and changes on their way from the outbox to those who asked for them.

-- name: lock_cursor
-- How far the outbox was dealt out; whoever deals takes turns.
SELECT c.position
  FROM relay_cursor c
   FOR UPDATE;

-- name: deal
-- Give each subscription what it asked for of the next $2 positions after $1, and of those that came late.
WITH next_messages AS (
    SELECT o.position, o.project, o.kind, o.resource_id, o.type, 'message' AS form
      FROM outbox o
     WHERE o.position > $1::bigint
     ORDER BY o.position
     LIMIT $2::int
), next_changes AS (
    SELECT c.position, c.project, c.kind, c.resource_id, c.type, 'change' AS form
      FROM resource_change c
     WHERE c.position > $1::bigint
     ORDER BY c.position
     LIMIT $2::int
), fresh AS MATERIALIZED (
    SELECT n.*
      FROM (SELECT * FROM next_messages UNION ALL SELECT * FROM next_changes) n
     ORDER BY n.position
     LIMIT $2::int
), late AS MATERIALIZED (
    SELECT o.position, o.project, o.kind, o.resource_id, o.type, 'message' AS form
      FROM relay_gap g
      JOIN outbox o ON o.position = g.position
     UNION ALL
    SELECT c.position, c.project, c.kind, c.resource_id, c.type, 'change' AS form
      FROM relay_gap g
      JOIN resource_change c ON c.position = g.position
), wanted AS MATERIALIZED (
    SELECT s.project, s.id, 'message' AS form, w.entry->>'resourceTypeId' AS kind, w.entry->'types' AS types
      FROM "subscription" s
     CROSS JOIN LATERAL jsonb_array_elements(s.query->'messages') AS w (entry)
     UNION ALL
    SELECT s.project, s.id, 'change' AS form, w.entry->>'resourceTypeId' AS kind, '[]'::jsonb AS types
      FROM "subscription" s
     CROSS JOIN LATERAL jsonb_array_elements(s.query->'changes') AS w (entry)
), matched AS (
    SELECT DISTINCT n.position, n.project, w.id, n.kind, n.resource_id
      FROM (SELECT * FROM late UNION ALL SELECT * FROM fresh) n
      JOIN wanted w ON w.project = n.project AND w.form = n.form AND w.kind = n.kind
       AND (w.types = '[]'::jsonb OR w.types ? n.type)
), dealt AS (
    INSERT INTO delivery (project, subscription_id, position, kind, resource_id)
    SELECT m.project, m.id, m.position, m.kind, m.resource_id
      FROM matched m
     ORDER BY m.position
    RETURNING 1
), passed_over AS (
    INSERT INTO relay_gap (position, ended_by)
    SELECT g.position, pg_snapshot_xmax(pg_current_snapshot())
      FROM generate_series($1::bigint + 1, (SELECT max(f.position) FROM fresh f)) AS g (position)
     WHERE NOT EXISTS (SELECT FROM fresh f WHERE f.position = g.position)
), closed AS (
    DELETE FROM relay_gap g
     WHERE g.position IN (SELECT l.position FROM late l)
        OR (g.ended_by <= pg_snapshot_xmin(pg_current_snapshot()) AND g.seen_at < now() - interval '10 seconds')
), moved AS (
    UPDATE relay_cursor c
       SET position = f.last
      FROM (SELECT max(f.position) AS last FROM fresh f) f
     WHERE f.last IS NOT NULL
)
SELECT (SELECT count(*) FROM fresh) AS fresh, (SELECT count(*) FROM late) AS late, (SELECT count(*) FROM dealt) AS dealt;

-- name: welcome
-- New subscriptions are tried with a notification of their own.
WITH newcomers AS (
    INSERT INTO subscriber (project, subscription_id)
    SELECT s.project, s.id
      FROM "subscription" s
     WHERE NOT EXISTS (SELECT FROM subscriber b WHERE b.project = s.project AND b.subscription_id = s.id)
        ON CONFLICT DO NOTHING
    RETURNING project, subscription_id
)
INSERT INTO delivery (project, subscription_id, position, kind, resource_id)
SELECT n.project, n.subscription_id, 0, 'subscription', n.subscription_id
  FROM newcomers n
RETURNING 1;

-- name: find_work
-- Subscriptions something is owed to, and the versions of what says where it goes.
SELECT s.project, s.id::text AS id, s.version, x.version AS secret_version
  FROM "subscription" s
  JOIN "subscription_secret" x ON x.project = s.project AND x.id = s.id
 WHERE EXISTS (SELECT FROM delivery d WHERE d.project = s.project AND d.subscription_id = s.id)
 ORDER BY s.project, s.id;

-- name: try_hold
-- One relay at a time sends for a subscription; what it holds is free again when its connection ends.
SELECT pg_try_advisory_lock(hashtextextended('relay/' || $1::text || '/' || $2::text, 0)) AS held;

-- name: let_go
SELECT pg_advisory_unlock(hashtextextended('relay/' || $1::text || '/' || $2::text, 0)) AS held;

-- name: claim
-- What is to be sent next: held lanes whose time has come, and what was dealt out after place $3, and up to
-- place $8, to lanes that are not held. Lanes under way ($5) stay out.
WITH due AS (
    SELECT l.kind, l.resource_id, l.attempts, l.first_failed_at
      FROM held_lane l
     WHERE l.project = $1::text AND l.subscription_id = $2::uuid AND l.next_at <= now()
       AND l.kind || '/' || l.resource_id <> ALL ($5::text[])
     ORDER BY l.next_at
     LIMIT $6::int
), taken AS (
    SELECT d.place, d.position, d.kind, d.resource_id, d.dead_letter_id, u.attempts, u.first_failed_at, true AS held
      FROM due u
     CROSS JOIN LATERAL (
           SELECT q.*
             FROM delivery q
            WHERE q.project = $1::text AND q.subscription_id = $2::uuid
              AND q.kind = u.kind AND q.resource_id = u.resource_id
            ORDER BY q.place
            LIMIT $7::int) d
     UNION ALL
    (SELECT d.place, d.position, d.kind, d.resource_id, d.dead_letter_id, 0, NULL, false
       FROM delivery d
      WHERE d.project = $1::text AND d.subscription_id = $2::uuid
        AND d.place > $3::bigint AND d.place <= $8::bigint
        AND NOT EXISTS (SELECT FROM held_lane l
                         WHERE l.project = d.project AND l.subscription_id = d.subscription_id
                           AND l.kind = d.kind AND l.resource_id = d.resource_id)
      ORDER BY d.place
      LIMIT $4::int)
)
SELECT t.place, t.held, t.attempts, t.first_failed_at, t.kind, t.resource_id::text AS resource_id,
       t.position = 0 AND t.dead_letter_id IS NULL AS is_trial,
       coalesce(m.id, c.change_id, l.message_id)::text AS id,
       coalesce(m.sequence_number, l.sequence_number, 0) AS sequence_number,
       coalesce(m.resource_version, c.version, l.resource_version) AS resource_version,
       coalesce(c.old_version, l.old_version, 0) AS old_version,
       coalesce(m.type, c.type, l.type) AS type,
       coalesce(m.created_at, c.created_at, l.created_at) AS created_at,
       coalesce(m.body, l.body) AS body
  FROM taken t
  LEFT JOIN outbox m ON m.position = t.position AND t.dead_letter_id IS NULL
  LEFT JOIN (SELECT r.*, md5('change/' || r.project || '/' || r.position)::uuid AS change_id FROM resource_change r) c
         ON c.position = t.position AND t.dead_letter_id IS NULL
  LEFT JOIN dead_letter l ON l.project = $1::text AND l.id = t.dead_letter_id
 ORDER BY t.place;

-- name: look_up_to
-- The last of the next $4 places after place $3; the last of all where there are fewer.
SELECT coalesce(far.place, near.place, 0) AS place, far.place IS NOT NULL AS more
  FROM (SELECT max(d.place) AS place
          FROM delivery d
         WHERE d.project = $1::text AND d.subscription_id = $2::uuid) near
  LEFT JOIN (SELECT d.place
               FROM delivery d
              WHERE d.project = $1::text AND d.subscription_id = $2::uuid AND d.place > $3::bigint
              ORDER BY d.place
             OFFSET $4::int - 1
              LIMIT 1) far ON true;

-- name: find_identifiers
-- The keys, numbers and slugs people know resources by.
SELECT u.id::text AS id, u.field, u.value
  FROM unique_value u
 WHERE u.id = ANY ($2::uuid[]) AND u.project = $1::text;

-- name: settle
-- What was accepted is owed no longer; a dead letter that was replayed is none any more.
WITH gone AS (
    DELETE FROM delivery d
     WHERE d.project = $1::text AND d.subscription_id = $2::uuid AND d.place = ANY ($3::bigint[])
    RETURNING d.dead_letter_id
)
DELETE FROM dead_letter l
 USING gone g
 WHERE l.project = $1::text AND l.id = g.dead_letter_id;

-- name: hold_lanes
-- Resources whose next notification waits for another attempt.
INSERT INTO held_lane (project, subscription_id, kind, resource_id, attempts, first_failed_at, next_at, reason)
SELECT $1::text, $2::uuid, n.kind, n.resource_id, n.attempts, n.first_failed_at, n.next_at, n.reason
  FROM unnest($3::text[], $4::uuid[], $5::int[], $6::timestamptz[], $7::timestamptz[], $8::text[])
       AS n (kind, resource_id, attempts, first_failed_at, next_at, reason)
    ON CONFLICT (project, subscription_id, kind, resource_id) DO UPDATE
   SET attempts = excluded.attempts,
       first_failed_at = excluded.first_failed_at,
       next_at = excluded.next_at,
       reason = excluded.reason;

-- name: bury
-- What is given up becomes a dead letter, with all it takes to send it one day.
INSERT INTO dead_letter (project, subscription_id, kind, resource_id, sequence_number, message_id, resource_version,
                         old_version, type, created_at, body, reason, attempts, first_failed_at)
SELECT d.project, d.subscription_id, d.kind, d.resource_id, coalesce(m.sequence_number, 0),
       coalesce(m.id, md5('change/' || d.project || '/' || d.position)::uuid), coalesce(m.resource_version, c.version),
       coalesce(c.old_version, 0), coalesce(m.type, c.type), coalesce(m.created_at, c.created_at), m.body,
       n.reason, n.attempts, n.first_failed_at
  FROM unnest($3::bigint[], $4::text[], $5::int[], $6::timestamptz[]) AS n (place, reason, attempts, first_failed_at)
  JOIN delivery d ON d.project = $1::text AND d.subscription_id = $2::uuid AND d.place = n.place
  LEFT JOIN outbox m ON m.position = d.position
  LEFT JOIN resource_change c ON c.position = d.position
 WHERE d.dead_letter_id IS NULL AND d.position > 0 AND coalesce(m.type, c.type) IS NOT NULL;

-- name: bury_again
-- What was replayed in vain is a dead letter as before.
UPDATE dead_letter l
   SET replayed_at = NULL,
       reason = n.reason,
       attempts = l.attempts + n.attempts,
       buried_at = now()
  FROM unnest($3::bigint[], $4::text[], $5::int[]) AS n (place, reason, attempts)
  JOIN delivery d ON d.project = $1::text AND d.subscription_id = $2::uuid AND d.place = n.place
 WHERE l.project = d.project AND l.id = d.dead_letter_id;

-- name: strike
-- Rows that were given up, once their dead letters are there.
DELETE FROM delivery d
 WHERE d.project = $1::text AND d.subscription_id = $2::uuid AND d.place = ANY ($3::bigint[]);

-- name: free_lanes
-- Held lanes whose notifications went out: gone where nothing is left of them, else due at once.
WITH freed AS (
    DELETE FROM held_lane l
     USING unnest($3::text[], $4::uuid[]) AS n (kind, resource_id)
     WHERE l.project = $1::text AND l.subscription_id = $2::uuid AND l.kind = n.kind AND l.resource_id = n.resource_id
       AND NOT EXISTS (SELECT FROM delivery d
                        WHERE d.project = l.project AND d.subscription_id = l.subscription_id
                          AND d.kind = l.kind AND d.resource_id = l.resource_id)
    RETURNING l.kind, l.resource_id
)
UPDATE held_lane l
   SET attempts = 0,
       first_failed_at = n.failed_at,
       next_at = now()
  FROM unnest($3::text[], $4::uuid[], $5::timestamptz[]) AS n (kind, resource_id, failed_at)
 WHERE l.project = $1::text AND l.subscription_id = $2::uuid AND l.kind = n.kind AND l.resource_id = n.resource_id
   AND NOT EXISTS (SELECT FROM freed f WHERE f.kind = l.kind AND f.resource_id = l.resource_id);

-- name: count
-- How a subscription fares.
INSERT INTO subscriber (project, subscription_id, delivered, failed, buried, last_accepted_at, last_failed_at, last_reason)
VALUES ($1::text, $2::uuid, $3::bigint, $4::bigint, $5::bigint,
        CASE WHEN $3::bigint > 0 THEN now() END, CASE WHEN $4::bigint > 0 THEN now() END, $6::text)
    ON CONFLICT (project, subscription_id) DO UPDATE
   SET delivered = subscriber.delivered + excluded.delivered,
       failed = subscriber.failed + excluded.failed,
       buried = subscriber.buried + excluded.buried,
       last_accepted_at = coalesce(excluded.last_accepted_at, subscriber.last_accepted_at),
       last_failed_at = coalesce(excluded.last_failed_at, subscriber.last_failed_at),
       last_reason = coalesce(excluded.last_reason, subscriber.last_reason);

-- name: set_status
-- The status a subscription is shown with, by its index.
INSERT INTO tally (project, name, used)
SELECT $1::text, 'subscription-status/' || $2::text, $3::bigint
    ON CONFLICT (project, name) DO UPDATE
   SET used = excluded.used
 WHERE tally.used <> excluded.used;

-- name: sweep
-- What was owed to subscriptions that are gone, a bounded number of rows at a time.
WITH gone AS (
    SELECT b.project, b.subscription_id
      FROM subscriber b
     WHERE NOT EXISTS (SELECT FROM "subscription" s WHERE s.project = b.project AND s.id = b.subscription_id)
), old AS (
    SELECT d.project, d.subscription_id, d.place
      FROM gone g
      JOIN delivery d ON d.project = g.project AND d.subscription_id = g.subscription_id
     LIMIT $1::int
), swept AS (
    DELETE FROM delivery d
     USING old
     WHERE d.project = old.project AND d.subscription_id = old.subscription_id AND d.place = old.place
    RETURNING 1
), lanes AS (
    DELETE FROM held_lane l
     USING gone g
     WHERE l.project = g.project AND l.subscription_id = g.subscription_id
), done AS (
    DELETE FROM subscriber b
     USING gone g
     WHERE b.project = g.project AND b.subscription_id = g.subscription_id
       AND NOT EXISTS (SELECT FROM delivery d WHERE d.project = g.project AND d.subscription_id = g.subscription_id)
    RETURNING b.project, b.subscription_id
), statuses AS (
    DELETE FROM tally t
     USING done n
     WHERE t.project = n.project AND t.name = 'subscription-status/' || n.subscription_id
)
SELECT count(*) AS swept FROM swept;

-- name: standing
-- How every subscription fares: what is owed, since when, what waits for another attempt, what was given up.
SELECT s.project, s.id::text AS id, s.query->>'key' AS key, s.query->'destination'->>'type' AS destination,
       coalesce(t.used, 0) AS status, coalesce(b.delivered, 0) AS delivered, coalesce(b.failed, 0) AS failed,
       coalesce(b.buried, 0) AS buried, b.last_accepted_at, b.last_failed_at, b.last_reason,
       (SELECT count(*) FROM (SELECT FROM delivery d
                               WHERE d.project = s.project AND d.subscription_id = s.id LIMIT $1::int) q) AS owed,
       (SELECT count(*) FROM held_lane l WHERE l.project = s.project AND l.subscription_id = s.id) AS held,
       (SELECT count(*) FROM dead_letter l
         WHERE l.project = s.project AND l.subscription_id = s.id AND l.replayed_at IS NULL) AS dead,
       (SELECT extract(epoch FROM now() - coalesce(o.created_at, c.created_at))::float8
          FROM (SELECT d.position FROM delivery d
                 WHERE d.project = s.project AND d.subscription_id = s.id AND d.dead_letter_id IS NULL AND d.position > 0
                 ORDER BY d.place LIMIT 1) first
          LEFT JOIN outbox o ON o.position = first.position
          LEFT JOIN resource_change c ON c.position = first.position) AS lag_seconds
  FROM "subscription" s
  LEFT JOIN subscriber b ON b.project = s.project AND b.subscription_id = s.id
  LEFT JOIN tally t ON t.project = s.project AND t.name = 'subscription-status/' || s.id
 ORDER BY s.project, s.id;

-- name: backlog
-- What is not dealt out yet: how many messages, and the age of the oldest.
SELECT (SELECT count(*) FROM (SELECT FROM outbox o WHERE o.position > k.position LIMIT $1::int) q) AS undealt,
       (SELECT extract(epoch FROM now() - o.created_at)::float8
          FROM outbox o WHERE o.position > k.position ORDER BY o.position LIMIT 1) AS oldest_seconds
  FROM relay_cursor k;
