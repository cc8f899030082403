from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from firmware.ports import Entry
from firmware.sync.mail import Mail, mail_bytes, one_line
from firmware.sync.mail_audio import NoAudio
from firmware.sync.message_mail import message_mail
from tests.sync.records import entry

AT = datetime(2026, 3, 1, tzinfo=UTC)
HEADERS = {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version"}
BODY_HEADERS = {"Content-Type", "Content-Transfer-Encoding"}
hostile = st.one_of(
    st.text(max_size=200),
    st.sampled_from(
        ["\r\nBcc: all@world.test\r\n\r\nhello", "=?utf-8?q?a=0d=0aBcc:_b?=", "\u202e321", "\ud800", "a\x00b"]
    ),
)


@given(hostile, hostile)
def test_no_caller_can_add_a_header_or_a_recipient(subject: str, text: str) -> None:
    mail = Mail("id-1", subject, text.encode("utf-8", "replace").decode(), urgent=False)
    raw = mail_bytes(mail, "phone@office.test", ["anna@office.test"], AT)
    assert raw.isascii()
    read = message_from_bytes(raw, policy=default)
    assert set(read.keys()) == HEADERS | BODY_HEADERS
    assert read["To"] == "anna@office.test"
    assert not read.defects


@given(hostile, hostile, hostile, st.one_of(st.none(), st.integers(), st.floats(), hostile))
def test_any_record_gives_a_mail(caller: str, transcript: str, recorded_at: str, odd: object) -> None:
    body = {"number": odd, "duration_seconds": odd, "caller_number": caller, "transcript": transcript}
    made: Entry = entry(1, {**body, "recorded_at": recorded_at})
    mail = message_mail(made, NoAudio.NOT_THERE, "Front", ("zh", "en"), ZoneInfo("Asia/Shanghai"))
    assert message_from_bytes(mail_bytes(mail, "a@b.test", ["c@d.test"], AT), policy=default)["From"] == "a@b.test"


@given(hostile)
def test_one_line_is_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1
    assert one_line(text).isprintable()
