-- What the audit reads and keeps. A walk goes through one table in the order of its key, a bounded page
-- at a time; {table} is the table of a resource type.

-- name: projects
SELECT p.project FROM "project" p UNION SELECT c.project FROM api_client c ORDER BY 1;

-- name: page_of_documents
SELECT d.id::text AS id
  FROM {table} d
 WHERE d.project = $1 AND d.id > $2::uuid
 ORDER BY d.id
 LIMIT $3;

-- name: page_of_changed_payments
SELECT d.id::text AS id
  FROM payment d
 WHERE d.project = $1 AND d.id > $2::uuid AND d."lastModifiedAt" > $4
 ORDER BY d.id
 LIMIT $3;

-- name: documents
SELECT d.id::text AS id, d.version, d.sequence_number, d.body, d.query::text AS query
  FROM {table} d
 WHERE d.project = $1 AND d.id = ANY($2::uuid[])
 ORDER BY d.id;

-- name: bodies
-- Bodies alone, of those that are there.
SELECT d.id::text AS id, d.body
  FROM {table} d
 WHERE d.project = $1 AND d.id = ANY($2::uuid[]);

-- name: present
SELECT d.id::text AS id
  FROM {table} d
 WHERE d.project = $1 AND d.id = ANY($2::uuid[]);

-- name: claims_of_documents
SELECT u.id::text AS id, u.field, u.value
  FROM unique_value u
 WHERE u.project = $1 AND u.kind = $2 AND u.id = ANY($3::uuid[]);

-- name: owners_of_values
SELECT u.field, u.value, u.id::text AS id
  FROM unnest($3::text[], $4::text[]) AS wanted (field, value)
  JOIN unique_value u ON u.project = $1 AND u.kind = $2 AND u.field = wanted.field AND u.value = wanted.value;

-- name: pointers_of_documents
SELECT r.source_id::text AS id, r.target_kind, r.target_id::text AS target_id
  FROM reference r
 WHERE r.project = $1 AND r.source_kind = $2 AND r.source_id = ANY($3::uuid[]);

-- name: messages_of_documents
-- How many messages a resource has, and their first and last number.
SELECT o.resource_id::text AS id, count(*) AS told, min(o.sequence_number) AS first, max(o.sequence_number) AS last
  FROM outbox o
 WHERE o.project = $1 AND o.kind = $2 AND o.resource_id = ANY($3::uuid[])
 GROUP BY o.resource_id;

-- name: first_messages
SELECT o.resource_id::text AS id, o.type
  FROM outbox o
 WHERE o.project = $1 AND o.kind = $2 AND o.resource_id = ANY($3::uuid[]) AND o.sequence_number = 1;

-- name: deleted_orders
-- Orders that went because somebody deleted them.
SELECT o.resource_id::text AS id
  FROM outbox o
 WHERE o.project = $1 AND o.kind = 'order' AND o.resource_id = ANY($2::uuid[]) AND o.type = 'OrderDeleted';

-- name: states_of_carts
SELECT c.id::text AS id, c.query->>'cartState' AS state
  FROM "cart" c
 WHERE c.project = $1 AND c.id = ANY($2::uuid[]);

-- name: page_of_told_orders
SELECT told.resource_id::text AS id
  FROM (SELECT DISTINCT o.resource_id
          FROM outbox o
         WHERE o.project = $1 AND o.kind = 'order' AND o.resource_id > $2::uuid
         ORDER BY o.resource_id
         LIMIT $3) told;

-- name: page_of_values
SELECT u.kind, u.field, u.value, u.id::text AS id
  FROM unique_value u
 WHERE u.project = $1 AND (u.kind, u.field, u.value) > ($2, $3, $4)
 ORDER BY u.kind, u.field, u.value
 LIMIT $5;

-- name: values_at
SELECT u.kind, u.field, u.value, u.id::text AS id
  FROM unnest($2::text[], $3::text[], $4::text[]) AS wanted (kind, field, value)
  JOIN unique_value u ON u.project = $1 AND u.kind = wanted.kind AND u.field = wanted.field AND u.value = wanted.value;

-- name: page_of_references
SELECT r.target_kind, r.target_id::text AS target_id, r.source_kind, r.source_id::text AS source_id
  FROM reference r
 WHERE r.project = $1 AND (r.target_kind, r.target_id, r.source_kind, r.source_id) > ($2, $3::uuid, $4, $5::uuid)
 ORDER BY r.target_kind, r.target_id, r.source_kind, r.source_id
 LIMIT $6;

-- name: references_at
SELECT r.target_kind, r.target_id::text AS target_id, r.source_kind, r.source_id::text AS source_id
  FROM unnest($2::text[], $3::uuid[], $4::text[], $5::uuid[]) AS wanted (target_kind, target_id, source_kind, source_id)
  JOIN reference r ON r.project = $1 AND r.target_kind = wanted.target_kind AND r.target_id = wanted.target_id
   AND r.source_kind = wanted.source_kind AND r.source_id = wanted.source_id;

-- name: page_of_stock
SELECT s.entry_id::text AS id
  FROM stock s
 WHERE s.project = $1 AND s.entry_id > $2::uuid
 ORDER BY s.entry_id
 LIMIT $3;

-- name: stock_and_ledger
-- The counters of entries beside the sums of their movements.
SELECT s.entry_id::text AS id, s.on_stock, s.reserved, s.unguarded,
       coalesce(l.on_stock, 0)::bigint AS ledger_on_stock, coalesce(l.reserved, 0)::bigint AS ledger_reserved
  FROM stock s
  LEFT JOIN LATERAL (
       SELECT sum(m.on_stock) AS on_stock, sum(m.reserved) AS reserved
         FROM stock_ledger m
        WHERE m.project = s.project AND m.entry_id = s.entry_id) l ON true
 WHERE s.project = $1 AND s.entry_id = ANY($2::uuid[]);

-- name: stock_and_holdings
-- Entries whose reserved units are not those that live orders hold, and carts ($2, $3: entries and
-- quantities). One look at all orders of a project.
WITH holding AS (
    SELECT (h.value->>'entryId')::uuid AS entry_id, sum((h.value->>'quantity')::bigint) AS quantity
      FROM "order" o
     CROSS JOIN LATERAL jsonb_array_elements(o.query->'stockHeld') h
     WHERE o.project = $1
       AND o.query->>'orderState' <> 'Cancelled'
       AND coalesce((SELECT i.value->>'inventoryMode'
                       FROM jsonb_array_elements(o.query->'lineItems') i
                      WHERE i.value->>'id' = h.value->>'lineItemId'),
                    o.query->>'inventoryMode') IS DISTINCT FROM 'TrackOnly'
     GROUP BY 1
    UNION ALL
    SELECT c.entry_id, c.quantity FROM unnest($2::uuid[], $3::bigint[]) AS c (entry_id, quantity)
), held AS (
    SELECT entry_id, sum(quantity) AS quantity FROM holding GROUP BY entry_id
)
SELECT s.entry_id::text AS id, s.reserved, coalesce(h.quantity, 0)::bigint AS held
  FROM stock s
  LEFT JOIN held h ON h.entry_id = s.entry_id
 WHERE s.project = $1 AND s.reserved <> coalesce(h.quantity, 0)
 ORDER BY s.entry_id
 LIMIT $4;

-- name: reserving_carts
-- Carts that keep stock from others for a while: all of them, or units that are held would seem free.
SELECT c.body
  FROM "cart" c
 WHERE c.project = $1 AND c."reservedUntil" IS NOT NULL;

-- name: page_of_replies
SELECT i.client_id, i.key
  FROM idempotency i
 WHERE i.project = $1 AND (i.client_id, i.key) > ($2, $3)
 ORDER BY i.client_id, i.key
 LIMIT $4;

-- name: replies_at
SELECT i.client_id, i.key, i.kind, i.resource_id::text AS id, i.status, i.body
  FROM unnest($2::text[], $3::text[]) AS wanted (client_id, key)
  JOIN idempotency i ON i.project = $1 AND i.client_id = wanted.client_id AND i.key = wanted.key;

-- name: orders_of_payments
-- The orders each payment is told to pay for, with what they cost.
SELECT wanted.id AS payment_id, o.id::text AS id, o.query->>'orderState' AS state,
       o.query->>'paymentState' AS payment_state, o.modified_at,
       coalesce(o.query#>>'{taxedPrice,totalGross,centAmount}', o.query#>>'{totalPrice,centAmount}')::bigint AS due,
       o.query#>>'{totalPrice,currencyCode}' AS currency,
       ARRAY(SELECT p.value->>'id' FROM jsonb_array_elements(o.query#>'{paymentInfo,payments}') p) AS payments
  FROM unnest($2::text[]) AS wanted (id)
  JOIN "order" o
    ON o.project = $1
   AND o.query @> jsonb_build_object('paymentInfo', jsonb_build_object('payments', jsonb_build_array(
                  jsonb_build_object('id', wanted.id))))
 ORDER BY o.id;

-- name: carts_of_payments
-- The carts each payment is told to pay for, with what they cost.
SELECT wanted.id AS payment_id, c.id::text AS id, c.query->>'cartState' AS state, c.modified_at,
       coalesce(c.query#>>'{taxedPrice,totalGross,centAmount}', c.query#>>'{totalPrice,centAmount}')::bigint AS due,
       c.query#>>'{totalPrice,currencyCode}' AS currency,
       ARRAY(SELECT p.value->>'id' FROM jsonb_array_elements(c."paymentInfo"->'payments') p) AS payments
  FROM unnest($2::text[]) AS wanted (id)
  JOIN "cart" c
    ON c.project = $1
   AND c."paymentInfo" @> jsonb_build_object('payments', jsonb_build_array(jsonb_build_object('id', wanted.id)))
 ORDER BY c.id;

-- name: uses_of_codes
-- How often discount codes were counted, and how many orders used them.
SELECT wanted.id, coalesce(t.used, 0)::bigint AS used, o.orders
  FROM unnest($2::text[]) AS wanted (id)
  LEFT JOIN tally t ON t.project = $1 AND t.name = 'discount-code/' || wanted.id
 CROSS JOIN LATERAL (
       SELECT count(*) AS orders
         FROM "order" o
        WHERE o.project = $1
          AND o.query @> jsonb_build_object('discountCodes', jsonb_build_array(jsonb_build_object(
                         'discountCode', jsonb_build_object('id', wanted.id))))) o
 WHERE coalesce(t.used, 0) < o.orders;

-- name: uses_of_cards
-- What was taken off gift cards, as counted and as their payments say.
SELECT wanted.id, coalesce(t.used, 0)::bigint AS used, p.charged
  FROM unnest($2::text[], $3::text[]) AS wanted (id, code)
  LEFT JOIN tally t ON t.project = $1 AND t.name = 'gift-card/' || wanted.id
 CROSS JOIN LATERAL (
       SELECT coalesce(sum(CASE x.value->>'type' WHEN 'Charge' THEN 1 WHEN 'Refund' THEN -1 ELSE 0 END
                           * (x.value#>>'{amount,centAmount}')::bigint), 0)::bigint AS charged
         FROM payment p
        CROSS JOIN LATERAL jsonb_array_elements(p.query->'transactions') x
        WHERE p.project = $1
          AND p.query @> jsonb_build_object('paymentMethodInfo', jsonb_build_object(
                         'paymentInterface', 'gift-card', 'token', jsonb_build_object('value', wanted.code)))) p
 WHERE coalesce(t.used, 0) <> p.charged;

-- name: record_findings
-- Findings seen now: new ones open, known ones stay, those that came back open again. Beyond $9 open
-- ones the list takes no new ones. Answers those that are new to it.
INSERT INTO finding AS f (project, check_name, kind, subject, walk, place, detail, remedy)
SELECT project, check_name, kind, subject, walk, place, detail, remedy
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
       AS seen (project, check_name, kind, subject, walk, place, detail, remedy)
 WHERE (SELECT count(*) FROM finding o WHERE o.gone_at IS NULL) < $9
    OR EXISTS (SELECT FROM finding k
                WHERE k.project = seen.project AND k.check_name = seen.check_name
                  AND k.kind = seen.kind AND k.subject = seen.subject)
    ON CONFLICT (project, check_name, kind, subject) DO UPDATE
   SET last_seen = now(),
       first_seen = CASE WHEN f.gone_at IS NULL THEN f.first_seen ELSE now() END,
       gone_at = NULL,
       mended = NULL,
       detail = excluded.detail,
       remedy = excluded.remedy,
       walk = excluded.walk,
       place = excluded.place
RETURNING f.project, f.check_name, f.kind, f.subject, f.first_seen = f.last_seen AS is_new;

-- name: open_findings
-- What is open, oldest sighting first.
SELECT f.project, f.check_name, f.kind, f.subject, f.walk, f.place, f.detail, f.remedy, f.first_seen, f.last_seen
  FROM finding f
 WHERE f.gone_at IS NULL AND f.walk = $1
 ORDER BY f.last_seen, f.project, f.subject
 LIMIT $2;

-- name: findings_of_project
-- What is open in a project, of some checks; in pages.
SELECT f.project, f.check_name, f.kind, f.subject, f.walk, f.place, f.detail, f.remedy, f.first_seen, f.last_seen
  FROM finding f
 WHERE f.gone_at IS NULL AND f.project = $1 AND f.check_name = ANY($2::text[])
 ORDER BY f.first_seen, f.check_name, f.subject
 LIMIT $3 OFFSET $4;

-- name: count_findings
SELECT count(*) AS total
  FROM finding f
 WHERE f.gone_at IS NULL AND f.project = $1 AND f.check_name = ANY($2::text[]);

-- name: findings_gone
UPDATE finding f
   SET gone_at = now(), mended = coalesce($5, f.mended)
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS gone (project, check_name, kind, subject)
 WHERE f.project = gone.project AND f.check_name = gone.check_name AND f.kind = gone.kind AND f.subject = gone.subject
   AND f.gone_at IS NULL;

-- name: unseen_findings_gone
-- After a whole pass: what it did not see again is gone.
UPDATE finding f
   SET gone_at = now()
 WHERE f.walk = $1 AND f.gone_at IS NULL AND f.last_seen < $2;

-- name: purge_findings
-- What has been gone for long is forgotten, a bounded number at a time.
DELETE FROM finding
 WHERE (project, check_name, kind, subject) IN (
       SELECT f.project, f.check_name, f.kind, f.subject
         FROM finding f
        WHERE f.gone_at < now() - make_interval(days => $1::int)
        LIMIT $2);

-- name: passes
SELECT a.walk, a.project, a.place, a.started_at, a.completed_at, a.spent_seconds, a.looked_at, a.passed_over
  FROM audit_pass a
 WHERE a.lane = $1;

-- name: keep_pass
INSERT INTO audit_pass AS a (lane, walk, project, place, started_at, spent_seconds, looked_at, passed_over)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (lane, walk) DO UPDATE
   SET project = excluded.project,
       place = excluded.place,
       started_at = excluded.started_at,
       spent_seconds = excluded.spent_seconds,
       looked_at = excluded.looked_at,
       passed_over = excluded.passed_over;

-- name: complete_pass
UPDATE audit_pass a
   SET project = '', place = '[]', completed_at = now(), last_seconds = $3, last_looked_at = $4
 WHERE a.lane = $1 AND a.walk = $2;

-- name: audit_in_numbers
-- For the metrics: open findings by check, and how each walk goes.
SELECT 'finding' AS what, f.check_name AS name, count(*)::double precision AS number,
       NULL::double precision AS age_seconds,
       NULL::double precision AS seconds, NULL::bigint AS passed_over
  FROM finding f
 WHERE f.gone_at IS NULL
 GROUP BY f.check_name
UNION ALL
SELECT a.lane, a.walk, a.last_looked_at, extract(epoch FROM now() - a.completed_at), a.last_seconds, a.passed_over
  FROM audit_pass a
 ORDER BY 1, 2;

-- name: own_missing_value
-- A value its document has by right and nobody owns.
INSERT INTO unique_value (project, kind, field, value, id)
SELECT d.project, $2, $4, $5, d.id
  FROM {table} d
 WHERE d.project = $1 AND d.id = $3::uuid AND d.version = $6
    ON CONFLICT DO NOTHING
RETURNING id;

-- name: disown_orphan_value
-- A value whose owner is gone; others may have it now.
DELETE FROM unique_value u
 WHERE u.project = $1 AND u.kind = $2 AND u.field = $3 AND u.value = $4 AND u.id = $5::uuid
   AND NOT EXISTS (SELECT FROM {table} d WHERE d.project = $1 AND d.id = $5::uuid)
RETURNING u.id;

-- name: lock_stock_entry
SELECT s.on_stock, s.reserved
  FROM stock s
 WHERE s.project = $1 AND s.entry_id = $2::uuid
   FOR UPDATE OF s;

-- name: held_of_entry
-- What live orders hold of one entry.
SELECT coalesce(sum((h.value->>'quantity')::bigint), 0)::bigint AS held
  FROM "order" o
 CROSS JOIN LATERAL jsonb_array_elements(o.query->'stockHeld') h
 WHERE o.project = $1
   AND o.query @> jsonb_build_object('stockHeld', jsonb_build_array(jsonb_build_object('entryId', $2::text)))
   AND h.value->>'entryId' = $2::text
   AND o.query->>'orderState' <> 'Cancelled'
   AND coalesce((SELECT i.value->>'inventoryMode'
                   FROM jsonb_array_elements(o.query->'lineItems') i
                  WHERE i.value->>'id' = h.value->>'lineItemId'),
                o.query->>'inventoryMode') IS DISTINCT FROM 'TrackOnly';

-- name: correct_stock
-- Counters as they ought to be.
UPDATE stock s
   SET on_stock = $3::bigint, reserved = $4::bigint, unguarded = $3::bigint - $4::bigint < 0
 WHERE s.project = $1 AND s.entry_id = $2::uuid;

-- name: correct_ledger
-- The movement that says so.
INSERT INTO stock_ledger (project, entry_id, at, movement, on_stock, reserved, reference_kind, reference_id, reference_version)
VALUES ($1, $2::uuid, now(), 'correct', $3, $4, 'inventory-entry', $2::uuid, 0);
