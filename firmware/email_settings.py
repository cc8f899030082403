"""The email section of the configuration: the office's mail server, and who gets a caller's message."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from firmware.settings_section import Folder, Section

Address = Annotated[str, Field(pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,190}$")]
"""An address as mail servers of every age take it (RFC 5321), without a name."""
_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


class EmailSettings(Section):
    """Mails to the office: new messages, and alerts (the section alerts)."""

    server: Annotated[str, Field(pattern=r"^[^\s/@]{1,250}$")] | None = None
    """The office's mail server by name or number; none where no mails are sent."""
    port: Annotated[int, Field(ge=1, le=65_535)] | None = None
    """587, 465 or 25 by `security` where it is not said."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    unencrypted: bool = False
    """Says that `security: none` is meant though the server is another machine."""
    authority_file: Folder | None = None
    """PEM of the authority that signed the server's certificate, where that is no public one."""
    user: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    password_file: Folder | None = None
    sender: Address | None = None
    """The address that mails come from."""
    to: Annotated[tuple[Address, ...], Field(max_length=50)] = ()
    """Who gets each new message; alerts have lists of their own."""
    languages: Annotated[tuple[Literal["zh", "en"], ...], Field(max_length=2)] = ()
    """The office's languages otherwise."""
    attach_audio: bool = True
    most_megabytes: Annotated[float, Field(gt=0, le=25)] = 8.0
    """A larger mail is sent without its audio; this is six minutes. Making it takes five times its size of memory."""
    delay_seconds: Annotated[float, Field(ge=0, le=3600)] = 120.0
    """So that the call is over and the transcript, if there will be one, is written."""
    timeout_seconds: Annotated[float, Field(ge=1, le=600)] = 60.0

    @property
    def port_used(self) -> int:
        """The port that was said, or the usual one."""
        return self.port or _PORTS[self.security]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.server is None and (self.to or self.sender or self.user):
            raise ValueError("mails need a server")
        if self.server is not None and self.sender is None:
            raise ValueError("a server needs sender, the address that mails come from")
        if (self.user is None) != (self.password_file is None):
            raise ValueError("user and password_file go together")
        if self.security == "none" and self.server not in (None, *_THIS_MACHINE) and not self.unencrypted:
            raise ValueError(
                "without encryption anybody on the way can read what callers said; "
                "use starttls or tls, or say `unencrypted: true`"
            )
        return self
