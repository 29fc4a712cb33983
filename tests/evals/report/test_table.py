from __future__ import annotations

import csv
import io

from evals.metrics.estimate import Estimate
from evals.report.csv_table import csv_text
from evals.report.latex import escape as latex_escape
from evals.report.latex import latex_text
from evals.report.markdown import escape as markdown_escape
from evals.report.markdown import markdown_text
from evals.report.section import Section
from evals.report.table import Column, Figure, Number, Share, Table, text_of

ESTIMATE = Estimate(value=0.125, n=16, events=2, low=0.015, high=0.383)
NONE = Estimate(value=None, n=0)
TABLE = Table(
    "small",
    "A small table",
    (Column("arm", "Arm"), Column("rate", "Rate"), Column("cost", "Cost")),
    (("six & co_1", Share(ESTIMATE), Figure(0.5, "${:.2f}")), ("x", Share(NONE, "nobody came"), Figure(None))),
    ("A note.",),
)


def test_cells_as_text() -> None:
    assert text_of(Share(ESTIMATE)) == "12.5\u00a0% [1.5, 38.3], 2 of 16"
    assert text_of(Number(ESTIMATE)) == "0.125 [0.015, 0.383], 2 of 16"
    assert text_of(Share(Estimate(value=-0.05, n=9, low=-0.1, high=0.0), signed=True)) == "−5.0 points [−10.0, +0.0]"
    assert text_of(Share(NONE)) == text_of(Figure(None)) == "—"
    assert text_of(12345) == "12,345"


def test_an_unknown_number_says_why() -> None:
    assert TABLE.footnotes == ("A note.", "— not known: nobody came.", "— not known: there is nothing to count.")


def test_csv_has_bare_values_and_empty_unknowns() -> None:
    first, second = csv.DictReader(io.StringIO(csv_text(TABLE)))
    assert first == {
        "arm": "six & co_1", "rate": "0.125", "rate_low": "0.015", "rate_high": "0.383", "rate_n": "16",
        "rate_events": "2", "cost": "0.5",
    }  # fmt: skip
    assert (second["rate"], second["rate_n"], second["cost"]) == ("", "0", "")


def test_latex_has_booktabs_and_escapes() -> None:
    text = latex_text(TABLE)
    assert r"six \& co\_1 & $12.5$ {\small [$1.5$, $38.3$]} & \$0.50 \\" in text
    assert r"Arm & Rate (\%) & Cost \\" in text
    assert latex_escape("[1ex] x") == "{[}1ex{]} x"
    assert text.index("toprule") < text.index("midrule") < text.index("bottomrule")
    assert "\\begin{tabular}{lrr}" in text
    assert latex_escape("\\{}$&#%_~^\n") == (r"\textbackslash{}\{\}\$\&\#\%\_\textasciitilde{}\textasciicircum{}")


def test_markdown_escapes() -> None:
    text = markdown_text("A & B", [Section("k", "T", ("<b>*x*</b> [a](http://b)",), (("term", "a|b"),), (TABLE,))])
    assert "\\<b\\>\\*x\\*\\</b\\> \\[a\\](http:\u2060//b)" in text
    assert "- **term**: a\\|b" in text
    assert "| six \\& co\\_1 | 12.5 % \\[1.5, 38.3\\], 2 of 16 | \\$0.50 |" in text
    assert markdown_escape("two\nlines\x07") == "two lines"


def test_long_tables_end_with_where_the_rest_is() -> None:
    long = Table("long", "Long", (Column("n", "N"),), tuple((place,) for place in range(300)))
    assert "100 further rows are in long.csv." in latex_text(long)
    assert "240 further rows are in tables/long.csv." in markdown_text("t", [Section("k", "T", tables=(long,))])
    assert csv_text(long).count("\n") == 301
