-- A database as version 3 (with incident reports) left it. Never edit: it stands for what is on cards in the field.
PRAGMA journal_mode = WAL;
BEGIN;
CREATE TABLE call (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    line TEXT NOT NULL,
    caller_number TEXT,
    caller_name TEXT,
    number_absence TEXT NOT NULL,
    started_at TEXT NOT NULL,
    answered_at TEXT,
    ended_at TEXT,
    end_reason TEXT,
    evidence TEXT,
    language TEXT,
    path TEXT NOT NULL DEFAULT '[]',
    clock_trusted INTEGER NOT NULL
);
CREATE INDEX call_unended ON call (id) WHERE ended_at IS NULL;
CREATE INDEX call_of_number ON call (caller_number);
CREATE TABLE recording (
    id TEXT PRIMARY KEY NOT NULL,
    call_id TEXT NOT NULL REFERENCES call (id),
    purpose TEXT NOT NULL,
    file TEXT NOT NULL UNIQUE,
    sample_format TEXT NOT NULL,
    total_samples INTEGER NOT NULL,
    kept_samples INTEGER NOT NULL,
    end TEXT NOT NULL,
    evidence TEXT,
    voiced INTEGER NOT NULL,
    recorded_at TEXT NOT NULL,
    clock_trusted INTEGER NOT NULL
);
CREATE INDEX recording_of_call ON recording (call_id);
CREATE TABLE message (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    call_id TEXT NOT NULL REFERENCES call (id),
    recording_id TEXT NOT NULL UNIQUE REFERENCES recording (id),
    caller_number TEXT,
    language TEXT,
    urgent INTEGER NOT NULL DEFAULT 0,
    interrupted INTEGER NOT NULL DEFAULT 0,
    handled INTEGER NOT NULL DEFAULT 0,
    kept_at TEXT NOT NULL,
    clock_trusted INTEGER NOT NULL
);
CREATE INDEX message_of_call ON message (call_id);
CREATE TABLE callback (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    call_id TEXT NOT NULL REFERENCES call (id),
    phone TEXT NOT NULL,
    language TEXT,
    preferred TEXT NOT NULL,
    reason_id TEXT UNIQUE REFERENCES recording (id),
    state TEXT NOT NULL DEFAULT 'open',
    attempts INTEGER NOT NULL DEFAULT 0,
    requested_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    clock_trusted INTEGER NOT NULL
);
CREATE UNIQUE INDEX callback_open ON callback (phone) WHERE state = 'open' AND phone <> '';
CREATE INDEX callback_of_call ON callback (call_id);
CREATE TABLE language (
    number TEXT PRIMARY KEY NOT NULL,
    language TEXT NOT NULL,
    chosen_at TEXT NOT NULL
);
CREATE TABLE incident (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    place TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT,
    summary TEXT NOT NULL,
    clock_trusted INTEGER NOT NULL
);
CREATE UNIQUE INDEX incident_open ON incident (kind, place) WHERE ended_at IS NULL;
CREATE TABLE incident_action (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    incident_id TEXT NOT NULL REFERENCES incident (id),
    at TEXT NOT NULL,
    action TEXT NOT NULL
);
CREATE INDEX action_of_incident ON incident_action (incident_id);
CREATE TABLE doomed_file (file TEXT PRIMARY KEY NOT NULL);
INSERT INTO call VALUES (1, '01a1ee5d-7a10-7000-8000-000000000001', 'front', '13800138000', '王 Wang', 'not_sent', '2026-03-01T08:00:00.000+00:00', '2026-03-01T08:00:01.000+00:00', '2026-03-01T08:00:09.000+00:00', 'completed', NULL, 'zh', '["welcome", "menu", "message"]', 1);
INSERT INTO recording VALUES ('01a1ee5d-7a10-7000-8000-000000000002', '01a1ee5d-7a10-7000-8000-000000000001', 'message', '01a1ee5d-7a10-7000-8000-000000000002.01a1ee5d-7a10-7000-8000-000000000001.message.ulaw.wav', 'ulaw', 20000, 16000, 'key', NULL, 1, '2026-03-01T08:00:03.000+00:00', 1);
INSERT INTO message VALUES (41, '01a1ee5d-7a10-7000-8000-000000000003', '01a1ee5d-7a10-7000-8000-000000000001', '01a1ee5d-7a10-7000-8000-000000000002', '13800138000', 'zh', 1, 0, 0, '2026-03-01T08:00:06.000+00:00', 1);
-- Number 42 was given once, and its message deleted.
UPDATE sqlite_sequence SET seq = 42 WHERE name = 'message';
INSERT INTO callback VALUES (7, '01a1ee5d-7a10-7000-8000-000000000004', '01a1ee5d-7a10-7000-8000-000000000001', '13800138000', 'zh', 'morning', NULL, 'open', 1, '2026-03-01T08:00:07.000+00:00', '2026-03-01T08:00:07.000+00:00', 1);
INSERT INTO language VALUES ('13800138000', 'zh', '2026-03-01T08:00:02.000+00:00');
INSERT INTO incident VALUES (1, '01a1ee5d-7a10-7000-8000-000000000005', 'line_fault', 'front', '2026-03-01T08:00:08.000+00:00', NULL, 'the modem on line front is gone', 1);
INSERT INTO incident_action VALUES (1, '01a1ee5d-7a10-7000-8000-000000000005', '2026-03-01T08:00:09.000+00:00', 'opened the port again');
ALTER TABLE message ADD COLUMN transcript TEXT;
ALTER TABLE message ADD COLUMN transcript_confidence REAL;
UPDATE message SET transcript = 'please call me back', transcript_confidence = 0.8;
ALTER TABLE incident ADD COLUMN effect TEXT;
ALTER TABLE incident ADD COLUMN drill INTEGER NOT NULL DEFAULT 0;
CREATE TABLE incident_notice (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    incident_id TEXT NOT NULL REFERENCES incident (id),
    at TEXT NOT NULL,
    who TEXT NOT NULL,
    how TEXT NOT NULL,
    result TEXT NOT NULL
);
CREATE INDEX notice_of_incident ON incident_notice (incident_id);
UPDATE incident SET effect = 'callers of line front were not answered';
INSERT INTO incident_notice VALUES (1, '01a1ee5d-7a10-7000-8000-000000000005', '2026-03-01T08:00:10.000+00:00', 'Li Wei', 'by telephone', 'acknowledged');
CREATE TABLE outbox_counter (version INTEGER NOT NULL, least_seq INTEGER NOT NULL);
INSERT INTO outbox_counter VALUES (CAST(strftime('%s', 'now') AS INTEGER), 0);
CREATE TABLE outbox_route (
        name TEXT PRIMARY KEY NOT NULL,
        delay_seconds REAL NOT NULL,
        last_seq INTEGER NOT NULL,
        last_success_at TEXT,
        last_error TEXT
    );
CREATE TABLE outbox_subscription (
        route TEXT NOT NULL REFERENCES outbox_route (name),
        kind TEXT NOT NULL,
        changes INTEGER NOT NULL,
        history_after TEXT,
        history_until TEXT,
        PRIMARY KEY (route, kind)
    ) WITHOUT ROWID;
CREATE TABLE outbox (
        route TEXT NOT NULL REFERENCES outbox_route (name),
        seq INTEGER NOT NULL,
        kind TEXT NOT NULL,
        record_id TEXT NOT NULL,
        version INTEGER NOT NULL,
        queued_at TEXT NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        refusals INTEGER NOT NULL DEFAULT 0,
        state TEXT NOT NULL DEFAULT 'waiting',
        reason TEXT NOT NULL DEFAULT '',
        blob_sha256 TEXT,
        blob_bytes INTEGER,
        PRIMARY KEY (route, seq)
    ) WITHOUT ROWID;
CREATE UNIQUE INDEX outbox_record ON outbox (kind, record_id, route);
CREATE TABLE health (
        id TEXT PRIMARY KEY NOT NULL,
        at TEXT NOT NULL,
        body TEXT NOT NULL,
        clock_trusted INTEGER NOT NULL
    );
CREATE TABLE backup_log (
        id TEXT PRIMARY KEY NOT NULL,
        made_at TEXT NOT NULL,
        file TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        recordings INTEGER NOT NULL,
        result TEXT NOT NULL,
        summary TEXT NOT NULL,
        clock_trusted INTEGER NOT NULL
    );
ALTER TABLE recording ADD COLUMN delivered_at TEXT;
ALTER TABLE recording ADD COLUMN released_at TEXT;
CREATE TRIGGER outbox_new_call AFTER INSERT ON call BEGIN
        UPDATE outbox_counter SET version = version + 1 WHERE EXISTS (SELECT route FROM outbox_subscription WHERE kind = 'call');
        UPDATE outbox SET version = (SELECT version FROM outbox_counter), state = 'waiting', refusals = 0, reason = ''
            WHERE kind = 'call' AND record_id = NEW.id AND route IN (SELECT route FROM outbox_subscription WHERE kind = 'call');
        UPDATE outbox_route SET last_seq = last_seq + 1 WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'call') AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'call' AND record_id = NEW.id AND route = name);
        INSERT INTO outbox (route, seq, kind, record_id, version, queued_at)
            SELECT name, last_seq, 'call', NEW.id, (SELECT version FROM outbox_counter), strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')
            FROM outbox_route WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'call') AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'call' AND record_id = NEW.id AND route = name);
    END;
CREATE TRIGGER outbox_changed_call AFTER UPDATE OF line, caller_number, caller_name, started_at, answered_at, ended_at, end_reason, language, path, clock_trusted ON call WHEN OLD.line IS NOT NEW.line OR OLD.caller_number IS NOT NEW.caller_number OR OLD.caller_name IS NOT NEW.caller_name OR OLD.started_at IS NOT NEW.started_at OR OLD.answered_at IS NOT NEW.answered_at OR OLD.ended_at IS NOT NEW.ended_at OR OLD.end_reason IS NOT NEW.end_reason OR OLD.language IS NOT NEW.language OR OLD.path IS NOT NEW.path OR OLD.clock_trusted IS NOT NEW.clock_trusted BEGIN
        UPDATE outbox_counter SET version = version + 1 WHERE EXISTS (SELECT route FROM outbox_subscription WHERE kind = 'call' AND changes);
        UPDATE outbox SET version = (SELECT version FROM outbox_counter), state = 'waiting', refusals = 0, reason = ''
            WHERE kind = 'call' AND record_id = NEW.id AND route IN (SELECT route FROM outbox_subscription WHERE kind = 'call' AND changes);
        UPDATE outbox_route SET last_seq = last_seq + 1 WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'call' AND changes) AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'call' AND record_id = NEW.id AND route = name);
        INSERT INTO outbox (route, seq, kind, record_id, version, queued_at)
            SELECT name, last_seq, 'call', NEW.id, (SELECT version FROM outbox_counter), strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')
            FROM outbox_route WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'call' AND changes) AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'call' AND record_id = NEW.id AND route = name);
    END;
CREATE TRIGGER outbox_erased_call AFTER DELETE ON call BEGIN
        UPDATE outbox_counter SET version = version + 1 WHERE EXISTS (SELECT route FROM outbox_subscription WHERE kind = 'call' AND changes);
        UPDATE outbox SET version = (SELECT version FROM outbox_counter), state = 'waiting', refusals = 0, reason = ''
            WHERE kind = 'call' AND record_id = OLD.id AND route IN (SELECT route FROM outbox_subscription WHERE kind = 'call' AND changes);
        UPDATE outbox_route SET last_seq = last_seq + 1 WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'call' AND changes) AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'call' AND record_id = OLD.id AND route = name);
        INSERT INTO outbox (route, seq, kind, record_id, version, queued_at)
            SELECT name, last_seq, 'call', OLD.id, (SELECT version FROM outbox_counter), strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')
            FROM outbox_route WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'call' AND changes) AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'call' AND record_id = OLD.id AND route = name);
    DELETE FROM outbox WHERE kind = 'call' AND record_id = OLD.id AND route IN (SELECT route FROM outbox_subscription WHERE kind = 'call' AND NOT changes); END;
CREATE TRIGGER outbox_new_recording AFTER INSERT ON recording BEGIN
        UPDATE outbox_counter SET version = version + 1 WHERE EXISTS (SELECT route FROM outbox_subscription WHERE kind = 'recording');
        UPDATE outbox SET version = (SELECT version FROM outbox_counter), state = 'waiting', refusals = 0, reason = ''
            WHERE kind = 'recording' AND record_id = NEW.id AND route IN (SELECT route FROM outbox_subscription WHERE kind = 'recording');
        UPDATE outbox_route SET last_seq = last_seq + 1 WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'recording') AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'recording' AND record_id = NEW.id AND route = name);
        INSERT INTO outbox (route, seq, kind, record_id, version, queued_at)
            SELECT name, last_seq, 'recording', NEW.id, (SELECT version FROM outbox_counter), strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')
            FROM outbox_route WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'recording') AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'recording' AND record_id = NEW.id AND route = name);
    END;
CREATE TRIGGER outbox_erased_recording AFTER DELETE ON recording BEGIN
        UPDATE outbox_counter SET version = version + 1 WHERE EXISTS (SELECT route FROM outbox_subscription WHERE kind = 'recording' AND changes);
        UPDATE outbox SET version = (SELECT version FROM outbox_counter), state = 'waiting', refusals = 0, reason = ''
            WHERE kind = 'recording' AND record_id = OLD.id AND route IN (SELECT route FROM outbox_subscription WHERE kind = 'recording' AND changes);
        UPDATE outbox_route SET last_seq = last_seq + 1 WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'recording' AND changes) AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'recording' AND record_id = OLD.id AND route = name);
        INSERT INTO outbox (route, seq, kind, record_id, version, queued_at)
            SELECT name, last_seq, 'recording', OLD.id, (SELECT version FROM outbox_counter), strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')
            FROM outbox_route WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'recording' AND changes) AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'recording' AND record_id = OLD.id AND route = name);
    DELETE FROM outbox WHERE kind = 'recording' AND record_id = OLD.id AND route IN (SELECT route FROM outbox_subscription WHERE kind = 'recording' AND NOT changes); END;
CREATE TRIGGER outbox_new_message AFTER INSERT ON message BEGIN
        UPDATE outbox_counter SET version = version + 1 WHERE EXISTS (SELECT route FROM outbox_subscription WHERE kind = 'message');
        UPDATE outbox SET version = (SELECT version FROM outbox_counter), state = 'waiting', refusals = 0, reason = ''
            WHERE kind = 'message' AND record_id = NEW.id AND route IN (SELECT route FROM outbox_subscription WHERE kind = 'message');
        UPDATE outbox_route SET last_seq = last_seq + 1 WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'message') AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'message' AND record_id = NEW.id AND route = name);
        INSERT INTO outbox (route, seq, kind, record_id, version, queued_at)
            SELECT name, last_seq, 'message', NEW.id, (SELECT version FROM outbox_counter), strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')
            FROM outbox_route WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'message') AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'message' AND record_id = NEW.id AND route = name);
    END;
CREATE TRIGGER outbox_changed_message AFTER UPDATE OF call_id, recording_id, caller_number, language, urgent, interrupted, handled, transcript, clock_trusted ON message WHEN OLD.call_id IS NOT NEW.call_id OR OLD.recording_id IS NOT NEW.recording_id OR OLD.caller_number IS NOT NEW.caller_number OR OLD.language IS NOT NEW.language OR OLD.urgent IS NOT NEW.urgent OR OLD.interrupted IS NOT NEW.interrupted OR OLD.handled IS NOT NEW.handled OR OLD.transcript IS NOT NEW.transcript OR OLD.clock_trusted IS NOT NEW.clock_trusted BEGIN
        UPDATE outbox_counter SET version = version + 1 WHERE EXISTS (SELECT route FROM outbox_subscription WHERE kind = 'message' AND changes);
        UPDATE outbox SET version = (SELECT version FROM outbox_counter), state = 'waiting', refusals = 0, reason = ''
            WHERE kind = 'message' AND record_id = NEW.id AND route IN (SELECT route FROM outbox_subscription WHERE kind = 'message' AND changes);
        UPDATE outbox_route SET last_seq = last_seq + 1 WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'message' AND changes) AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'message' AND record_id = NEW.id AND route = name);
        INSERT INTO outbox (route, seq, kind, record_id, version, queued_at)
            SELECT name, last_seq, 'message', NEW.id, (SELECT version FROM outbox_counter), strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')
            FROM outbox_route WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'message' AND changes) AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'message' AND record_id = NEW.id AND route = name);
    END;
CREATE TRIGGER outbox_erased_message AFTER DELETE ON message BEGIN
        UPDATE outbox_counter SET version = version + 1 WHERE EXISTS (SELECT route FROM outbox_subscription WHERE kind = 'message' AND changes);
        UPDATE outbox SET version = (SELECT version FROM outbox_counter), state = 'waiting', refusals = 0, reason = ''
            WHERE kind = 'message' AND record_id = OLD.id AND route IN (SELECT route FROM outbox_subscription WHERE kind = 'message' AND changes);
        UPDATE outbox_route SET last_seq = last_seq + 1 WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'message' AND changes) AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'message' AND record_id = OLD.id AND route = name);
        INSERT INTO outbox (route, seq, kind, record_id, version, queued_at)
            SELECT name, last_seq, 'message', OLD.id, (SELECT version FROM outbox_counter), strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')
            FROM outbox_route WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'message' AND changes) AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'message' AND record_id = OLD.id AND route = name);
    DELETE FROM outbox WHERE kind = 'message' AND record_id = OLD.id AND route IN (SELECT route FROM outbox_subscription WHERE kind = 'message' AND NOT changes); END;
CREATE TRIGGER outbox_new_callback AFTER INSERT ON callback BEGIN
        UPDATE outbox_counter SET version = version + 1 WHERE EXISTS (SELECT route FROM outbox_subscription WHERE kind = 'callback');
        UPDATE outbox SET version = (SELECT version FROM outbox_counter), state = 'waiting', refusals = 0, reason = ''
            WHERE kind = 'callback' AND record_id = NEW.id AND route IN (SELECT route FROM outbox_subscription WHERE kind = 'callback');
        UPDATE outbox_route SET last_seq = last_seq + 1 WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'callback') AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'callback' AND record_id = NEW.id AND route = name);
        INSERT INTO outbox (route, seq, kind, record_id, version, queued_at)
            SELECT name, last_seq, 'callback', NEW.id, (SELECT version FROM outbox_counter), strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')
            FROM outbox_route WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'callback') AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'callback' AND record_id = NEW.id AND route = name);
    END;
CREATE TRIGGER outbox_changed_callback AFTER UPDATE OF call_id, phone, language, preferred, reason_id, state, attempts, requested_at, clock_trusted ON callback WHEN OLD.call_id IS NOT NEW.call_id OR OLD.phone IS NOT NEW.phone OR OLD.language IS NOT NEW.language OR OLD.preferred IS NOT NEW.preferred OR OLD.reason_id IS NOT NEW.reason_id OR OLD.state IS NOT NEW.state OR OLD.attempts IS NOT NEW.attempts OR OLD.requested_at IS NOT NEW.requested_at OR OLD.clock_trusted IS NOT NEW.clock_trusted BEGIN
        UPDATE outbox_counter SET version = version + 1 WHERE EXISTS (SELECT route FROM outbox_subscription WHERE kind = 'callback' AND changes);
        UPDATE outbox SET version = (SELECT version FROM outbox_counter), state = 'waiting', refusals = 0, reason = ''
            WHERE kind = 'callback' AND record_id = NEW.id AND route IN (SELECT route FROM outbox_subscription WHERE kind = 'callback' AND changes);
        UPDATE outbox_route SET last_seq = last_seq + 1 WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'callback' AND changes) AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'callback' AND record_id = NEW.id AND route = name);
        INSERT INTO outbox (route, seq, kind, record_id, version, queued_at)
            SELECT name, last_seq, 'callback', NEW.id, (SELECT version FROM outbox_counter), strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')
            FROM outbox_route WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'callback' AND changes) AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'callback' AND record_id = NEW.id AND route = name);
    END;
CREATE TRIGGER outbox_erased_callback AFTER DELETE ON callback BEGIN
        UPDATE outbox_counter SET version = version + 1 WHERE EXISTS (SELECT route FROM outbox_subscription WHERE kind = 'callback' AND changes);
        UPDATE outbox SET version = (SELECT version FROM outbox_counter), state = 'waiting', refusals = 0, reason = ''
            WHERE kind = 'callback' AND record_id = OLD.id AND route IN (SELECT route FROM outbox_subscription WHERE kind = 'callback' AND changes);
        UPDATE outbox_route SET last_seq = last_seq + 1 WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'callback' AND changes) AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'callback' AND record_id = OLD.id AND route = name);
        INSERT INTO outbox (route, seq, kind, record_id, version, queued_at)
            SELECT name, last_seq, 'callback', OLD.id, (SELECT version FROM outbox_counter), strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')
            FROM outbox_route WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'callback' AND changes) AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'callback' AND record_id = OLD.id AND route = name);
    DELETE FROM outbox WHERE kind = 'callback' AND record_id = OLD.id AND route IN (SELECT route FROM outbox_subscription WHERE kind = 'callback' AND NOT changes); END;
CREATE TRIGGER outbox_new_incident AFTER INSERT ON incident BEGIN
        UPDATE outbox_counter SET version = version + 1 WHERE EXISTS (SELECT route FROM outbox_subscription WHERE kind = 'incident');
        UPDATE outbox SET version = (SELECT version FROM outbox_counter), state = 'waiting', refusals = 0, reason = ''
            WHERE kind = 'incident' AND record_id = NEW.id AND route IN (SELECT route FROM outbox_subscription WHERE kind = 'incident');
        UPDATE outbox_route SET last_seq = last_seq + 1 WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'incident') AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'incident' AND record_id = NEW.id AND route = name);
        INSERT INTO outbox (route, seq, kind, record_id, version, queued_at)
            SELECT name, last_seq, 'incident', NEW.id, (SELECT version FROM outbox_counter), strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')
            FROM outbox_route WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'incident') AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'incident' AND record_id = NEW.id AND route = name);
    END;
CREATE TRIGGER outbox_changed_incident AFTER UPDATE OF kind, place, started_at, ended_at, summary, effect, drill, clock_trusted ON incident WHEN OLD.kind IS NOT NEW.kind OR OLD.place IS NOT NEW.place OR OLD.started_at IS NOT NEW.started_at OR OLD.ended_at IS NOT NEW.ended_at OR OLD.summary IS NOT NEW.summary OR OLD.effect IS NOT NEW.effect OR OLD.drill IS NOT NEW.drill OR OLD.clock_trusted IS NOT NEW.clock_trusted BEGIN
        UPDATE outbox_counter SET version = version + 1 WHERE EXISTS (SELECT route FROM outbox_subscription WHERE kind = 'incident' AND changes);
        UPDATE outbox SET version = (SELECT version FROM outbox_counter), state = 'waiting', refusals = 0, reason = ''
            WHERE kind = 'incident' AND record_id = NEW.id AND route IN (SELECT route FROM outbox_subscription WHERE kind = 'incident' AND changes);
        UPDATE outbox_route SET last_seq = last_seq + 1 WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'incident' AND changes) AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'incident' AND record_id = NEW.id AND route = name);
        INSERT INTO outbox (route, seq, kind, record_id, version, queued_at)
            SELECT name, last_seq, 'incident', NEW.id, (SELECT version FROM outbox_counter), strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')
            FROM outbox_route WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'incident' AND changes) AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'incident' AND record_id = NEW.id AND route = name);
    END;
CREATE TRIGGER outbox_erased_incident AFTER DELETE ON incident BEGIN
        UPDATE outbox_counter SET version = version + 1 WHERE EXISTS (SELECT route FROM outbox_subscription WHERE kind = 'incident' AND changes);
        UPDATE outbox SET version = (SELECT version FROM outbox_counter), state = 'waiting', refusals = 0, reason = ''
            WHERE kind = 'incident' AND record_id = OLD.id AND route IN (SELECT route FROM outbox_subscription WHERE kind = 'incident' AND changes);
        UPDATE outbox_route SET last_seq = last_seq + 1 WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'incident' AND changes) AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'incident' AND record_id = OLD.id AND route = name);
        INSERT INTO outbox (route, seq, kind, record_id, version, queued_at)
            SELECT name, last_seq, 'incident', OLD.id, (SELECT version FROM outbox_counter), strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')
            FROM outbox_route WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'incident' AND changes) AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'incident' AND record_id = OLD.id AND route = name);
    DELETE FROM outbox WHERE kind = 'incident' AND record_id = OLD.id AND route IN (SELECT route FROM outbox_subscription WHERE kind = 'incident' AND NOT changes); END;
CREATE TRIGGER outbox_new_incident_action AFTER INSERT ON incident_action BEGIN
        UPDATE outbox_counter SET version = version + 1 WHERE EXISTS (SELECT route FROM outbox_subscription WHERE kind = 'incident' AND changes);
        UPDATE outbox SET version = (SELECT version FROM outbox_counter), state = 'waiting', refusals = 0, reason = ''
            WHERE kind = 'incident' AND record_id = NEW.incident_id AND route IN (SELECT route FROM outbox_subscription WHERE kind = 'incident' AND changes);
        UPDATE outbox_route SET last_seq = last_seq + 1 WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'incident' AND changes) AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'incident' AND record_id = NEW.incident_id AND route = name);
        INSERT INTO outbox (route, seq, kind, record_id, version, queued_at)
            SELECT name, last_seq, 'incident', NEW.incident_id, (SELECT version FROM outbox_counter), strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')
            FROM outbox_route WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'incident' AND changes) AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'incident' AND record_id = NEW.incident_id AND route = name);
    END;
CREATE TRIGGER outbox_gone_incident_action AFTER DELETE ON incident_action BEGIN
        UPDATE outbox_counter SET version = version + 1 WHERE EXISTS (SELECT route FROM outbox_subscription WHERE kind = 'incident' AND changes);
        UPDATE outbox SET version = (SELECT version FROM outbox_counter), state = 'waiting', refusals = 0, reason = ''
            WHERE kind = 'incident' AND record_id = OLD.incident_id AND route IN (SELECT route FROM outbox_subscription WHERE kind = 'incident' AND changes);
        UPDATE outbox_route SET last_seq = last_seq + 1 WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'incident' AND changes) AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'incident' AND record_id = OLD.incident_id AND route = name);
        INSERT INTO outbox (route, seq, kind, record_id, version, queued_at)
            SELECT name, last_seq, 'incident', OLD.incident_id, (SELECT version FROM outbox_counter), strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')
            FROM outbox_route WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'incident' AND changes) AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'incident' AND record_id = OLD.incident_id AND route = name);
    END;
CREATE TRIGGER outbox_new_incident_notice AFTER INSERT ON incident_notice BEGIN
        UPDATE outbox_counter SET version = version + 1 WHERE EXISTS (SELECT route FROM outbox_subscription WHERE kind = 'incident' AND changes);
        UPDATE outbox SET version = (SELECT version FROM outbox_counter), state = 'waiting', refusals = 0, reason = ''
            WHERE kind = 'incident' AND record_id = NEW.incident_id AND route IN (SELECT route FROM outbox_subscription WHERE kind = 'incident' AND changes);
        UPDATE outbox_route SET last_seq = last_seq + 1 WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'incident' AND changes) AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'incident' AND record_id = NEW.incident_id AND route = name);
        INSERT INTO outbox (route, seq, kind, record_id, version, queued_at)
            SELECT name, last_seq, 'incident', NEW.incident_id, (SELECT version FROM outbox_counter), strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')
            FROM outbox_route WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'incident' AND changes) AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'incident' AND record_id = NEW.incident_id AND route = name);
    END;
CREATE TRIGGER outbox_gone_incident_notice AFTER DELETE ON incident_notice BEGIN
        UPDATE outbox_counter SET version = version + 1 WHERE EXISTS (SELECT route FROM outbox_subscription WHERE kind = 'incident' AND changes);
        UPDATE outbox SET version = (SELECT version FROM outbox_counter), state = 'waiting', refusals = 0, reason = ''
            WHERE kind = 'incident' AND record_id = OLD.incident_id AND route IN (SELECT route FROM outbox_subscription WHERE kind = 'incident' AND changes);
        UPDATE outbox_route SET last_seq = last_seq + 1 WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'incident' AND changes) AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'incident' AND record_id = OLD.incident_id AND route = name);
        INSERT INTO outbox (route, seq, kind, record_id, version, queued_at)
            SELECT name, last_seq, 'incident', OLD.incident_id, (SELECT version FROM outbox_counter), strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')
            FROM outbox_route WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'incident' AND changes) AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'incident' AND record_id = OLD.incident_id AND route = name);
    END;
CREATE TRIGGER outbox_new_health AFTER INSERT ON health BEGIN
        UPDATE outbox_counter SET version = version + 1 WHERE EXISTS (SELECT route FROM outbox_subscription WHERE kind = 'health');
        UPDATE outbox SET version = (SELECT version FROM outbox_counter), state = 'waiting', refusals = 0, reason = ''
            WHERE kind = 'health' AND record_id = NEW.id AND route IN (SELECT route FROM outbox_subscription WHERE kind = 'health');
        UPDATE outbox_route SET last_seq = last_seq + 1 WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'health') AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'health' AND record_id = NEW.id AND route = name);
        INSERT INTO outbox (route, seq, kind, record_id, version, queued_at)
            SELECT name, last_seq, 'health', NEW.id, (SELECT version FROM outbox_counter), strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')
            FROM outbox_route WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'health') AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'health' AND record_id = NEW.id AND route = name);
    END;
CREATE TRIGGER outbox_new_backup_log AFTER INSERT ON backup_log BEGIN
        UPDATE outbox_counter SET version = version + 1 WHERE EXISTS (SELECT route FROM outbox_subscription WHERE kind = 'backup');
        UPDATE outbox SET version = (SELECT version FROM outbox_counter), state = 'waiting', refusals = 0, reason = ''
            WHERE kind = 'backup' AND record_id = NEW.id AND route IN (SELECT route FROM outbox_subscription WHERE kind = 'backup');
        UPDATE outbox_route SET last_seq = last_seq + 1 WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'backup') AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'backup' AND record_id = NEW.id AND route = name);
        INSERT INTO outbox (route, seq, kind, record_id, version, queued_at)
            SELECT name, last_seq, 'backup', NEW.id, (SELECT version FROM outbox_counter), strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')
            FROM outbox_route WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'backup') AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'backup' AND record_id = NEW.id AND route = name);
    END;
INSERT INTO outbox_route VALUES ('collector', 0.0, 1, NULL, NULL);
INSERT INTO outbox_subscription VALUES ('collector', 'message', 1, NULL, NULL);
INSERT INTO outbox (route, seq, kind, record_id, version, queued_at) SELECT 'collector', 1, 'message', id, 1772352000, '2026-03-01T08:00:20.000+00:00' FROM message;
INSERT INTO health VALUES ('01a1ee5d-7a10-7000-8000-000000000006', '2026-03-01T08:00:30.000+00:00', '{"lines": 1}', 1);
CREATE TABLE shared_item (
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        item TEXT NOT NULL,
        version INTEGER NOT NULL,
        base TEXT,
        body TEXT,
        held_version INTEGER,
        held_body TEXT,
        held_item TEXT,
        PRIMARY KEY (kind, key)
    ) WITHOUT ROWID;
CREATE INDEX shared_item_by_id ON shared_item (item);
CREATE TABLE shared_edit (
        id TEXT PRIMARY KEY NOT NULL,
        kind TEXT NOT NULL,
        key TEXT,
        item TEXT NOT NULL,
        base_version INTEGER NOT NULL,
        body TEXT,
        touched TEXT NOT NULL,
        erase INTEGER NOT NULL DEFAULT 0,
        edited_at TEXT NOT NULL,
        clock_trusted INTEGER NOT NULL
    );
CREATE UNIQUE INDEX shared_edit_of_item ON shared_edit (kind, key) WHERE key IS NOT NULL;
CREATE TABLE down_progress (number INTEGER NOT NULL);
INSERT INTO down_progress VALUES (0);
CREATE TABLE down_waiting (
        number INTEGER PRIMARY KEY NOT NULL,
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        version INTEGER NOT NULL,
        body TEXT,
        item TEXT NOT NULL,
        blob_sha256 TEXT,
        blob_bytes INTEGER,
        reason TEXT NOT NULL DEFAULT ''
    );
CREATE TABLE down_acknowledgement (
        number INTEGER PRIMARY KEY NOT NULL,
        done INTEGER NOT NULL,
        reason TEXT NOT NULL
    );
CREATE TABLE erasure (
        id TEXT PRIMARY KEY NOT NULL,
        at TEXT NOT NULL,
        counts TEXT NOT NULL,
        clock_trusted INTEGER NOT NULL
    );
CREATE TRIGGER outbox_new_shared_edit AFTER INSERT ON shared_edit BEGIN
        UPDATE outbox_counter SET version = version + 1 WHERE EXISTS (SELECT route FROM outbox_subscription WHERE kind = 'shared');
        UPDATE outbox SET version = (SELECT version FROM outbox_counter), state = 'waiting', refusals = 0, reason = ''
            WHERE kind = 'shared' AND record_id = NEW.id AND route IN (SELECT route FROM outbox_subscription WHERE kind = 'shared');
        UPDATE outbox_route SET last_seq = last_seq + 1 WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'shared') AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'shared' AND record_id = NEW.id AND route = name);
        INSERT INTO outbox (route, seq, kind, record_id, version, queued_at)
            SELECT name, last_seq, 'shared', NEW.id, (SELECT version FROM outbox_counter), strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')
            FROM outbox_route WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'shared') AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'shared' AND record_id = NEW.id AND route = name);
    END;
CREATE TRIGGER outbox_changed_shared_edit AFTER UPDATE OF base_version, body, touched, edited_at ON shared_edit WHEN OLD.base_version IS NOT NEW.base_version OR OLD.body IS NOT NEW.body OR OLD.touched IS NOT NEW.touched OR OLD.edited_at IS NOT NEW.edited_at BEGIN
        UPDATE outbox_counter SET version = version + 1 WHERE EXISTS (SELECT route FROM outbox_subscription WHERE kind = 'shared' AND changes);
        UPDATE outbox SET version = (SELECT version FROM outbox_counter), state = 'waiting', refusals = 0, reason = ''
            WHERE kind = 'shared' AND record_id = NEW.id AND route IN (SELECT route FROM outbox_subscription WHERE kind = 'shared' AND changes);
        UPDATE outbox_route SET last_seq = last_seq + 1 WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'shared' AND changes) AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'shared' AND record_id = NEW.id AND route = name);
        INSERT INTO outbox (route, seq, kind, record_id, version, queued_at)
            SELECT name, last_seq, 'shared', NEW.id, (SELECT version FROM outbox_counter), strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')
            FROM outbox_route WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'shared' AND changes) AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'shared' AND record_id = NEW.id AND route = name);
    END;
CREATE TRIGGER outbox_erased_shared_edit AFTER DELETE ON shared_edit
        BEGIN DELETE FROM outbox WHERE kind = 'shared' AND record_id = OLD.id; END;
CREATE TRIGGER outbox_new_erasure AFTER INSERT ON erasure BEGIN
        UPDATE outbox_counter SET version = version + 1 WHERE EXISTS (SELECT route FROM outbox_subscription WHERE kind = 'erasure');
        UPDATE outbox SET version = (SELECT version FROM outbox_counter), state = 'waiting', refusals = 0, reason = ''
            WHERE kind = 'erasure' AND record_id = NEW.id AND route IN (SELECT route FROM outbox_subscription WHERE kind = 'erasure');
        UPDATE outbox_route SET last_seq = last_seq + 1 WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'erasure') AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'erasure' AND record_id = NEW.id AND route = name);
        INSERT INTO outbox (route, seq, kind, record_id, version, queued_at)
            SELECT name, last_seq, 'erasure', NEW.id, (SELECT version FROM outbox_counter), strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')
            FROM outbox_route WHERE name IN (SELECT route FROM outbox_subscription WHERE kind = 'erasure') AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'erasure' AND record_id = NEW.id AND route = name);
    END;
INSERT INTO shared_item VALUES ('contact', '+8613800138000', '4e0c5c1e-0000-4000-8000-000000000001', 3, '{"name": "Wang"}', '{"name": "Wang"}', NULL, NULL, NULL);
INSERT INTO shared_edit VALUES ('01a1ee5d-7a10-7000-8000-000000000007', 'contact', '+8613800138000', '4e0c5c1e-0000-4000-8000-000000000001', 0, '{"name": "Wang"}', '["name"]', 0, '2026-03-01T08:00:40.000+00:00', 1);
PRAGMA user_version = 5;
COMMIT;
