-- Uniqueness, references, stock and messages: what a batch writes beside the resources.

-- name: find_ids
-- The resources that own unique values.
SELECT wanted.n, u.id::text AS id
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS wanted (project, kind, field, value, n)
  JOIN unique_value u USING (project, kind, field, value);

-- name: disown_values
DELETE FROM unique_value u
 USING unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::uuid[]) AS gone (project, kind, field, value, id)
 WHERE u.project = gone.project AND u.kind = gone.kind AND u.field = gone.field AND u.value = gone.value AND u.id = gone.id
RETURNING 1;

-- name: own_values
-- Claim unique values; one that belongs to somebody else is not written.
INSERT INTO unique_value (project, kind, field, value, id)
SELECT project, kind, field, value, id
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::uuid[]) AS new (project, kind, field, value, id)
 ORDER BY project, kind, field, value
    ON CONFLICT DO NOTHING
RETURNING 1;

-- name: find_referrers
-- What still points at resources that are about to go; pointing at oneself holds nobody.
SELECT DISTINCT r.project, r.target_kind, r.target_id, r.source_kind
  FROM unnest($1::text[], $2::text[], $3::uuid[]) AS wanted (project, target_kind, target_id)
  JOIN reference r USING (project, target_kind, target_id)
 WHERE r.source_kind <> r.target_kind OR r.source_id <> r.target_id;

-- name: drop_references
DELETE FROM reference r
 USING unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::uuid[])
       AS gone (project, target_kind, target_id, source_kind, source_id)
 WHERE r.project = gone.project AND r.target_kind = gone.target_kind AND r.target_id = gone.target_id
   AND r.source_kind = gone.source_kind AND r.source_id = gone.source_id
RETURNING 1;

-- name: add_references
INSERT INTO reference (project, target_kind, target_id, source_kind, source_id)
SELECT project, target_kind, target_id, source_kind, source_id
  FROM unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::uuid[])
       AS new (project, target_kind, target_id, source_kind, source_id)
    ON CONFLICT DO NOTHING
RETURNING 1;

-- name: read_stock
-- The counters of inventory entries.
SELECT s.project, s.entry_id, s.on_stock, s.reserved
  FROM unnest($1::text[], $2::uuid[]) AS wanted (project, entry_id)
  JOIN stock s USING (project, entry_id);

-- name: find_entries
-- Inventory entries by SKU, of all channels, with their counters.
SELECT wanted.n, e.id, e.version, e.body, s.on_stock, s.reserved
  FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS wanted (project, sku, n)
  JOIN inventory_entry e ON e.project = wanted.project AND e.sku = wanted.sku
  LEFT JOIN stock s ON s.project = e.project AND s.entry_id = e.id;

-- name: lock_stock
-- Take the counters a batch will move, in one order for all processes.
SELECT s.project, s.entry_id::text AS id, s.on_stock AS first, s.reserved AS second
  FROM stock s
  JOIN unnest($1::text[], $2::uuid[]) AS wanted (project, entry_id)
    ON s.project = wanted.project AND s.entry_id = wanted.entry_id
 ORDER BY s.project, s.entry_id
   FOR NO KEY UPDATE OF s;

-- name: move_stock
-- Apply the sum of a batch's movements; a reservation nobody checked dies on the table's check.
UPDATE stock s
   SET on_stock = s.on_stock + moved.on_stock,
       reserved = s.reserved + moved.reserved,
       unguarded = (s.unguarded OR moved.unguarded)
                   AND s.on_stock + moved.on_stock - s.reserved - moved.reserved < 0
  FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::bigint[], $5::boolean[])
       AS moved (project, entry_id, on_stock, reserved, unguarded)
 WHERE s.project = moved.project AND s.entry_id = moved.entry_id
RETURNING 1;

-- name: open_stock
-- Counters of new inventory entries.
INSERT INTO stock (project, entry_id, on_stock, reserved, unguarded)
SELECT project, entry_id, on_stock, reserved, on_stock - reserved < 0
  FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::bigint[]) AS new (project, entry_id, on_stock, reserved)
    ON CONFLICT DO NOTHING
RETURNING 1;

-- name: close_stock
DELETE FROM stock s
 USING unnest($1::text[], $2::uuid[]) AS gone (project, entry_id)
 WHERE s.project = gone.project AND s.entry_id = gone.entry_id
RETURNING 1;

-- name: add_ledger
-- How the counters came to be what they are, movement by movement.
INSERT INTO stock_ledger (project, entry_id, at, movement, on_stock, reserved, reference_kind, reference_id, reference_version)
SELECT project, entry_id, at::timestamptz, movement, on_stock, reserved, reference_kind, reference_id, reference_version
  FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::text[], $8::uuid[], $9::bigint[])
       AS new (project, entry_id, at, movement, on_stock, reserved, reference_kind, reference_id, reference_version)
RETURNING 1;

-- name: open_tallies
-- Counters that are used for the first time.
INSERT INTO tally (project, name)
SELECT project, name
  FROM unnest($1::text[], $2::text[]) AS new (project, name)
 ORDER BY project, name
    ON CONFLICT DO NOTHING
RETURNING 1;

-- name: lock_tallies
SELECT t.project, t.name AS id, t.used AS first, 0::bigint AS second
  FROM tally t
  JOIN unnest($1::text[], $2::text[]) AS wanted (project, name)
    ON t.project = wanted.project AND t.name = wanted.name
 ORDER BY t.project, t.name
   FOR NO KEY UPDATE OF t;

-- name: move_tallies
UPDATE tally t
   SET used = moved.used
  FROM unnest($1::text[], $2::text[], $3::bigint[]) AS moved (project, name, used)
 WHERE t.project = moved.project AND t.name = moved.name
RETURNING 1;

-- name: add_messages
INSERT INTO outbox (project, kind, resource_id, sequence_number, id, resource_version, type, created_at, body)
SELECT project, kind, resource_id, sequence_number, id, resource_version, type, created_at::timestamptz, body
  FROM unnest($1::text[], $2::text[], $3::uuid[], $4::bigint[], $5::uuid[], $6::bigint[], $7::text[], $8::text[], $9::bytea[])
       AS new (project, kind, resource_id, sequence_number, id, resource_version, type, created_at, body)
RETURNING 1;

-- name: add_replies
-- What keyed requests are answered; a key that was used before is not written.
INSERT INTO idempotency (project, client_id, key, fingerprint, status, kind, resource_id, version, body)
SELECT project, client_id, key, fingerprint, status, kind, resource_id, version, body
  FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::smallint[], $6::text[], $7::uuid[], $8::bigint[], $9::bytea[])
       AS new (project, client_id, key, fingerprint, status, kind, resource_id, version, body)
 ORDER BY project, client_id, key
    ON CONFLICT DO NOTHING
RETURNING 1;

-- name: find_replies
-- Which keys were used before.
SELECT i.project, i.client_id, i.key
  FROM unnest($1::text[], $2::text[], $3::text[]) AS wanted (project, client_id, key)
  JOIN idempotency i USING (project, client_id, key);

-- name: decide_fate
-- Mark a batch as committed or, once the connection was lost, as one that never will be.
INSERT INTO fate (id, committed)
VALUES ($1::uuid, $2::boolean)
    ON CONFLICT DO NOTHING
RETURNING 1;

-- name: find_fate
-- What became of a batch, once its fate is decided.
SELECT committed
  FROM fate
 WHERE id = $1::uuid;
