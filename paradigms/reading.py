"""Reads a model's answer: the filled-in form, else the asked-for last line, else plain prose.

Whatever is not certain stays unread: `unparsed` is better than a guess, a refusal never carries a label, and verdicts
that contradict each other cancel out. Answers are untrusted: the work is bounded whatever the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from paradigms.form import Form, ReadObservation, read_form
from paradigms.label import Label, Outcome
from paradigms.naming import GEN, LABELS, OPPOSITE, REAL, mask, plain, read_phrase
from paradigms.prose import find_mentions, weigh

__all__ = ["ReadObservation", "Reading", "read_answer"]

LONGEST_TEXT = 40_000
"""Characters that are read as lines and prose; of a longer answer its beginning and its end."""
LONGEST_LINE = 400
"""Characters; a longer line is no verdict line."""
LONGEST_VERDICT = 12
"""Words that may stand behind `Verdict:`; anything longer is prose."""

How = Literal["schema", "final_line", "prose", "none"]

_THINKING = re.compile(
    r"<(think|thinking|thought)>.*?</\1>|^.*?</(?:think|thinking|thought)>|<(?:think|thinking|thought)>.*$",
    re.DOTALL | re.IGNORECASE,
)
_TAG = re.compile(
    r"<(/?)(answer|verdict|conclusion|label|result)>|\\boxed\{(?:\\text\{)?([^{}\n]{1,60})\}+", re.IGNORECASE
)
_HEAD = re.compile(
    r"^\W*(?:(?:\d+|step \d+)[.):]\s*)?(?:(?:my|the|so|therefore|thus|overall|in)\s+)*"
    r"(?:(?P<strong>(?:final |overall |ultimate )*(?:verdict|answer|conclusion|label|judge?ment|decision|determination|classification"
    r"|prediction|overall)|final (?:assessment|result|call|statement)|最终(?:答案|判断|结论)|结论|答案|判断)"
    r"|(?P<weak>(?:final |overall )*(?:assessment|result|score|rating|authenticity|outcome|image type)|(?:\w+ ){0,4}either(?: \w+){0,2}))"
    r"(?:\s*\([^)\n]{0,60}\))?\s*(?:[:=?]|\s-(?=\s)|\bis\b|$)\s*:?\s*(?P<value>.*)$"
)
_BARE = re.compile(
    rf"^\W*(?:(?:therefore|thus|so|hence|overall|most|very|more|highly|likely|probably|certainly|definitely|almost|it|is|this|a|an|the|image|picture|photo|not)[:,]?\s+)*"
    rf"(?:{GEN}|{REAL})(?:\s+(?:image|photo|picture|qphoto|photography))?\W*$"
    r"|^\W*(?:i )?(?:can't|can not) tell\W*$|^\W*(?:undecided|uncertain|inconclusive|unsure|not sure)\W*$"
)
_CLAUSE_END = re.compile(r"[.;,:!。]|\s-\s|\s(?:because|since|as|based|due|with|given|but)\s")
_RESTATED = re.compile(rf"\b(?:is|was|does|are)\b[^?\n]{{0,80}}\b({GEN}|{REAL})\b[^?\n]{{0,30}}\?\W*(yes|no)\b")
_CHECKED = re.compile(
    rf"^\W*(?:is )?(?:it |this |the )?(?:image |picture |photo )?({GEN}|{REAL})(?: image| photo| qphoto)?\s*[:?]\s*(yes|no|true|false)\b"
)
_CERTAINTY = re.compile(
    r"\b(?:certainty|confidence|confident)\b[^\d\n%]{0,25}(\d{1,3}(?:\.\d+)?)\s?%|(\d{1,3}(?:\.\d+)?)\s?%\s(?:certain|confiden|sure)"
)
_CANNOT = (
    r"(?:unable to|not able to|can't|cant|can not|could(?:n't| not)|do(?:n't| not) have the (?:ability|capability|means) to|won't"
    r"|am not (?:equipped|designed) to)"
)
_DECLINES = re.compile(
    rf"\b(?:i|i'm|i am|we|sorry,? but i)\b[^.\n]{{0,40}}?\b{_CANNOT}(?: \w+){{0,2}}? (?:view|access|analy[sz]e|assess|evaluate|examine|process"
    r"|verify|help|assist|comply|determine|provide|confirm|judge|tell|make|answer|offer|discern|ascertain|interpret|inspect|comment|decide"
    r"|distinguish|engage|definitively|conclusively|directly|(?:see|identify|detect)(?= (?:the )?(?:images?|pictures?|photos?|people|real)))\b"
    r"|\bi(?:'m| am) (?:sorry|afraid)\b[^.\n]{0,30}\b(?:can't|can not|unable)|抱歉|无法(?:查看|访问|直接)"
)
_HEDGES = re.compile(
    r"\b(?:can't|can not|could not|not possible to|impossible to|difficult to|hard to|challenging to|unable to|not)\b[^.\n]{0,50}?"
    r"\b(?:determin|tell|say|conclude|verif|confirm|establish|distinguish|ascertain|decid|certain|definitive|affirm|rule)"
    r"|\b(?:inconclusive|undetermined|indeterminate|50\s?[/-]\s?50|fifty-fifty|undecided|toss-?up|equally (?:likely|plausible|possible)"
    r"|(?:not enough|insufficient) (?:evidence|information))|(?:无法|难以)(?:确定|判断)"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What an answer says. Only an `answered` one has a label.

    `how` names what the label was read from. `certainty` is the stated per cent, 0 to 100, None unless unambiguous.
    """

    outcome: Outcome
    label: Label | None = None
    how: How = "none"
    certainty: float | None = None
    reasoning: str = ""
    observations: tuple[ReadObservation, ...] = ()


def read_answer(text: str) -> Reading:
    """Read one answer. Never raises; the work grows at most linearly with the text.

    Args:
        text: the answer as it came, of any length.

    """
    text = _THINKING.sub("\n", text).encode("utf-8", "replace").decode().strip()
    form = read_form(text) or Form()
    if len(form.labels) == 1:
        return _reading(Outcome.ANSWERED, next(iter(form.labels)), "schema", form)
    if form.labels:
        return _reading(Outcome.UNPARSED, None, "none", form)
    words = mask(plain(_shortened(form.reasoning or text))[-2 * LONGEST_TEXT :])
    labels = _final_lines(words)
    certainty = _stated_certainty(words)
    form = Form(reasoning=form.reasoning or text[:LONGEST_TEXT], observations=form.observations, certainty=certainty)
    if labels:
        settled = labels.pop() if len(labels) == 1 else None
        outcome = Outcome.ANSWERED if settled else Outcome.UNPARSED
        return _reading(outcome, settled, "final_line" if settled else "none", form)
    return _read_freely(words, form)


def _reading(outcome: Outcome, label: Label | None, how: How, form: Form) -> Reading:
    certainty = form.certainty if label is not None else None
    return Reading(outcome, label, how, certainty, form.reasoning, form.observations)


def _read_freely(words: str, form: Form) -> Reading:
    sentences = [part for part in re.split(r"(?<=[.!?。])\s+|\n+", words) if part.strip()]
    declined = _DECLINES.search(words, 0, sum(map(len, sentences[:2])) + 2)
    if declined is not None and weigh(find_mentions(words[: declined.start()])) is None:
        return _reading(Outcome.REFUSED, None, "none", form)
    mentions = find_mentions(words)
    label = weigh(mentions)
    closing = sentences[-2:]
    hedged = any(_HEDGES.search(sentence) and not _HEAD.match(sentence) for sentence in closing)
    if label is not None and (not hedged or any(mention.claim for mention in mentions)):
        return _reading(Outcome.ANSWERED, label, "prose", form)
    if any(_DECLINES.search(sentence) for sentence in closing):
        return _reading(Outcome.REFUSED, None, "none", form)
    if hedged and not mentions:
        return _reading(Outcome.ANSWERED, Label.UNDECIDED, "prose", form)
    return _reading(Outcome.UNPARSED, None, "none", form)


def _shortened(text: str) -> str:
    """The text with tags of verdicts as lines, cut to its beginning and end if it is very long."""
    if len(text) > LONGEST_TEXT:
        text = f"{text[: LONGEST_TEXT // 4]}\n{text[-LONGEST_TEXT * 3 // 4 :]}"
    return _TAG.sub(lambda tag: "\n" if tag[1] else f"\nAnswer: {tag[3] or ''}", text)


def _final_lines(words: str) -> set[Label]:
    """The labels that lines such as `Verdict: generated` give; several contradict each other."""
    lines = [line.strip() for line in words.replace("|", "\n").splitlines() if line.strip(" \t-=#>")]
    strong: set[Label] = set()
    weak: set[Label] = set()
    for number, line in enumerate(lines):
        if len(line) > LONGEST_LINE:
            continue
        for question in (*_RESTATED.finditer(line), *_CHECKED.finditer(line)):
            name, holds = question.groups()
            strong.add(LABELS[name if holds in ("yes", "true") else OPPOSITE[name]])
        head = _HEAD.match(line)
        label = None
        if head is not None:
            label = _short_verdict(head["value"] or next(iter(lines[number + 1 : number + 2]), "")[:LONGEST_LINE])
        elif number in (0, len(lines) - 1) and _BARE.match(line):
            label = _short_verdict(re.sub(r"^\w+[:,] ", "", line))
        if label is not None:
            (weak if head and head["weak"] else strong).add(label)
    return strong or (weak if len(weak) == 1 else set())


def _short_verdict(value: str) -> Label | None:
    clause = _CLAUSE_END.split(value.strip(" \t[](){}<>-=:"), maxsplit=1)[0]
    return read_phrase(clause) if 0 < len(clause.split()) <= LONGEST_VERDICT else None


def _stated_certainty(words: str) -> float | None:
    found = {float(first or second) for first, second in _CERTAINTY.findall(words)}
    return next(iter(found)) if len(found) == 1 and max(found) <= 100 else None
