import pytest

from paradigms.signals.provenance import ClaimKind, Strength
from paradigms.signals.provenance.aigc import aigc_claim


@pytest.mark.parametrize("number", ["1", 1])
def test_label_1_declares(number):
    claim = aigc_claim("xmp:AIGC", {"Label": number, "ContentProducer": "someone"})
    assert (claim.kind, claim.strength) == (ClaimKind.GENERATED, Strength.STRONG)
    assert "someone" in claim.text


@pytest.mark.parametrize("number", ["2", "3", "10", None, {"1": 1}])
def test_other_labels_only_suppose(number):
    claim = aigc_claim("xmp:AIGC", {"Label": number, "ContentProducer": ["x"]})
    assert (claim.kind, claim.strength) == (ClaimKind.INFO, Strength.WEAK)


def test_the_text_of_a_label():
    assert aigc_claim("xmp:AIGC", '{"Label": "1", "ContentProducer": "x"}').kind is ClaimKind.GENERATED


@pytest.mark.parametrize("value", [None, "", "1", [], {"Label": "1"}, {"ContentProducer": "x"}, '{"Label'])
def test_what_is_no_label(value):
    assert aigc_claim("xmp:AIGC", value) is None
