-- Who is let in: the authority, claim codes, certificates, nonces; and which uploads were begun.

-- One row, made by the first copy that starts, unless the authority lies in a folder.
CREATE TABLE authority (
    id integer PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    key_pem text NOT NULL,
    certificate_pem text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now()
);

-- A one-time code, known here by its hash only. `device` and `key_hash` are set by the appliance that used it: the same
-- key may ask again, as its answer may have been lost.
CREATE TABLE claim (
    code_hash bytea PRIMARY KEY CHECK (length(code_hash) = 32),
    company uuid NOT NULL REFERENCES company,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    made_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    device uuid REFERENCES device,
    key_hash bytea,
    CHECK ((device IS NULL) = (key_hash IS NULL))
);

-- Each certificate that was given. `renews` names the one before it: each is renewed once, and the same renewal may be
-- asked for again.
CREATE TABLE certificate (
    serial numeric PRIMARY KEY,
    device uuid NOT NULL REFERENCES device,
    key_hash bytea NOT NULL,
    renews numeric UNIQUE REFERENCES certificate,
    given_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    pem text NOT NULL
);
CREATE INDEX certificate_device ON certificate (device, given_at);

-- Signed requests that were here, for as long as their time would be accepted.
CREATE TABLE nonce (
    device uuid NOT NULL,
    nonce bytea NOT NULL CHECK (length(nonce) = 16),
    used_until timestamptz NOT NULL,
    PRIMARY KEY (device, nonce)
);
CREATE INDEX nonce_age ON nonce (used_until);

-- Uploads that may have left objects behind; gone when the recording is whole.
CREATE TABLE upload (
    device uuid NOT NULL REFERENCES device,
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    begun_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (device, sha256)
);
CREATE INDEX upload_age ON upload (begun_at);
