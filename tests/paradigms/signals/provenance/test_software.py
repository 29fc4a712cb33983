import pytest

from paradigms.signals.provenance import ClaimKind, Strength
from paradigms.signals.provenance.software import comment_claim, generator_named, software_claim


@pytest.mark.parametrize(
    ("name", "kind", "tool"),
    [
        ("NovelAI", ClaimKind.GENERATED, "NovelAI"),
        ("Fooocus v2.5.5", ClaimKind.GENERATED, "Fooocus"),
        ("GIMP 2.10.38", ClaimKind.EDITED, "GIMP 2.10.38"),
        ("Adobe Photoshop 26.1", ClaimKind.EDITED, "Adobe Photoshop 26.1"),
        ("gnome-screenshot", ClaimKind.SCREENSHOT, "gnome-screenshot"),
        ("Ver.1.00", ClaimKind.INFO, "Ver.1.00"),
        ("Firefly MV", ClaimKind.INFO, "Firefly MV"),
    ],
)
def test_a_name_is_a_weak_claim(name, kind, tool):
    claim = software_claim("exif:Software", name)
    assert (claim.kind, claim.tool, claim.strength) == (kind, tool, Strength.WEAK)


def test_a_comment_that_mentions_a_generator_claims_nothing():
    claim = comment_claim("jpeg:comment", "not made with Midjourney")
    assert (claim.kind, claim.tool, claim.private) == (ClaimKind.INFO, None, True)
    assert comment_claim("jpeg:comment", "Created with GIMP").kind is ClaimKind.EDITED


def test_an_empty_field_claims_nothing():
    assert software_claim("exif:Software", " \n") is None
    assert comment_claim("jpeg:comment", "") is None


def test_only_the_start_of_a_field_is_looked_at():
    assert generator_named("x" * 500 + "NovelAI") is None
