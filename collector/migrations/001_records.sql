-- Companies, their appliances, and the records and recordings that these deliver.

CREATE TABLE company (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 200),
    -- How the telephone numbers of its callers are read: ISO 3166, two letters.
    country text NOT NULL DEFAULT 'CN' CHECK (country ~ '^[A-Z]{2}$'),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE device (
    id uuid PRIMARY KEY,
    company uuid NOT NULL REFERENCES company,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    enrolled_at timestamptz NOT NULL DEFAULT now(),
    -- Known only from a folder that was imported: it never enrolled.
    imported boolean NOT NULL DEFAULT false,
    denied_at timestamptz,
    denied_reason text
);
CREATE INDEX device_company ON device (company);

-- What an appliance said of its queue, and which of its numbers arrived. One row per appliance, made with it; whoever
-- changes records of an appliance locks this row first, so no two do so at once. Room in the page keeps updates cheap.
CREATE TABLE device_progress (
    device uuid PRIMARY KEY REFERENCES device ON DELETE CASCADE,
    highest_seq bigint NOT NULL DEFAULT 0,
    highest_version bigint NOT NULL DEFAULT 0,
    queued bigint NOT NULL DEFAULT 0,
    next_seq bigint NOT NULL DEFAULT 1,
    oldest_seq bigint,
    last_seen_at timestamptz,
    clock_offset_ms bigint,
    clock_trusted boolean,
    -- Ranges of seq that arrived: first, after-last, first, after-last, ... in order.
    seen bigint[] NOT NULL DEFAULT '{}',
    -- So many that never arrived are not listed any more, as there are too many gaps.
    forgotten bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 70);

CREATE FUNCTION make_device_progress() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO device_progress (device) VALUES (NEW.id);
    RETURN NEW;
END $$;
CREATE TRIGGER device_has_progress AFTER INSERT ON device FOR EACH ROW EXECUTE FUNCTION make_device_progress();

-- A record as its last version is. The id is a UUIDv7 and begins with its time, so a month is a range of ids: the
-- primary key is unique for the record's whole life, and old months cost nothing (partitions.py makes them).
-- No reference to device: it would cost a look-up per record; the lock on device_progress shows that it is there.
CREATE TABLE record (
    record_id uuid NOT NULL,
    device uuid NOT NULL,
    kind text NOT NULL,
    version bigint NOT NULL,
    seq bigint NOT NULL,
    -- When it happened, on the appliance's clock; with `clock_trusted` false that clock was not set.
    at timestamptz,
    clock_trusted boolean NOT NULL DEFAULT false,
    stored_at timestamptz NOT NULL DEFAULT now(),
    erased_at timestamptz,
    -- The caller was erased here; the call stays for the count, and no later version brings the caller back.
    blanked_at timestamptz,
    urgent boolean,
    -- The caller, E.164 where the company's country makes that of it.
    number text,
    -- The call that this belongs to.
    call_id uuid,
    blob_sha256 bytea,
    body_hash bytea,
    body jsonb,
    PRIMARY KEY (record_id, device),
    CHECK (erased_at IS NULL OR (body IS NULL AND body_hash IS NULL AND number IS NULL AND blob_sha256 IS NULL
                                 AND call_id IS NULL AND urgent IS NULL))
) PARTITION BY RANGE (record_id);
CREATE INDEX record_of_device ON record (device, record_id);
CREATE INDEX record_of_number ON record (number) WHERE number IS NOT NULL;
CREATE INDEX record_of_call ON record (call_id) WHERE call_id IS NOT NULL;
CREATE INDEX record_of_blob ON record (device, blob_sha256) WHERE blob_sha256 IS NOT NULL;

-- Ids before 2026: an appliance whose clock began in 1970. Ids in no month that was made: `record_default`.
CREATE TABLE record_early PARTITION OF record
    FOR VALUES FROM (MINVALUE) TO ('019b76da-a800-0000-0000-000000000000');
CREATE TABLE record_default PARTITION OF record DEFAULT;

-- Another body under the id and version of one that is there: a fault that a person must see.
CREATE TABLE record_conflict (
    device uuid NOT NULL,
    record_id uuid NOT NULL,
    version bigint NOT NULL,
    body_hash bytea NOT NULL,
    number text,
    body jsonb NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (device, record_id, version, body_hash)
);

-- A recording that is whole in the object store.
CREATE TABLE blob (
    device uuid NOT NULL REFERENCES device,
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    bytes bigint NOT NULL CHECK (bytes >= 0),
    stored_at timestamptz NOT NULL DEFAULT now(),
    -- A record referred to it at some time. One that none ever refers to is taken away after some days.
    used boolean NOT NULL DEFAULT false,
    PRIMARY KEY (device, sha256)
);
CREATE INDEX blob_unused ON blob (stored_at) WHERE NOT used;

-- A recording that no record needs any more; a sweeper takes it out of the object store.
CREATE TABLE doomed_blob (
    device uuid NOT NULL,
    sha256 bytea NOT NULL,
    doomed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (device, sha256)
);
CREATE INDEX doomed_blob_age ON doomed_blob (doomed_at);

-- That something was erased, how much and when: nothing in here tells of whom.
CREATE TABLE erasure_receipt (
    id uuid PRIMARY KEY,
    company uuid NOT NULL REFERENCES company,
    erased_at timestamptz NOT NULL,
    counts jsonb NOT NULL
);
CREATE INDEX erasure_receipt_company ON erasure_receipt (company, erased_at);
