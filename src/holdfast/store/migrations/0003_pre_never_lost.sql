-- One row a batch. It is written by the batch itself, or by whoever lost the connection at its COMMIT:
-- then the batch never committed and never can.
-- (A transaction number will not do: after a crash or a failover it is given out again.)
CREATE TABLE fate (
    id          uuid        PRIMARY KEY,
    committed   boolean     NOT NULL,
    decided_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX fate_age ON fate (decided_at);

-- Every movement of every counter, in the order it happened; their sums are the counters of `stock`.
CREATE TABLE stock_ledger (
    project            text        NOT NULL,
    entry_id           uuid        NOT NULL,
    position           bigint      GENERATED ALWAYS AS IDENTITY,
    at                 timestamptz NOT NULL,
    movement           text        NOT NULL,
    on_stock           bigint      NOT NULL,
    reserved           bigint      NOT NULL,
    reference_kind     text        NOT NULL,
    reference_id       uuid        NOT NULL,
    reference_version  bigint      NOT NULL,
    PRIMARY KEY (project, entry_id, position)
);
INSERT INTO stock_ledger (project, entry_id, at, movement, on_stock, reserved, reference_kind, reference_id, reference_version)
SELECT s.project, s.entry_id, now(), 'open', s.on_stock, s.reserved, 'inventory-entry', s.entry_id, 0
  FROM stock s;

-- Counted uses under a limit: of discount codes, of gift card balances.
CREATE TABLE tally (
    project  text   NOT NULL,
    name     text   NOT NULL,
    used     bigint NOT NULL DEFAULT 0 CHECK (used >= 0),
    PRIMARY KEY (project, name)
);

-- What a keyed request was answered, written by the transaction that made it true.
CREATE TABLE idempotency (
    project      text        NOT NULL,
    client_id    text        NOT NULL,
    key          text        NOT NULL,
    fingerprint  bytea       NOT NULL,
    status       smallint    NOT NULL,
    kind         text        NOT NULL,
    resource_id  uuid        NOT NULL,
    version      bigint      NOT NULL,
    body         bytea       NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (project, client_id, key)
);
CREATE INDEX idempotency_age ON idempotency (created_at);
