import pytest

from paradigms.signals.provenance import ClaimKind
from paradigms.signals.provenance.credit import credit_claim


@pytest.mark.parametrize(
    ("line", "kind"),
    [("Made with Google AI", ClaimKind.GENERATED), ("edited with google AI.", ClaimKind.AI_EDITED)],
)
def test_lines_that_services_write(line, kind):
    assert credit_claim("xmp:Credit", line).kind is kind


@pytest.mark.parametrize("line", ["", "Not made with Google AI", "Photo: A. Person", "Google AI"])
def test_other_lines_claim_nothing(line):
    assert credit_claim("xmp:Credit", line) is None
