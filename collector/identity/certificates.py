"""Keys and certificates; the only place that imports cryptography. Pure but for the randomness of keys and serials.

ECDSA P-256 throughout: every library and every hardware key knows it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_AUTHORITY_LIFE = timedelta(days=365 * 30)
# An appliance whose clock is a little behind must not find its new certificate in the future.
_BACKDATED = timedelta(hours=1)
_MOST_CERTIFICATE_BYTES = 4096
_SHA256 = ec.ECDSA(hashes.SHA256())
_UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion, x509.UnsupportedGeneralNameType)


@dataclass(frozen=True, slots=True)
class Authority:
    """Whose word counts: signs the certificates of appliances."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def certificate_pem(self) -> str:
        """For appliances to keep."""
        return _pem(self.certificate)

    @property
    def key_pem(self) -> str:
        """Secret."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode("ascii")


@dataclass(frozen=True, slots=True)
class DeviceCertificate:
    """A certificate that our authority signed."""

    device: UUID
    serial: int
    key: ec.EllipticCurvePublicKey
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True)
class Issued:
    """A new certificate. `key_hash` tells its key from others."""

    serial: int
    pem: str
    key_hash: bytes
    not_after: datetime


def new_authority(now: datetime) -> Authority:
    """Make one."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Linekeeper collector")])
    certificate = (
        _begun(name, key.public_key(), now, now + _AUTHORITY_LIFE)
        .issuer_name(name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(key, certificate)


def load_authority(key_pem: str, certificate_pem: str) -> Authority:
    """Raises: ValueError, when they are not a P-256 key and its certificate."""
    try:
        key = serialization.load_pem_private_key(key_pem.encode(), password=None)
        certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
        fits = isinstance(key, ec.EllipticCurvePrivateKey) and key.public_key() == certificate.public_key()
    except _UNREADABLE as error:
        raise ValueError("not a key and its certificate in PEM") from error
    if not fits:
        raise ValueError("the certificate is of another key")
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return Authority(key, certificate)


def read_request(csr_pem: str) -> ec.EllipticCurvePublicKey:
    """The key that a signing request proves to hold; whatever else it asks for is ignored.

    Raises: ValueError, with a sentence.
    """
    try:
        request = x509.load_pem_x509_csr(csr_pem.encode())
        key = request.public_key()
        proved = request.is_signature_valid
    except (*_UNREADABLE, InvalidSignature) as error:
        raise ValueError("csr_pem is no certificate signing request in PEM") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("the key must be ECDSA P-256")  # noqa: TRY004 - it is what they sent, not who called
    if not proved:
        raise ValueError("the signing request's own signature is wrong")
    return key


def issue(authority: Authority, device: UUID, key: ec.EllipticCurvePublicKey, now: datetime, days: float) -> Issued:
    """A client certificate. Its subject is ours, whatever the appliance wanted."""
    ends = now + timedelta(days=days)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, str(device))])
    certificate = (
        _begun(name, key, now - _BACKDATED, ends)
        .issuer_name(authority.certificate.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    return Issued(certificate.serial_number, _pem(certificate), key_hash(key), ends)


def read_certificate(der: bytes, authority: Authority) -> DeviceCertificate:
    """Raises: ValueError, when our authority did not sign exactly this. Its dates are for the caller to judge."""
    if len(der) > _MOST_CERTIFICATE_BYTES:
        raise ValueError("too long for a certificate of ours")
    try:
        certificate = x509.load_der_x509_certificate(der)
        certificate.verify_directly_issued_by(authority.certificate)
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        device = UUID(str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value))
        key = certificate.public_key()
    except (*_UNREADABLE, InvalidSignature, x509.ExtensionNotFound, IndexError) as error:
        raise ValueError("not a certificate of this collector") from error
    if constraints.ca or not isinstance(key, ec.EllipticCurvePublicKey):
        raise ValueError("not an appliance's certificate")
    return DeviceCertificate(
        device, certificate.serial_number, key, certificate.not_valid_before_utc, certificate.not_valid_after_utc
    )


def signed_by(key: ec.EllipticCurvePublicKey, signature: bytes, content: bytes) -> bool:
    """Whether the holder of this key signed exactly this."""
    try:
        key.verify(signature, content, _SHA256)
    except InvalidSignature:
        return False
    return True


def key_hash(key: ec.EllipticCurvePublicKey) -> bytes:
    """SHA-256 of the key as certificates hold it."""
    shape = serialization.PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(key.public_bytes(serialization.Encoding.DER, shape)).digest()


def _begun(
    name: x509.Name, key: ec.EllipticCurvePublicKey, begins: datetime, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins.astimezone(UTC))
        .not_valid_after(ends.astimezone(UTC))
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")
