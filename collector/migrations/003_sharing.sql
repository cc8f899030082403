-- What the appliances of a company share, and what the collector wants of them (docs/sharing.md).

-- Counts a company's changes. Who makes one locks this row until its commit: so changes become visible in their order,
-- and an appliance that has seen number n has seen all before it. One pointer per appliance is then enough.
CREATE TABLE company_change (
    company uuid PRIMARY KEY REFERENCES company ON DELETE CASCADE,
    change bigint NOT NULL
);

-- A shared item as it is now. Its version is the number of the company's change that made it so.
CREATE TABLE shared_item (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    company uuid NOT NULL REFERENCES company ON DELETE CASCADE,
    kind text NOT NULL,
    -- 'erased/' and the id, once it was erased.
    key text NOT NULL CHECK (length(key) <= 64),
    version bigint NOT NULL,
    -- NULL: it was removed.
    body jsonb,
    -- Per field: the version that changed it last, and who made that.
    touches jsonb NOT NULL DEFAULT '{}',
    removed jsonb,
    file_sha256 text,
    changed_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (company, kind, key),
    UNIQUE (company, version)
);

-- Ids that branches gave to items which another branch had made before them: they may erase by them.
CREATE TABLE shared_alias (
    company uuid NOT NULL REFERENCES company ON DELETE CASCADE,
    alias uuid NOT NULL,
    item uuid NOT NULL REFERENCES shared_item ON DELETE CASCADE,
    PRIMARY KEY (company, alias)
);
CREATE INDEX shared_alias_of_item ON shared_alias (item);

-- Prompts, which are small and few. The same sound under two names is kept once.
CREATE TABLE shared_file (
    company uuid NOT NULL REFERENCES company ON DELETE CASCADE,
    sha256 text NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (company, sha256)
);

-- Edits of branches that arrived and wait for their turn: filled by the trigger below, in the transaction that stores
-- the record, so that an edit that was answered is never lost.
CREATE TABLE shared_edit (
    arrival bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    company uuid NOT NULL REFERENCES company ON DELETE CASCADE,
    device uuid NOT NULL,
    record_id uuid NOT NULL,
    body jsonb NOT NULL
);
CREATE INDEX shared_edit_of_company ON shared_edit (company, arrival);
CREATE INDEX shared_edit_of_record ON shared_edit (device, record_id);

-- What an edit wanted and did not get, for people to see.
CREATE TABLE shared_conflict (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    item uuid NOT NULL REFERENCES shared_item ON DELETE CASCADE,
    device uuid NOT NULL,
    field text NOT NULL,
    value jsonb NOT NULL,
    base_version bigint NOT NULL,
    version bigint NOT NULL,
    edited_at text,
    kept_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX shared_conflict_of_item ON shared_conflict (item);

-- What an appliance cannot use, and why; gone once it took a later version.
CREATE TABLE shared_refusal (
    device uuid NOT NULL REFERENCES device ON DELETE CASCADE,
    version bigint NOT NULL,
    reason text NOT NULL,
    refused_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (device, version)
);

-- How far an appliance has come with what is shared.
CREATE TABLE device_down (
    device uuid PRIMARY KEY REFERENCES device ON DELETE CASCADE,
    change bigint NOT NULL
) WITH (fillfactor = 70);

-- An erasure that appliances carry out. `body` says of whom or what, until the last of them has.
CREATE TABLE erasure_order (
    id uuid PRIMARY KEY,
    company uuid NOT NULL REFERENCES company ON DELETE CASCADE,
    change bigint NOT NULL,
    body jsonb,
    counts jsonb NOT NULL,
    ordered_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (company, change)
);
CREATE TABLE erasure_order_device (
    device uuid NOT NULL REFERENCES device ON DELETE CASCADE,
    change bigint NOT NULL,
    erasure uuid NOT NULL REFERENCES erasure_order ON DELETE CASCADE,
    acknowledged_at timestamptz,
    done boolean,
    reason text,
    PRIMARY KEY (device, change)
);
CREATE INDEX erasure_order_devices ON erasure_order_device (erasure);

-- An edit is a record like any other: stored once, by its version. What it says moves on from there, so that erasing
-- an item has one place to look at.
CREATE FUNCTION queue_shared_edit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM shared_edit WHERE device = NEW.device AND record_id = NEW.record_id;
    IF NEW.body IS NOT NULL THEN
        INSERT INTO shared_edit (company, device, record_id, body)
            SELECT company, NEW.device, NEW.record_id, NEW.body FROM device WHERE id = NEW.device;
        UPDATE record SET body = NULL, number = NULL WHERE record_id = NEW.record_id AND device = NEW.device;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER record_queues_shared_edit AFTER INSERT OR UPDATE OF body ON record
    FOR EACH ROW WHEN (NEW.kind = 'shared' AND (NEW.body IS NOT NULL OR NEW.erased_at IS NOT NULL))
    EXECUTE FUNCTION queue_shared_edit();
