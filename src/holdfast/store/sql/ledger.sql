-- How the counters of inventory entries came to be.

-- name: find_places
-- The entries of a SKU: of all projects and supply channels, or of the ones named.
SELECT e.project, e.id::text AS id, c.query->>'key' AS channel
  FROM inventory_entry e
  LEFT JOIN channel c ON c.project = e.project AND c.id = (e.query->'supplyChannel'->>'id')::uuid
 WHERE e.sku = $1::text
   AND ($2::text IS NULL OR e.project = $2::text)
   AND ($3::text IS NULL OR c.query->>'key' = $3::text)
 ORDER BY e.project, channel NULLS FIRST, e.id
 LIMIT $4::int;

-- name: read_account
-- The last lines of an entry's ledger before a position, the sum of all lines, that of those up to the
-- page's end, and the counters: all as of one moment.
WITH page AS (
    SELECT l.position, l.at, l.movement, l.on_stock, l.reserved, l.reference_kind, l.reference_id::text AS reference_id,
           l.reference_version
      FROM stock_ledger l
     WHERE l.project = $1::text AND l.entry_id = $2::uuid AND l.position < $3::bigint
     ORDER BY l.position DESC
     LIMIT $4::int
), whole AS (
    SELECT count(*) AS lines,
           coalesce(sum(l.on_stock), 0)::bigint AS sum_on_stock,
           coalesce(sum(l.reserved), 0)::bigint AS sum_reserved,
           coalesce(sum(l.on_stock) FILTER (WHERE l.position < $3::bigint), 0)::bigint AS page_on_stock,
           coalesce(sum(l.reserved) FILTER (WHERE l.position < $3::bigint), 0)::bigint AS page_reserved
      FROM stock_ledger l
     WHERE l.project = $1::text AND l.entry_id = $2::uuid
)
SELECT w.*, coalesce(s.on_stock, 0) AS counted_on_stock, coalesce(s.reserved, 0) AS counted_reserved, p.*
  FROM whole w
  LEFT JOIN stock s ON s.project = $1::text AND s.entry_id = $2::uuid
  LEFT JOIN page p ON true
 ORDER BY p.position;
