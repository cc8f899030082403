"""The appliance's key and certificate. The only place of this package that imports cryptography."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

# A third of its life is left for what may go wrong with a renewal.
_RENEWED_AFTER = 2 / 3


class DeviceKey:
    """An ECDSA key on P-256 that never leaves this appliance."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key

    @classmethod
    def made(cls) -> DeviceKey:
        """A new one."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def read(cls, pem: bytes) -> DeviceKey:
        """Raises: ValueError where this is no such key."""
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (TypeError, UnsupportedAlgorithm) as error:
            raise ValueError(str(error)) from error
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return cls(key)
        raise ValueError("no key on an elliptic curve")

    def pem(self) -> bytes:
        """For its file."""
        return self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def sign(self, text: bytes) -> bytes:
        """ECDSA with SHA-256, DER."""
        return self._key.sign(text, ec.ECDSA(hashes.SHA256()))

    def request_pem(self) -> str:
        """A certificate signing request; the collector gives the names."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "linekeeper")])
        request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(self._key, hashes.SHA256())
        return request.public_bytes(serialization.Encoding.PEM).decode("ascii")

    def fits(self, certificate_pem: str) -> bool:
        """Whether a certificate is for this key. Raises: ValueError."""
        try:
            theirs = _loaded(certificate_pem).public_key()
        except UnsupportedAlgorithm as error:
            raise ValueError(str(error)) from error
        return _public_bytes(theirs) == _public_bytes(self._key.public_key())


@dataclass(frozen=True, slots=True)
class Certificate:
    """What the collector calls this appliance by, for a time."""

    der: bytes
    begins: datetime
    ends: datetime

    @property
    def renew_from(self) -> datetime:
        """Two thirds of its life are over then."""
        life: timedelta = self.ends - self.begins
        return self.begins + life * _RENEWED_AFTER


def read_certificate(pem: str) -> Certificate:
    """Raises: ValueError."""
    certificate = _loaded(pem)
    der = certificate.public_bytes(serialization.Encoding.DER)
    return Certificate(der, certificate.not_valid_before_utc, certificate.not_valid_after_utc)


def _loaded(pem: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem.encode("ascii"))
    except x509.InvalidVersion as error:
        raise ValueError(str(error)) from error


def _public_bytes(key: object) -> bytes:
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return b""
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
