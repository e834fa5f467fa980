-- What the background worker looks for, a bounded number of rows at a time.

-- name: find_expired_carts
-- Carts nobody touched for as long as they ask to be kept; ordered ones belong to their order.
SELECT c.project, c.id::text AS id, c.version
  FROM "cart" c
 WHERE c.modified_at < now() - interval '1 day'
   AND c.modified_at < now() - make_interval(days => coalesce((c.query->>'deleteDaysAfterLastModification')::int, $1::int))
   AND c.query->>'cartState' IS DISTINCT FROM 'Ordered'
 ORDER BY c.project, c.id
 LIMIT $2::int;

-- name: find_expired_reservations
-- Carts with a reservation whose time is over, where the project gives such reservations back.
SELECT c.project, c.id::text AS id, c.version
  FROM "cart" c
  JOIN "project" p ON p.project = c.project
 WHERE c."reservedUntil" <= $1::text
   AND (p.query->'inventory'->>'releaseExpiredReservations')::boolean
 ORDER BY c."reservedUntil"
 LIMIT $2::int;

-- name: purge_fates
-- Batches nobody can still ask about; a committer holds out for minutes, not for a day.
WITH old AS (
    SELECT f.id
      FROM fate f
     WHERE f.decided_at < now() - interval '1 day'
     ORDER BY f.decided_at
     LIMIT $1::int
)
DELETE FROM fate f
 USING old
 WHERE f.id = old.id
RETURNING f.id;

-- name: find_grown_tables
-- Tables several times larger than when they were last analyzed, if they ever were.
SELECT format('%I.%I', s.schemaname, s.relname) AS table
  FROM pg_stat_user_tables s
  JOIN pg_class c ON c.oid = s.relid
 WHERE s.schemaname = current_schema()
   AND s.n_live_tup >= $1::bigint
   AND s.n_live_tup > $2::bigint * greatest(c.reltuples, 0)
 ORDER BY s.relname;

-- name: analyze
ANALYZE {table};
