"""Tiny files, made by hand, with the metadata that a test asks for."""

from __future__ import annotations

import datetime
import io
import json
import struct
import zlib
from collections.abc import Callable, Iterable
from typing import Any

import c2pa
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image

SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/"


class Files:
    """Makers of files and of their parts."""

    XMP_HEAD = b"http://ns.adobe.com/xap/1.0/\0"
    WEBUI = (
        "a duck on a pond\nNegative prompt: blurry\n"
        "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 4242, Size: 512x512, Model hash: abc123, Version: v1.9.0"
    )

    @staticmethod
    def chunk(kind: bytes, payload: bytes) -> bytes:
        return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))

    @classmethod
    def text(cls, keyword: str, text: str) -> bytes:
        return cls.chunk(b"tEXt", keyword.encode("latin-1") + b"\0" + text.encode("utf-8"))

    @classmethod
    def png(cls, *chunks: bytes, behind: Iterable[bytes] = (), size: tuple[int, int] = (2, 2)) -> bytes:
        """A black PNG with chunks before and behind the pixels."""
        width, height = size
        header = cls.chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        pixels = cls.chunk(b"IDAT", zlib.compress((b"\0" + bytes(3 * width)) * height))
        return b"\x89PNG\r\n\x1a\n" + header + b"".join((*chunks, pixels, *behind)) + cls.chunk(b"IEND", b"")

    @staticmethod
    def segment(marker: int, payload: bytes) -> bytes:
        return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload

    @classmethod
    def jpeg(cls, *segments: bytes, exif: bytes = b"") -> bytes:
        """A grey JPEG with segments at its start."""
        first = cls.segment(0xE1, b"Exif\0\0" + exif) if exif else b""
        return b"\xff\xd8" + first + b"".join(segments) + cls.picture("JPEG")[2:]

    @classmethod
    def xmp_jpeg(cls, properties: str = "", elements: str = "") -> bytes:
        return cls.jpeg(cls.segment(0xE1, cls.XMP_HEAD + cls.xmp(properties, elements)))

    @staticmethod
    def picture(kind: str, mode: str = "RGB", size: tuple[int, int] = (8, 8), **options: Any) -> bytes:
        file = io.BytesIO()
        Image.new(mode, size, 128).save(file, kind, **options)
        return file.getvalue()

    @staticmethod
    def exif(
        main: dict[int, Any] | None = None, detail: dict[int, Any] | None = None, gps: dict[int, Any] | None = None
    ) -> bytes:
        """An EXIF block as Pillow writes it, without its head."""
        exif = Image.Exif()
        exif.update(main or {})
        if detail:
            exif.get_ifd(0x8769).update(detail)
        if gps:
            exif.get_ifd(0x8825).update(gps)
        return exif.tobytes().removeprefix(b"Exif\0\0")

    @classmethod
    def camera_exif(cls, main: dict[int, Any] | None = None, *, maker_note: bool = True) -> bytes:
        detail: dict[int, Any] = {0x829A: 1 / 125, 0x829D: 2.8, 0x8827: 200, 0x920A: 35.0}
        if maker_note:
            detail[0x927C] = b"NOTE\x01\x02\x03\x04"
        return cls.exif({0x010F: "Acme", 0x0110: "Acme X100"} | (main or {}), detail)

    @staticmethod
    def xmp(properties: str = "", elements: str = "") -> bytes:
        return (
            '<?xpacket begin="" id="x"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
            ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
            ' xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
            ' xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:aux="http://ns.adobe.com/exif/1.0/aux/"'
            ' xmlns:dcterms="http://purl.org/dc/terms/" xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/"'
            f" {properties}>{elements}</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>"
        ).encode()

    @staticmethod
    def manifest(*actions: dict[str, Any]) -> dict[str, Any]:
        """A C2PA manifest with actions; a source type is given by its term."""
        listed = [
            action
            | ({"digitalSourceType": SOURCE + action["digitalSourceType"]} if "digitalSourceType" in action else {})
            for action in actions
        ]
        return {
            "claim_generator_info": [{"name": "Maker", "version": "1"}],
            "assertions": [{"label": "c2pa.actions", "data": {"actions": listed}}] if listed else [],
        }


@pytest.fixture(scope="session")
def files() -> type[Files]:
    return Files


def _certificate(name: str, key: Any, issuer: str, issuer_key: Any, until: datetime.datetime) -> x509.Certificate:
    """A certificate that may sign others when it is its own issuer, and else may sign manifests."""
    authority = name == issuer

    def named(text: str) -> x509.Name:
        return x509.Name(
            [x509.NameAttribute(NameOID.ORGANIZATION_NAME, text), x509.NameAttribute(NameOID.COMMON_NAME, text)]
        )

    builder = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(until - datetime.timedelta(days=100))
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(not authority, False, False, False, False, authority, authority, False, False), critical=True
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if not authority:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(usage, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _chain(until: datetime.datetime) -> tuple[bytes, bytes]:
    """Certificates and private key of a signer whom nobody knows."""
    root, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    certificates = (
        _certificate("Unknown Signer", leaf, "Unknown Root", root, until),
        _certificate("Unknown Root", root, "Unknown Root", root, until),
    )
    key = leaf.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return b"".join(c.public_bytes(serialization.Encoding.PEM) for c in certificates), key


Sign = Callable[..., bytes]


@pytest.fixture(scope="session")
def sign() -> Sign:
    """Signs a JPEG: picture, manifest, ingredients as (file, relationship), and an address to point to instead."""
    certificates, key = _chain(datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=50))
    settings = {"builder": {"thumbnail": {"enabled": False}}, "verify": {"verify_after_sign": False}}

    def signed(
        picture: bytes, manifest: dict[str, Any], parts: Iterable[tuple[bytes, str]] = (), remote: str = ""
    ) -> bytes:
        info = c2pa.C2paSignerInfo(c2pa.C2paSigningAlg.ES256, certificates, key, None)
        out = io.BytesIO()
        with (
            c2pa.Context.from_dict(settings) as context,
            c2pa.Signer.from_info(info) as signer,
            c2pa.Builder(json.dumps(manifest), context=context) as builder,
        ):
            for file, relationship in parts:
                described = json.dumps({"title": "part", "relationship": relationship})
                builder.add_ingredient(described, "image/jpeg", io.BytesIO(file))
            if remote:
                builder.set_no_embed()
                builder.set_remote_url(remote)
            builder.sign(signer, "image/jpeg", io.BytesIO(picture), out)
        return out.getvalue()

    return signed
