-- What the background worker clears away, a bounded number of rows at a time.

-- name: delete_expired_carts
-- Carts nobody touched for as long as they ask to be kept; ordered ones belong to their order.
WITH expired AS (
    SELECT c.project, c.id
      FROM "cart" c
     WHERE c.modified_at < now() - interval '1 day'
       AND c.modified_at < now() - make_interval(days => coalesce((c.query->>'deleteDaysAfterLastModification')::int, $1::int))
       AND c.query->>'cartState' IS DISTINCT FROM 'Ordered'
     ORDER BY c.project, c.id
     LIMIT $2::int
       FOR UPDATE OF c SKIP LOCKED
), forgotten AS (
    DELETE FROM unique_value u USING expired e WHERE u.project = e.project AND u.kind = 'cart' AND u.id = e.id
), unpointed AS (
    DELETE FROM reference r USING expired e WHERE r.project = e.project AND r.source_kind = 'cart' AND r.source_id = e.id
)
DELETE FROM "cart" c USING expired e WHERE c.project = e.project AND c.id = e.id
RETURNING c.id;
