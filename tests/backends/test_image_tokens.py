from __future__ import annotations

import pytest

from backends.image_tokens import ImageTokens
from backends.models import known_facts


@pytest.mark.parametrize(
    ("model", "width", "height", "tokens"),
    [
        # By hand, after OpenAI's guide: fit into 2048 × 2048, the shorter side to 768, then tiles of 512.
        ("gpt-4o", 1024, 1024, 85 + 4 * 170),
        ("gpt-4o", 2048, 4096, 85 + 6 * 170),
        ("gpt-4o", 300, 200, 85 + 170),
        ("gpt-4o-mini", 1024, 1024, 2833 + 4 * 5667),
        ("gpt-5", 1024, 768, 70 + 4 * 140),
        # Patches of 32, 1,536 at most, times a number of the model's own.
        ("gpt-4.1-mini", 1024, 1024, 1659),
        ("gpt-4.1-nano", 4000, 3000, 3779),
        ("o4-mini", 33, 31, 4),
    ],
)
def test_pictures_count_as_the_provider_says(model: str, width: int, height: int, tokens: int) -> None:
    rule = known_facts("openai", model).image_tokens
    assert rule is not None
    assert rule.count(width, height) == rule.count(height, width) == tokens


def test_nothing_is_enlarged() -> None:
    assert ImageTokens(square=32, longer_side=2048, shorter_side=768).count(64, 32) == 2
