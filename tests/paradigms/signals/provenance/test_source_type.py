import pytest

from paradigms.signals.provenance import ClaimKind
from paradigms.signals.provenance.source_type import source_kind, source_term

AT = "http://cv.iptc.org/newscodes/digitalsourcetype/"


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (AT + "trainedAlgorithmicMedia", ClaimKind.GENERATED),
        (AT + "compositeWithTrainedAlgorithmicMedia", ClaimKind.AI_EDITED),
        (AT + "algorithmicMedia", ClaimKind.INFO),
        (AT + "digitalCapture", ClaimKind.CAMERA),
        (AT + "computationalCapture/", ClaimKind.CAMERA),
        ("TrainedAlgorithmicMedia", ClaimKind.GENERATED),
        ("not trainedAlgorithmicMedia", ClaimKind.INFO),
        ("", ClaimKind.INFO),
    ],
)
def test_terms(value, kind):
    assert source_kind(value) is kind


def test_the_term_is_the_end_of_the_address():
    assert source_term(f" {AT}screenCapture ") == "screenCapture"
