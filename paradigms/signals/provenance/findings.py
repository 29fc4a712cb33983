"""What the readers found, gathered before it is judged."""

from __future__ import annotations

from dataclasses import dataclass, field

from paradigms.signals.provenance.result import Claim, Signature

MAX_CLAIMS = 64
MAX_NOTES = 16


@dataclass(slots=True)
class Findings:
    """Claims and facts of one reader, or of all.

    `camera` is true when EXIF has make, model and three exposure fields, `maker_note` when it has a maker note too;
    `device` is the make and model.
    """

    claims: list[Claim] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    camera: bool = False
    maker_note: bool = False
    device: str | None = None
    gps: bool = False
    serial_number: bool = False
    owner_name: bool = False
    signature: Signature = field(default_factory=Signature)

    def add(self, other: Findings) -> None:
        """Take over what another reader found. Claims beyond 64 and notes beyond 16 are dropped."""
        self.claims = [*self.claims, *other.claims][:MAX_CLAIMS]
        self.notes = [*self.notes, *(n for n in other.notes if n not in self.notes)][:MAX_NOTES]
        self.camera |= other.camera
        self.maker_note |= other.maker_note
        self.device = self.device or other.device
        self.gps |= other.gps
        self.serial_number |= other.serial_number
        self.owner_name |= other.owner_name
        if other.signature.present:
            self.signature = other.signature
