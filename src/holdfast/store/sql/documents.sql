-- One set of statements for every resource type; {table} is the type's own table, and {level_…} adds
-- the stock counters where the type has them.

-- name: read
-- Resources by id. The body stays in the database when the asker holds that version already.
SELECT {part} AS part, wanted.n, NULL::uuid AS id, d.version,
       CASE WHEN d.version = wanted.version THEN NULL ELSE d.body END AS body{level_columns}
  FROM unnest($1::text[], $2::uuid[], $3::bigint[])
       WITH ORDINALITY AS wanted (project, id, version, n)
  JOIN {table} d ON d.project = wanted.project AND d.id = wanted.id{level_join};

-- name: find
-- Resources by a unique value. The asker may guess the owner and say which version of it he holds.
SELECT {part} AS part, wanted.n, u.id, d.version,
       CASE WHEN d.id = wanted.id AND d.version = wanted.version THEN NULL ELSE d.body END AS body{level_columns}
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::bigint[])
       WITH ORDINALITY AS wanted (project, kind, field, value, id, version, n)
  JOIN unique_value u
    ON u.project = wanted.project AND u.kind = wanted.kind AND u.field = wanted.field AND u.value = wanted.value
  JOIN {table} d ON d.project = u.project AND d.id = u.id{level_join};

-- name: lock_to_update
-- Take the rows a batch will change, in one order for all processes, and learn where they stand.
SELECT d.project, d.id::text AS id, d.version AS first, d.sequence_number AS second
  FROM {table} d
  JOIN unnest($1::text[], $2::uuid[]) AS wanted (project, id) ON d.project = wanted.project AND d.id = wanted.id
 ORDER BY d.project, d.id
   FOR NO KEY UPDATE OF d;

-- name: lock_to_delete
-- As above, and wait for those who are about to point at these rows.
SELECT d.project, d.id::text AS id, d.version AS first, d.sequence_number AS second
  FROM {table} d
  JOIN unnest($1::text[], $2::uuid[]) AS wanted (project, id) ON d.project = wanted.project AND d.id = wanted.id
 ORDER BY d.project, d.id
   FOR UPDATE OF d;

-- name: hold
-- Keep the targets of new references from being deleted until this transaction ends.
SELECT d.project, d.id::text AS id, 0::bigint AS first, 0::bigint AS second
  FROM {table} d
  JOIN unnest($1::text[], $2::uuid[]) AS wanted (project, id) ON d.project = wanted.project AND d.id = wanted.id
 ORDER BY d.project, d.id
   FOR KEY SHARE OF d;

-- name: insert
-- New resources; one that was there before is not written.
INSERT INTO {table} (project, id, version, sequence_number, created_at, modified_at, body, query)
SELECT project, id, version, sequence_number, modified_at::timestamptz, modified_at::timestamptz, body, query::jsonb
  FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::bigint[], $5::text[], $6::bytea[], $7::text[])
       AS new (project, id, version, sequence_number, modified_at, body, query)
    ON CONFLICT DO NOTHING
RETURNING 1;

-- name: update
-- New versions of resources this transaction has locked.
UPDATE {table} d
   SET version = new.version,
       sequence_number = new.sequence_number,
       modified_at = new.modified_at::timestamptz,
       body = new.body,
       query = new.query::jsonb
  FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::bigint[], $5::text[], $6::bytea[], $7::text[])
       AS new (project, id, version, sequence_number, modified_at, body, query)
 WHERE d.project = new.project AND d.id = new.id
RETURNING 1;

-- name: delete
DELETE FROM {table} d
 USING unnest($1::text[], $2::uuid[]) AS gone (project, id)
 WHERE d.project = gone.project AND d.id = gone.id
RETURNING 1;

-- name: find_present
-- Which of these resources are there.
SELECT d.project, d.id::text AS id
  FROM {table} d
  JOIN unnest($1::text[], $2::uuid[]) AS wanted (project, id) ON d.project = wanted.project AND d.id = wanted.id;
