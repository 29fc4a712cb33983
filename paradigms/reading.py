"""Reads a model's answer: the filled-in form, else the asked-for last line, else plain prose.

Whatever is not certain stays unread: `unparsed` is better than a guess, a refusal never carries a label, and verdicts
that contradict each other cancel out. Answers are untrusted: the work is bounded whatever the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from paradigms.form import Form, ReadObservation, read_form
from paradigms.label import Label, Outcome
from paradigms.naming import EITHER, GEN, LABELS, OPPOSITE, REAL, any_of, mask, plain, read_phrase
from paradigms.prose import find_mentions, weigh

__all__ = ["ReadObservation", "Reading", "read_answer", "read_once"]

LONGEST_TEXT = 40_000
"""Characters that are read as lines and prose; of a longer answer its beginning and its end."""
LONGEST_LINE = 400
"""Characters; a longer line is no verdict line."""
LONGEST_VERDICT = 8
"""Words of a verdict that is no sentence, such as `Verdict: likely real`."""
_REMEMBERED = 20_000
"""Characters of an answer whose reading is remembered for a while; longer ones are rare, and are not to be kept."""

How = Literal["schema", "final_line", "prose", "none"]

_THINKING = re.compile(
    r"<(think|thinking|thought)>.*?</\1>|^.*?</(?:think|thinking|thought)>|<(?:think|thinking|thought)>.*$",
    re.DOTALL | re.IGNORECASE,
)
_TAG = re.compile(
    r"<(/?)(?:answer|verdict|conclusion|label|result)>|\\boxed\{(?:\\text\{)?([^{}\n]{1,60})\}+", re.IGNORECASE
)
_CLASS = rf"(?:{GEN}|{REAL})"
_HEAD = re.compile(
    r"^\W*(?:(?:\d+|step \d+)[.):]\s*)?(?:(?:my|the|so|therefore|thus|overall|in|final|ultimate|image|media)\s+)*"
    r"(?:(?P<strong>verdict|answer|conclusion|label|judge?ment|decision|determination|classification|prediction|overall"
    r"|(?<=final )(?:assessment|result|call|statement)|(?:this|the) (?:image|picture|photo) is(?=:)"
    r"|(?:最终|最后|综合|我的|判断|分析|所以)*(?:答案|判断|结论|结果)是?)"
    rf"|(?P<weak>assessment|result|score|rating|authenticity|outcome|impression|type|likelihood|estimate|evaluation|status"
    rf"|(?:\w+ ){{0,4}}{EITHER}(?: \w+){{0,2}}))"
    r"(?:\s*\([^)\n]{0,60}\))?\s*(?:[:=?]|\s-(?=\s)|\bis\b|$)\s*:?\s*(?P<value>.*)$"
)
_BARE = re.compile(
    r"^\W*(?:(?:therefore|thus|so|hence|overall|most|very|more|highly|likely|probably|certainly|definitely|almost"
    rf"|it|is|this|a|an|the|image|picture|photo|not)[:,]?\s+)*+{_CLASS}(?:\s+(?:image|photo|picture|qphoto|photography))?\W*$"
    r"|^\W*(?:(?:i )?(?:can't|can not) tell|undecided|uncertain|inconclusive|unsure|not sure)\W*$"
)
_OPTION = re.compile(r"^[^\w\n]*[a-d][.):]\s+(?=q)", re.MULTILINE)  # "B) AI-generated"
_BLANK_LINES = re.compile(r"\n(?:[^\w\n]{0,20}\n){2,}")
_RUN = re.compile(r"([^\w\n])[^\w\n]{30,}")
"""What a model that got stuck repeats. Patterns that look past such runs take a time that grows with its square."""
_CLAUSE_END = re.compile(r"[.;,:!。]|\s-\s|\s(?:because|since|as|based|due|with|given|but)\s")
_CONCEDES = re.compile(r"(?:while|although|though|if|despite|even|given|based|whether)\b")
_RESTATED = re.compile(
    rf"(?:^|[.!:] )[^\w\n]*(?:is|was|does|are)\b[^?\n]{{0,80}}\b({_CLASS})\b[^?\n]{{0,30}}"
    r"\?\W*(?:answer\W+)?(yes|no)\b",
    re.MULTILINE,
)
_CHECKED = re.compile(
    rf"^\W*(?:is )?(?:it |this |the )?(?:image |picture |photo )?({_CLASS})(?: image| photo| qphoto)?\s*[:?]\s*"
    r"(yes|no|true|false)\b"
)
_CERTAINTY = re.compile(
    r"\b(?:certainty|confidence|confident)\b[^\d\n%]{0,25}(\d{1,3}(?:\.\d+)?)\s?%"
    r"|(\d{1,3}(?:\.\d+)?)\s?%\s(?:certain|confiden|sure)"
)
_CANNOT = any_of(
    r"unable_to not_able_to can't cant can_not couldn't could_not",
    r"(?:don't|do_not)_have_the_(?:ability|capability|means)_to won't am_not_(?:equipped|designed)_to",
)
_DECLINES = re.compile(
    rf"\b(?:i|i'm|i am|we|sorry,? but i)\b[^.\n]{{0,40}}?{_CANNOT}(?: \w+){{0,2}}? "
    + any_of(
        r"view access analy[sz]e assess evaluate examine process verify help assist comply determine provide",
        r"confirm judge tell make answer offer discern ascertain interpret inspect comment decide distinguish",
        r"engage definitively conclusively directly",
        r"(?:see|identify|detect)(?=_(?:the_)?(?:images?|pictures?|photos?))",
    )
    + r"|\bi(?:'m| am) (?:sorry|afraid)\b[^.\n]{0,30}\b(?:can't|can not|unable)|抱歉|无法(?:查看|访问|直接)"
)
_HEDGES = re.compile(
    any_of("can't can_not could_not impossible difficult hard challenging unable_to no_way_to")
    + r"[^.\n]{0,50}?\b(?:determin|tell|say|conclu|verif|confirm|establish|distinguish|ascertain|decid"
    r"|certain|affirm|rule)"
    r"|\bnot (?:\w+ ){0,2}?(?:determin|verif|confirm|conclusi|definitiv|certain|affirm|possible to)|"
    + any_of(
        r"inconclusive undetermined indeterminate 50_?[/-]_?50 fifty-fifty undecided toss-?up",
        r"equally_(?:likely|plausible|possible) (?:not_enough|insufficient)_(?:evidence|information)",
    )
    + r"|(?:无法|难以)(?:确定|判断)"
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
    form = read_form(text) or Form(reasoning=text)
    if form.labels:
        return _settle(form.labels, "schema", form)
    words = mask(plain(_shortened(form.reasoning))[-2 * LONGEST_TEXT :])
    form = replace(form, reasoning=form.reasoning[:LONGEST_TEXT], certainty=_stated_certainty(words))
    strong, weak = _verdict_lines(words)
    if strong:
        return _settle(strong, "final_line", form)
    if _declines(words):
        return Reading(Outcome.REFUSED, reasoning=form.reasoning, observations=form.observations)
    label, hedged = _read_freely(words)
    if len(weak) == 1:
        return _settle(weak | ({label} if label else set()), "final_line", form)
    if label is None and _DECLINES.search(_closing(words)):
        return Reading(Outcome.REFUSED, reasoning=form.reasoning, observations=form.observations)
    return _settle({label or Label.UNDECIDED} if label or hedged else set(), "prose", form)


def read_once(text: str) -> Reading:
    """As `read_answer`, for those who read the same answer one after another: the cache, then the examination."""
    return _recent(text) if len(text) <= _REMEMBERED else read_answer(text)


@lru_cache(maxsize=64)
def _recent(text: str) -> Reading:
    return read_answer(text)


def _settle(labels: frozenset[Label] | set[Label], how: How, form: Form) -> Reading:
    """The reading for the labels that were found: one is an answer, none or several are not."""
    if len(labels) == 1:
        (label,) = labels
        return Reading(Outcome.ANSWERED, label, how, form.certainty, form.reasoning, form.observations)
    return Reading(Outcome.UNPARSED, reasoning=form.reasoning, observations=form.observations)


def _shortened(text: str) -> str:
    """The text with tags of verdicts as lines, without long runs, cut to its beginning and end if it is very long."""
    if len(text) > LONGEST_TEXT:
        text = f"{text[: LONGEST_TEXT // 4]}\n{text[-LONGEST_TEXT * 3 // 4 :]}"
    text = _BLANK_LINES.sub("\n\n", _RUN.sub(r"\1", text))
    return _TAG.sub(lambda tag: "\n" if tag[1] else f"\nAnswer: {tag[2] or ''}", text)


def _verdict_lines(words: str) -> tuple[set[Label], set[Label]]:
    """The labels in lines such as `Verdict: generated`, and in weaker ones such as `Score: 2 (real)`."""
    lines = [line.strip() for line in _OPTION.sub("", words.replace("|", "\n")).splitlines() if line.strip(" \t-=#>")]
    strong = {_held(question) for question in _RESTATED.finditer(words)}
    weak: set[Label] = set()
    for number, line in enumerate(lines):
        if len(line) > LONGEST_LINE or line.endswith("?"):
            continue
        if checked := _CHECKED.match(line):
            strong.add(_held(checked))
        head = _HEAD.match(line)
        label = None
        if head is not None:
            below = lines[number + 1][:LONGEST_LINE] if number + 1 < len(lines) else ""
            label = _short_verdict(head["value"] or below)
        elif number in (0, len(lines) - 1) and _BARE.match(line):
            label = _short_verdict(re.sub(r"^\w+[:,] ", "", line))
        if label is not None:
            opens = head is None and number < len(lines) - 1
            (weak if opens or (head and head["weak"]) else strong).add(label)
    return strong, weak


def _held(question: re.Match[str]) -> Label:
    """The label of a question that is answered by yes or no."""
    name, holds = question.groups()
    return LABELS[name if holds in ("yes", "true") else OPPOSITE[name]]


def _short_verdict(value: str) -> Label | None:
    if re.search(rf"\d ?(?:=|means|is) ?(?:\w+ )?{_CLASS}", value):
        return None  # the scale is explained, not used
    value = value.strip(" \t[](){}<>-=:")
    claimed = weigh([mention for mention in find_mentions(_sentences(value)[0]) if mention.claim]) if value else None
    if claimed is not None:
        return claimed
    for phrase in (_CLAUSE_END.split(value, maxsplit=1)[0], value):
        if len(phrase.split()) <= LONGEST_VERDICT and not _CONCEDES.match(phrase) and (label := read_phrase(phrase)):
            return label
    return None


def _sentences(words: str) -> list[str]:
    return [part for part in re.split(r"(?<=[.!?。])\s+|\n+", words) if part.strip()]


def _closing(words: str) -> str:
    """The last two sentences."""
    return "\n".join(_sentences(words)[-2:])


def _declines(words: str) -> bool:
    """Whether the answer opens with a refusal, before it has claimed anything."""
    refusal = _DECLINES.search("\n".join(_sentences(words)[:2]))
    return refusal is not None and weigh(find_mentions(words[: words.find(refusal[0])])) is None


def _read_freely(words: str) -> tuple[Label | None, bool]:
    """The label that prose gives, and, where it gives none, whether it says that the matter cannot be decided."""
    mentions = find_mentions(words)
    label = weigh(mentions)
    hedged = any(_HEDGES.search(line) and not _HEAD.match(line) for line in _closing(words).splitlines())
    if label is not None and hedged and not any(mention.claim for mention in mentions):
        label = None  # signs that the answer itself does not find sufficient
    return label, hedged and not mentions


def _stated_certainty(words: str) -> float | None:
    found = {float(first or second) for first, second in _CERTAINTY.findall(words)}
    return found.pop() if len(found) == 1 and max(found) <= 100 else None
