from __future__ import annotations

import pytest
from pydantic import ValidationError

from fusion.calibration import FittedOn
from fusion.remembered import LOOK, alike, look_of, packed, unpacked

BITS = 0x0F1E2D3C4B5A69788796A5B4C3D2E1F0


def test_parts_come_back_each_once() -> None:
    parts = [bytes([number] * LOOK) for number in (9, 3, 9, 255)]
    assert unpacked(packed(parts), LOOK) == tuple(sorted(set(parts)))
    assert unpacked(packed([]), LOOK) == ()


@pytest.mark.parametrize("text", ["abc", "no base64!", packed([b"12345"])])
def test_a_calibration_with_a_damaged_memory_is_refused(text: str) -> None:
    for field in ("cases", "looks"):
        with pytest.raises(ValidationError):
            FittedOn.model_validate({field: text})


def test_copies_are_told_by_a_few_bits() -> None:
    looks = [look_of(BITS), look_of(BITS ^ (2**128 - 1))]
    near, far = BITS ^ (2**10 - 1), BITS ^ (2**11 - 1)
    assert alike([BITS, near, far, None], looks) == (True, True, False, False)
    assert alike([0], [look_of(2**127 + 2**63)]) == (True,)
