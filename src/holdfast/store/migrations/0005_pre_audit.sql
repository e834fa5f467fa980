-- What the audit found and has not seen mended: one row a broken promise and resource.
-- remedy: what would mend it. gone_at: when it was no longer there. mended: what `holdfast audit --apply` did.
CREATE TABLE finding (
    project     text        NOT NULL,
    check_name  text        NOT NULL,
    kind        text        NOT NULL,
    subject     text        NOT NULL,
    walk        text        NOT NULL,
    place       text        NOT NULL,
    detail      text        NOT NULL,
    remedy      text        NOT NULL,
    first_seen  timestamptz NOT NULL DEFAULT now(),
    last_seen   timestamptz NOT NULL DEFAULT now(),
    gone_at     timestamptz,
    mended      text,
    PRIMARY KEY (project, check_name, kind, subject)
);
CREATE INDEX finding_open ON finding (walk, project, check_name) WHERE gone_at IS NULL;

-- How far each walk of the audit has come, so that whoever takes over goes on there.
-- spent_seconds, looked_at, passed_over: of the pass under way; passed_over took too long to look at.
CREATE TABLE audit_pass (
    lane            text             NOT NULL,
    walk            text             NOT NULL,
    project         text             NOT NULL DEFAULT '',
    place           text             NOT NULL DEFAULT '[]',
    started_at      timestamptz      NOT NULL DEFAULT now(),
    completed_at    timestamptz,
    spent_seconds   double precision NOT NULL DEFAULT 0,
    looked_at       bigint           NOT NULL DEFAULT 0,
    passed_over     bigint           NOT NULL DEFAULT 0,
    last_seconds    double precision,
    last_looked_at  bigint,
    PRIMARY KEY (lane, walk)
);
