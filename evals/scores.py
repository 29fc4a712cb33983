"""Whether files of scores know the cases of a test: what is not known there is skipped, quietly, case by case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from evals.data.folder import few
from evals.data.item import Item
from orchestrator.ensemble import Ensemble
from paradigms.scores.table import ScoreTable, read_score_table

MOST_READ = 2000
"""Cases up to which files are read to know them by their bytes."""


def tell_scores(items: Sequence[Item], ensembles: Sequence[Ensemble], *, reencoded: bool) -> Iterator[str]:
    """What is to be said of the files of scores, one line each.

    Args:
        items: the cases of the test.
        ensembles: of all arms.
        reencoded: whether pictures are re-encoded, so that they are other pictures than those with a score.

    Raises:
        ConfigError: a file of scores cannot be used.
    """
    members = ((name, choice.file) for ensemble in ensembles for name, choice in ensemble.scores.items())
    for name, file in dict.fromkeys(members):
        if file is None:
            continue  # a service is asked about any picture
        if reencoded:
            yield f"{name}: scores are of files as they are, and no case has one: pictures are re-encoded."
        else:
            yield from _told(name, read_score_table(Path(file)), items)


def _told(member: str, table: ScoreTable, items: Sequence[Item]) -> Iterator[str]:
    names = {item.case: table.name_of(item.case, str(item.path)) for item in items}
    served = Counter(name for name in names.values() if name is not None)
    shared = {name for name, count in served.items() if count > 1}
    if shared:
        cases = [case for case, name in names.items() if name in shared]
        yield (
            f"{member}: {len(shared)} rows of the file of scores serve several cases each, which get the same score: "
            f"{few(cases)}. Name each case as it is named here."
        )
    if table.by_digest and len(items) > MOST_READ:
        return  # who is known by its bytes comes out when it is judged
    unknown = [
        item.case
        for item in items
        if names[item.case] is None and not (table.by_digest and item.digest in table.by_digest)
    ]
    if unknown:
        yield (
            f"{member}: {len(unknown)} of {len(items)} cases have no score, and the member is skipped for them: "
            f"{few(unknown)}."
        )
