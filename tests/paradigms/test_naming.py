import pytest

from paradigms.label import Label
from paradigms.naming import mask, plain, read_phrase


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("It's an AI‑generated picture.", "it's an qgen picture."),
        ("It was **created using** nothing", "it was created using nothing"),
        ("created with a diffusion model", "qgen"),
        ("taken with a camera", "qreal"),
        ("a deepfake or a synthetic face", "a qgen or a qgen face"),
        ("realistic, photorealistic, real-world, real-time", "realistic, photorealistic, real-world, real-time"),
        ("artificial light and artificial flowers", "artificial light and artificial flowers"),
        ("synthetic fabric", "synthetic fabric"),
        ("real or AI-generated", "qeither"),
        ("real, manipulated, or AI-generated", "qeither"),
        ("AI-generated rather than real", "qgen rather than qreal"),
        ("assess its authenticity", "assess its authenticity"),
        ("evidence of authenticity", "evidence of qreal"),
        ("a genuine photograph", "a qreal qphoto"),
        ("it cannot be", "it can not be"),
        ("without a doubt", "clearly"),
    ],
)
def test_class_names_are_masked_and_lookalikes_are_not(text, masked):
    assert mask(plain(text)) == masked


@pytest.mark.parametrize(
    ("phrase", "label"),
    [
        ("generated", Label.GENERATED),
        ("real", Label.REAL),
        ("photograph", Label.REAL),
        ("Likely AI-generated", Label.GENERATED),
        ("AI-generated photograph", Label.GENERATED),
        ("AI", Label.GENERATED),
        ("not a real photo", Label.GENERATED),
        ("not fake", Label.REAL),
        ("Real (not AI-generated)", Label.REAL),
        ("low probability of AI generation", Label.REAL),
        ("undecided", Label.UNDECIDED),
        ("I cannot tell", Label.UNDECIDED),
        ("真实", Label.REAL),
        ("AI生成", Label.GENERATED),
        ("无法判断", Label.UNDECIDED),
        ("real or generated", None),
        ("generated|real", None),
        ("real and AI-generated parts", None),
        ("uncertain, leaning real", None),
        ("20% AI-generated", None),
        ("AI generation cannot be ruled out", None),
        ("dog", None),
        ("", None),
    ],
)
def test_a_short_phrase_names_one_label_or_none(phrase, label):
    assert read_phrase(phrase) == label
