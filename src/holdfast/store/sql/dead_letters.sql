-- What nobody took: listed, sent again, thrown away.

-- name: list_letters
-- The oldest after a place in the list; one that is being replayed is none at the moment.
SELECT l.project, l.id::text AS id, l.subscription_id::text AS subscription_id, s.query->>'key' AS subscription_key,
       l.kind, l.resource_id::text AS resource_id, l.sequence_number, l.message_id::text AS message_id, l.type,
       l.created_at, l.reason, l.attempts, l.first_failed_at, l.buried_at, NULL::bytea AS body
  FROM dead_letter l
  LEFT JOIN "subscription" s ON s.project = l.project AND s.id = l.subscription_id
 WHERE l.replayed_at IS NULL
   AND ($1::text IS NULL OR l.project = $1::text)
   AND ($2::text IS NULL OR s.query->>'key' = $2::text OR l.subscription_id::text = $2::text)
   AND (l.buried_at, l.id) > ($3::timestamptz, $4::uuid)
 ORDER BY l.buried_at, l.id
 LIMIT $5::int;

-- name: find_letter
SELECT l.project, l.id::text AS id, l.subscription_id::text AS subscription_id, s.query->>'key' AS subscription_key,
       l.kind, l.resource_id::text AS resource_id, l.sequence_number, l.message_id::text AS message_id, l.type,
       l.created_at, l.reason, l.attempts, l.first_failed_at, l.buried_at, l.body
  FROM dead_letter l
  LEFT JOIN "subscription" s ON s.project = l.project AND s.id = l.subscription_id
 WHERE l.id = $1::uuid;

-- name: replay_letters
-- Owe them again, the oldest first. What belongs to a subscription that is gone stays.
WITH chosen AS (
    SELECT l.project, l.id
      FROM dead_letter l
      JOIN "subscription" s ON s.project = l.project AND s.id = l.subscription_id
     WHERE l.replayed_at IS NULL
       AND ($1::text IS NULL OR l.project = $1::text)
       AND ($2::text IS NULL OR s.query->>'key' = $2::text OR s.id::text = $2::text)
       AND ($3::uuid[] IS NULL OR l.id = ANY ($3::uuid[]))
     ORDER BY l.created_at, l.sequence_number
     LIMIT $4::int
       FOR UPDATE OF l
), replayed AS (
    UPDATE dead_letter l
       SET replayed_at = now()
      FROM chosen c
     WHERE l.project = c.project AND l.id = c.id
    RETURNING l.project, l.subscription_id, l.kind, l.resource_id, l.id, l.created_at, l.sequence_number
)
INSERT INTO delivery (project, subscription_id, position, kind, resource_id, dead_letter_id)
SELECT r.project, r.subscription_id, 0, r.kind, r.resource_id, r.id
  FROM replayed r
 ORDER BY r.created_at, r.sequence_number
RETURNING 1;

-- name: discard_letters
-- Throw them away; those under way stay.
WITH chosen AS (
    SELECT l.project, l.id
      FROM dead_letter l
      LEFT JOIN "subscription" s ON s.project = l.project AND s.id = l.subscription_id
     WHERE l.replayed_at IS NULL
       AND ($1::text IS NULL OR l.project = $1::text)
       AND ($2::text IS NULL OR s.query->>'key' = $2::text OR l.subscription_id::text = $2::text)
       AND ($3::uuid[] IS NULL OR l.id = ANY ($3::uuid[]))
     ORDER BY l.buried_at
     LIMIT $4::int
)
DELETE FROM dead_letter l
 USING chosen c
 WHERE l.project = c.project AND l.id = c.id
RETURNING l.project, l.id::text AS id, l.subscription_id::text AS subscription_id, l.message_id::text AS message_id;
