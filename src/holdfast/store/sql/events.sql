-- Messages as they happened, for people who watch and for receivers who ask for them again.

-- name: read_events
-- Messages after a position, or the latest ones where none is given.
SELECT e.*
  FROM (SELECT o.position, o.project, o.kind, o.resource_id::text AS resource_id, o.sequence_number, o.id::text AS id,
               o.resource_version, o.type, o.created_at, o.body
          FROM outbox o
         WHERE ($1::text IS NULL OR o.project = $1::text)
           AND ($2::text[] IS NULL OR o.type = ANY ($2::text[]))
           AND o.position > coalesce($3::bigint, 0)
         ORDER BY CASE WHEN $3::bigint IS NULL THEN -o.position ELSE o.position END
         LIMIT $4::int) e
 ORDER BY e.position;

-- name: find_subscription
SELECT s.id::text AS id
  FROM "subscription" s
 WHERE s.project = $1::text AND (s.query->>'key' = $2::text OR s.id::text = $2::text);

-- name: replay_events
-- Owe a subscription what it asks for of a span of time again: the next $6 messages after position $5.
WITH next AS MATERIALIZED (
    SELECT o.position, o.kind, o.resource_id, o.type, o.project
      FROM outbox o
     WHERE o.created_at >= $3::timestamptz AND o.created_at < $4::timestamptz
       AND o.position > $5::bigint AND o.position <= (SELECT c.position FROM relay_cursor c)
     ORDER BY o.position
     LIMIT $6::int
), owed AS (
    INSERT INTO delivery (project, subscription_id, position, kind, resource_id)
    SELECT $2::text, $1::uuid, n.position, n.kind, n.resource_id
      FROM next n
     WHERE n.project = $2::text
       AND EXISTS (SELECT
                     FROM "subscription" s
                    CROSS JOIN LATERAL jsonb_array_elements(s.query->'messages') AS w (entry)
                    WHERE s.project = $2::text AND s.id = $1::uuid AND w.entry->>'resourceTypeId' = n.kind
                      AND (w.entry->'types' = '[]'::jsonb OR w.entry->'types' ? n.type))
     ORDER BY n.position
    RETURNING 1
)
SELECT (SELECT count(*) FROM owed) AS owed, (SELECT max(n.position) FROM next n) AS last, (SELECT count(*) FROM next) AS seen;
