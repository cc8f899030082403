"""TLS towards a far end, and its failures in plain words."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

from firmware.errors import ClockWrong, DeliveryError, DeliveryRefused, FarEndUnreachable
from firmware.ports import Clock

# X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_HOSTNAME_MISMATCH and _IP_ADDRESS_MISMATCH of
# OpenSSL's x509_vfy.h.
_NOT_YET_VALID = 9
_EXPIRED = 10
_OTHER_NAME = (62, 64)


def make_context(authority_file: Path | None) -> ssl.SSLContext:
    """Reads the authorities, which takes 50 ms: call it in a thread. Raises: DeliveryRefused."""
    try:
        context = ssl.create_default_context(cafile=str(authority_file) if authority_file else None)
    except (OSError, ValueError) as error:
        raise DeliveryRefused(
            f"sync.authority_file {authority_file} cannot be used ({error}); name a PEM file with a certificate"
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def tls_failure(error: BaseException, host: str, clock: Clock) -> DeliveryError | None:
    """What a failed connection says about certificates; None where TLS was not what failed."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _not_trusted(cause, host, clock)
        if isinstance(cause, ssl.SSLError):
            return FarEndUnreachable(f"{host} cannot talk TLS with this appliance: {cause.reason or cause}")
    return None


def _not_trusted(error: ssl.SSLCertVerificationError, host: str, clock: Clock) -> DeliveryError:
    if error.verify_code in (_NOT_YET_VALID, _EXPIRED):
        return _time_of_certificate(error.verify_code, host, clock)
    if error.verify_code in _OTHER_NAME:
        return FarEndUnreachable(
            f"somebody else answers in the place of {host}: the certificate names another; "
            "a sign-in page of the network, perhaps, or a wrong address in sync.url"
        )
    return FarEndUnreachable(
        f"the certificate of {host} is signed by nobody this appliance trusts ({error.verify_message}); "
        "name the authority in sync.authority_file"
    )


def _time_of_certificate(code: int, host: str, clock: Clock) -> DeliveryError:
    state = "begins later" if code == _NOT_YET_VALID else "has ended"
    now = clock.now().strftime("%Y-%m-%d %H:%M UTC")
    if not clock.trusted():
        return ClockWrong(
            f"the certificate of {host} {state}, but the clock here ({now}) is not set by any time server yet; "
            "let the appliance reach a time server (NTP), or set the clock"
        )
    if code == _NOT_YET_VALID:
        return ClockWrong(f"the certificate of {host} {state} than the time here, {now}; check both clocks")
    return FarEndUnreachable(f"the certificate of {host} {state} (it is {now}); whoever runs it must renew it")


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
