import pytest
from pydantic import ValidationError

from paradigms.signals.provenance import Claim, ClaimKind, Provenance, Signature


def test_untrusted_text_is_made_plain_on_the_way_in():
    claim = Claim(kind=ClaimKind.INFO, where="x", tool="A\u202eB\n" + "c" * 200, text="a\x1b[0m\u2066b" + "c" * 500)
    assert claim.text.startswith("a[0mb")
    assert len(claim.text) == 200
    assert claim.tool.startswith("AB c")
    assert len(claim.tool) == 80
    assert Signature(issuer="Acme\x00\u200f Inc.").issuer == "Acme Inc."


def test_results_are_frozen_closed_and_have_a_schema():
    with pytest.raises(ValidationError):
        Provenance(unknown=1)
    with pytest.raises(ValidationError):
        Provenance().tool = "x"
    assert Provenance.model_validate_json(Provenance().model_dump_json()) == Provenance()
    assert "declaration" in Provenance.model_json_schema()["properties"]
