"""The tables as peewee sees them; migrations.py creates them.

No model is bound to a database: every query names its own (`.execute(db)`), so that one process can hold
many stores. References are plain ids, for the same reason; the database itself enforces them.
"""

from __future__ import annotations

from peewee import AutoField, BooleanField, FloatField, IntegerField, Model, TextField


class Call(Model):
    """One call, from the first ring on. `path` is a JSON list of step names."""

    seq = AutoField()
    id = TextField()
    line = TextField()
    caller_number = TextField(null=True)
    caller_name = TextField(null=True)
    number_absence = TextField()
    started_at = TextField()
    answered_at = TextField(null=True)
    ended_at = TextField(null=True)
    end_reason = TextField(null=True)
    evidence = TextField(null=True)
    language = TextField(null=True)
    path = TextField()
    clock_trusted = BooleanField()

    class Meta:  # noqa: D106
        table_name = "call"


class RecordingRow(Model):
    """A durable file in the recordings folder. Audio behind `kept_samples` is the tail that is not played.

    A file that was `released_at` some time is gone on purpose: it had been delivered.
    """

    id = TextField(primary_key=True)
    call_id = TextField()
    purpose = TextField()
    file = TextField()
    sample_format = TextField()
    total_samples = IntegerField()
    kept_samples = IntegerField()
    end = TextField()
    evidence = TextField(null=True)
    voiced = BooleanField()
    recorded_at = TextField()
    clock_trusted = BooleanField()
    delivered_at = TextField(null=True)
    released_at = TextField(null=True)

    class Meta:  # noqa: D106
        table_name = "recording"


class Message(Model):
    """What a caller left. `number` is what the caller hears; it never comes twice, even after deletions."""

    number = AutoField()
    id = TextField()
    call_id = TextField()
    recording_id = TextField()
    caller_number = TextField(null=True)
    language = TextField(null=True)
    urgent = BooleanField()
    interrupted = BooleanField()
    handled = BooleanField()
    kept_at = TextField()
    clock_trusted = BooleanField()
    transcript = TextField(null=True)
    transcript_confidence = FloatField(null=True)

    class Meta:  # noqa: D106
        table_name = "message"


class Callback(Model):
    """A request to be called back; at most one is open per phone. `call_id` is the latest call that asked."""

    number = AutoField()
    id = TextField()
    call_id = TextField()
    phone = TextField()
    language = TextField(null=True)
    preferred = TextField()
    reason_id = TextField(null=True)
    state = TextField()
    attempts = IntegerField()
    requested_at = TextField()
    updated_at = TextField()
    clock_trusted = BooleanField()

    class Meta:  # noqa: D106
        table_name = "callback"


class RememberedLanguage(Model):
    """The language that a number chose."""

    number = TextField(primary_key=True)
    language = TextField()
    chosen_at = TextField()

    class Meta:  # noqa: D106
        table_name = "language"


class Incident(Model):
    """A fault, from when it was seen to when it was over; at most one is open per kind and place."""

    seq = AutoField()
    id = TextField()
    kind = TextField()
    place = TextField()
    started_at = TextField()
    ended_at = TextField(null=True)
    summary = TextField()
    clock_trusted = BooleanField()
    effect = TextField(null=True)
    drill = BooleanField()

    class Meta:  # noqa: D106
        table_name = "incident"


class IncidentAction(Model):
    """One thing that was done about an incident."""

    seq = AutoField()
    incident_id = TextField()
    at = TextField()
    action = TextField()

    class Meta:  # noqa: D106
        table_name = "incident_action"


class IncidentNotice(Model):
    """One person who was told of an incident: how, and what came of it."""

    seq = AutoField()
    incident_id = TextField()
    at = TextField()
    who = TextField()
    how = TextField()
    result = TextField()

    class Meta:  # noqa: D106
        table_name = "incident_notice"


class DoomedFile(Model):
    """A recording that nothing refers to any more and that is about to be removed; recovery must not adopt it."""

    file = TextField(primary_key=True)

    class Meta:  # noqa: D106
        table_name = "doomed_file"
