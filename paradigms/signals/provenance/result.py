"""What was read: the claims of a file, and the one word they come to."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from paradigms.signals.provenance.text import plain

MAX_TEXT = 200
MAX_NAME = 80


class Declaration(StrEnum):
    """What a file says of its own origin, in one word."""

    DECLARES_GENERATED = "declares_generated"
    DECLARES_EDITED = "declares_edited"
    """Edited with AI; editing by hand does not count."""
    CAMERA_FILE = "camera_file"
    """It carries what a camera writes, and nothing against it. Easily copied."""
    NONE = "none"


class ClaimKind(StrEnum):
    """What one claim is about."""

    GENERATED = "generated"
    EDITED = "edited"
    """Worked on in an editor; nothing is said of AI."""
    AI_EDITED = "ai_edited"
    CAMERA = "camera"
    SCREENSHOT = "screenshot"
    INFO = "info"


class Strength(StrEnum):
    """How plainly a claim is made. A weak claim decides nothing."""

    STRONG = "strong"
    MEDIUM = "medium"
    WEAK = "weak"


class Integrity(StrEnum):
    """Whether the file still is what was signed."""

    OK = "ok"
    MISMATCH = "mismatch"
    """A hash or the signature does not match; what was signed cannot be checked."""
    UNREADABLE = "unreadable"


class Trust(StrEnum):
    """What is known of the signer, which has nothing to do with integrity."""

    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"
    """The certificate breaks the rules for signing, or was revoked."""
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    """No list of trusted signers says anything of this one."""


def _line(limit: int) -> BeforeValidator:
    return BeforeValidator(lambda value: plain(value, limit) if isinstance(value, str) else value)


Line = Annotated[str, _line(MAX_TEXT), Field(max_length=MAX_TEXT)]
"""One line of untrusted text without control or bidi characters, at most 200 characters."""
Name = Annotated[str, _line(MAX_NAME), Field(max_length=MAX_NAME)]
"""As `Line`, at most 80 characters."""


class Claim(BaseModel):
    """One thing that the file says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClaimKind
    where: str = Field(max_length=MAX_NAME)
    """Where it stands: `png:parameters`, `exif:UserComment`, `c2pa`, `xmp:DigitalSourceType`, `stealth-alpha`, …"""
    tool: Name | None = None
    """The tool that the file names or whose format this is; None when unknown."""
    text: Line = ""
    """What stands there, cut to 200 characters. Untrusted."""
    private: bool = False
    """True when `text` may hold what a person wrote, such as a prompt."""
    strength: Strength = Strength.MEDIUM


class Signature(BaseModel):
    """The C2PA manifest, if there is one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    present: bool = False
    integrity: Integrity | None = None
    """Of the active manifest; None without a manifest."""
    trust: Trust | None = None
    """Of who signed the active manifest; None without one that can be read."""
    issuer: Name | None = None
    """The organisation named in the certificate. Anyone can make such a certificate."""
    generator: Name | None = None
    """The program that wrote the manifest."""
    codes: tuple[Name, ...] = ()
    """The failure codes of the C2PA validation of the active manifest, sorted."""


class PrivateFields(BaseModel):
    """Which private fields the file carries; never their values."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    gps: bool = False
    serial_number: bool = False
    """Of a camera or a lens."""
    owner_name: bool = False
    """An owner, author or artist."""


class Provenance(BaseModel):
    """What a file says of its own origin. Except for a signature, anyone can write it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    declaration: Declaration = Declaration.NONE
    tool: Name | None = None
    """The tool of the deciding claim, or the camera's make and model; None when unknown."""
    where: str | None = Field(default=None, max_length=MAX_NAME)
    """Where the deciding claim stands; None when the declaration is `none`."""
    signed: bool = False
    """True when the deciding claim stands in a manifest and all of it is intact, back to where the claim stands.

    Says nothing of trust.
    """
    camera: bool = False
    """True when EXIF has make, model and three or more of exposure time, aperture, sensitivity and focal length."""
    signature: Signature = Signature()
    claims: tuple[Claim, ...] = ()
    """Everything found, in the order of reading; at most 64."""
    notes: tuple[str, ...] = ()
    """Short plain sentences for people."""
    private_fields: PrivateFields = PrivateFields()
