from __future__ import annotations

import pytest

from paradigms.label import Outcome
from paradigms.report import Report
from sixlens.words.verdict import says


@pytest.mark.parametrize(
    ("outcome", "word"), [(Outcome.UNPARSED, "unreadable"), (Outcome.REFUSED, "refused"), (Outcome.FAILED, "failed")]
)
def test_an_examination_without_a_label_is_one_plain_word(outcome: Outcome, word: str) -> None:
    report = Report(paradigm="p", title="P", question="What?", outcome=outcome, reason="no", prompt_version="1+0")
    assert says(report) == word
