"""An identity as a collector would give it, made here."""

from __future__ import annotations

import functools
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from firmware.sync.identity import Identity
from firmware.sync.keys import DeviceKey, read_certificate

_AUTHORITY = ec.generate_private_key(ec.SECP256R1())
_NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a collector")])


def certificate_for(request_pem: str, begins: datetime, ends: datetime) -> str:
    request = x509.load_pem_x509_csr(request_pem.encode())
    assert request.is_signature_valid
    public = request.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    builder = x509.CertificateBuilder().subject_name(_NAME).issuer_name(_NAME).public_key(public).serial_number(1)
    made = builder.not_valid_before(begins).not_valid_after(ends).sign(_AUTHORITY, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


@functools.cache
def identity() -> Identity:
    """Good for a month."""
    key = DeviceKey.made()
    now = datetime.now(UTC)
    pem = certificate_for(key.request_pem(), now - timedelta(days=1), now + timedelta(days=30))
    return Identity("device-1", "company", key, read_certificate(pem), pem, "claim")


def verifies(signature: bytes, text: bytes) -> bool:
    """Whether `identity()` signed this."""
    public = x509.load_der_x509_certificate(identity().certificate.der).public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    try:
        public.verify(signature, text, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
