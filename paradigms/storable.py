"""Which answers are worth keeping."""

from __future__ import annotations

from backends.completion import Completion, Stop
from backends.request import Request
from paradigms.label import Outcome
from paradigms.reading import read_once
from paradigms.render import clean, spoken
from paradigms.subject import read_subject


def storable(request: Request, completion: Completion) -> bool:
    """Whether an answer may be kept and given again.

    Refused, empty and cut-off answers, and those from which nothing can be read, are asked for again instead: a cache
    that replays them would make an accident permanent.
    """
    if completion.stop is not Stop.COMPLETE or not completion.text.strip():
        return False
    match request.origin.purpose:
        case "verdict" | "follow_up":
            return read_once(completion.text).outcome is Outcome.ANSWERED
        case "subject":
            return read_subject(completion.text).phrase is not None
    return bool(clean(spoken(completion.text))) and read_once(completion.text).outcome is not Outcome.REFUSED
