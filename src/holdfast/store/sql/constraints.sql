-- Uniqueness, references, stock and messages: what a batch writes beside the resources.

-- name: find_ids
-- The resources that own unique values.
SELECT wanted.n, u.id
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS wanted (project, kind, field, value, n)
  JOIN unique_value u USING (project, kind, field, value);

-- name: disown_values
DELETE FROM unique_value u
 USING unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::uuid[]) AS gone (project, kind, field, value, id)
 WHERE u.project = gone.project AND u.kind = gone.kind AND u.field = gone.field AND u.value = gone.value AND u.id = gone.id;

-- name: own_values
-- Claim unique values; one that is missing from the answer belongs to somebody else.
INSERT INTO unique_value (project, kind, field, value, id)
SELECT project, kind, field, value, id
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::uuid[]) AS new (project, kind, field, value, id)
 ORDER BY project, kind, field, value
    ON CONFLICT DO NOTHING
RETURNING project, kind, field, value, id;

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
   AND r.source_kind = gone.source_kind AND r.source_id = gone.source_id;

-- name: add_references
INSERT INTO reference (project, target_kind, target_id, source_kind, source_id)
SELECT project, target_kind, target_id, source_kind, source_id
  FROM unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::uuid[])
       AS new (project, target_kind, target_id, source_kind, source_id)
    ON CONFLICT DO NOTHING;

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
SELECT s.project, s.entry_id, s.on_stock, s.reserved
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
 WHERE s.project = moved.project AND s.entry_id = moved.entry_id;

-- name: open_stock
-- Counters for new inventory entries.
INSERT INTO stock (project, entry_id, on_stock)
SELECT project, entry_id, 0
  FROM unnest($1::text[], $2::uuid[]) AS new (project, entry_id)
    ON CONFLICT DO NOTHING;

-- name: close_stock
DELETE FROM stock s
 USING unnest($1::text[], $2::uuid[]) AS gone (project, entry_id)
 WHERE s.project = gone.project AND s.entry_id = gone.entry_id;

-- name: add_messages
INSERT INTO outbox (project, kind, resource_id, sequence_number, id, resource_version, type, created_at, body)
SELECT project, kind, resource_id, sequence_number, id, resource_version, type, created_at::timestamptz, body
  FROM unnest($1::text[], $2::text[], $3::uuid[], $4::bigint[], $5::uuid[], $6::bigint[], $7::text[], $8::text[], $9::bytea[])
       AS new (project, kind, resource_id, sequence_number, id, resource_version, type, created_at, body);

-- name: begin_numbered
-- The number of this transaction, so that its fate can be asked for after a lost connection.
SELECT pg_current_xact_id()::text AS number;

-- name: fate
-- Whether a transaction whose answer was lost did commit.
SELECT pg_xact_status($1::text::xid8) AS status;
