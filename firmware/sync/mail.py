"""A mail, safe against whatever a caller's number or name holds. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

_LONGEST_SUBJECT = 150
_UNSEEN = "\N{REPLACEMENT CHARACTER}"
# Control, format (such as reversed writing), surrogate, private, unassigned; separators of lines and paragraphs.
_NOT_PRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class Attachment:
    """A WAV file."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """What is told. `mail_id` is the same whenever the same is told again."""

    mail_id: str
    subject: str
    text: str
    urgent: bool = False
    attachment: Attachment | None = None


def one_line(text: object, most: int = 120) -> str:
    """Text in one line that no header, terminal or reader obeys."""
    shown = "".join(_shown(letter) for letter in str(text)[:most])
    # RFC 2047 begins an encoded word so; a caller's name is none.
    return shown.replace("=?", "=\N{REPLACEMENT CHARACTER}")


def _shown(letter: str) -> str:
    category = unicodedata.category(letter)
    return " " if category == "Zs" else _UNSEEN if category in _NOT_PRINTABLE else letter


def several_lines(text: object, most: int) -> str:
    """Text whose line breaks stay."""
    return "\n".join(one_line(line, most) for line in str(text)[:most].splitlines())


def mail_bytes(mail: Mail, sender: str, to: Sequence[str], at: datetime) -> bytes:
    """As it goes over the wire: ASCII only, so that every server takes it."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = ", ".join(to)
    message["Subject"] = one_line(mail.subject, _LONGEST_SUBJECT)
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{mail.mail_id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answering machine answers it
    if mail.urgent:
        message["Importance"] = "high"
    message.set_content(mail.text, charset="utf-8", cte="base64")
    if mail.attachment is not None:
        message.add_attachment(
            mail.attachment.content, maintype="audio", subtype="x-wav", filename=mail.attachment.name
        )
    return message.as_bytes()
