"""A conservative reader of free text: which class does an answer claim for the picture?

Every sentence is read by clause, where negation, foils ("rather than"), questions, conditions and general remarks are
told apart from what is said of this picture. A *claim* says what the picture is; a *sign* only points to a side. Claims
that disagree, or signs that are few or mixed, give no label.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from paradigms import grammar
from paradigms.label import Label
from paradigms.naming import CJK, EDIT, GEN, LABELS, OPPOSITE, PHOTO, REAL

LONGEST_SENTENCE = 700
"""Characters. Of a longer sentence only the end is read, which keeps the work bounded."""
ENOUGH_SIGNS = 2.0
"""How many signs make a label where nothing is claimed…"""
OUTWEIGHS = 3.0
"""… and how many more for each sign of the other side."""


@dataclass(frozen=True, slots=True)
class Mention:
    """One class named in a sentence.

    `label` is the class that it speaks for, undecided for an edited picture; `claim` says whether the picture is said
    to be that, `concluding` whether the sentence concludes, and `weight` how much it counts as a sign.
    """

    label: Label
    claim: bool
    concluding: bool
    weight: float = 1.0


def find_mentions(text: str) -> list[Mention]:
    """Everything that a text says of a class for this picture.

    Args:
        text: masked text of bounded length.

    """
    return [mention for sentence, concluding in _sentences(text) for mention in _mentions(sentence, concluding)]


def weigh(mentions: Sequence[Mention]) -> Label | None:
    """The class that a text claims for the picture, or None when that is not clear."""
    claims = [mention for mention in mentions if mention.claim]
    for said in ([mention for mention in claims if mention.concluding], claims):
        labels = {mention.label for mention in said}
        if labels >= {Label.GENERATED, Label.UNDECIDED}:
            labels.remove(Label.UNDECIDED)  # edited or generated: not a photograph as it was taken
        if labels:
            return labels.pop() if len(labels) == 1 and Label.UNDECIDED not in labels else None
    signs = {label: sum(mention.weight for mention in mentions if mention.label is label) for label in LABELS.values()}
    side, other = sorted(signs, key=lambda label: -signs[label])
    return side if signs[side] >= ENOUGH_SIGNS + OUTWEIGHS * signs[other] else None


def _sentences(text: str) -> Iterator[tuple[str, bool]]:
    """The sentences of masked text, each with whether it concludes."""
    closing = False
    for whole_line in text.splitlines():
        line = re.sub(r"^[\s#>•·+-]*(?:\(?\d{1,2}[.)])?\s*", "", whole_line).strip()
        heading = grammar.HEADING.match(line) if len(line) < 60 else None
        if heading and GEN not in line and REAL not in line:
            closing = heading[1] is not None
            continue
        for whole in re.split(r"(?<=[.!?;。！？])\s+|(?<=[。！？])", line):
            sentence = whole.strip()[-LONGEST_SENTENCE:]
            if sentence and not sentence.endswith("?"):
                yield sentence, closing or grammar.CONCLUDES.search(sentence) is not None


def _mentions(sentence: str, concluding: bool) -> Iterator[Mention]:
    """Each class that the sentence says something of."""
    if CJK.search(sentence):
        yield from _chinese_mentions(sentence)
        return
    named = list(re.finditer(rf"\b(?:{GEN}|{REAL}|{EDIT})\b", sentence))
    if not named:
        named = list((grammar.BARE_PHOTO if concluding else grammar.NO_PHOTO).finditer(sentence))[:1]
    classless = not any(found[0] in LABELS for found in named)
    if classless and grammar.ABSENCE.search(sentence) and not grammar.MODAL.search(sentence):
        yield Mention(Label.REAL, claim=False, concluding=concluding, weight=0.5)
    for found in named:
        mention = _mention(sentence, found, concluding)
        if mention is not None:
            yield mention


def _mention(sentence: str, found: re.Match[str], concluding: bool) -> Mention | None:
    """What the sentence says of the class that it names at `found`; None when it says nothing of this picture."""
    opener, start = "", 0
    for stop in grammar.BREAK.finditer(sentence, 0, found.start()):
        opener, start = stop[0].strip(), stop.end()
    scope, after = sentence[start : found.start()], sentence[found.end() :]
    inherits = (
        grammar.SUBJECT.match(sentence) if opener in ("and", "but") else grammar.RELATIVE.search(sentence[:start])
    )
    if inherits and grammar.VERB.match(scope):
        scope = f"it {scope}"  # "the image lacks noise and appears to be …"
    if grammar.ASIDE.search(scope) or grammar.VOIDED_AFTER.search(after):
        return None
    if grammar.OBJECTED.search(after) and grammar.IMPRESSION.search(scope):
        return None
    claim = next((match for pattern in grammar.CLAIMS if (match := pattern.search(scope))), None)
    if (
        opener == "which"
        and not claim
        and grammar.NEGATION.search(sentence[:start])
        and not grammar.EVIDENCE.search(scope)
    ):
        return None  # "no noise, which is typical of …" can mean either
    if grammar.THING.match(f"{found[0]}{after}"):
        claim = None
        if not grammar.RELATION.search(scope):
            return None
    fragment = (start == 0 or opener == ":") and grammar.FRAGMENT.match(scope) and grammar.FRAGMENT_END.match(after)
    general = grammar.GENERAL.match(scope) and re.match(r"\s*\w", after)
    if after[-1:] == ":" and grammar.LISTED.search(scope) or re.match(r" ?:", after) and grammar.LISTED.match(scope):
        return None
    if claim is None and not fragment and (general or sentence.endswith(":")):
        return None
    denial = _denial(scope)
    turned = denial is not None or grammar.TURNED_AFTER.search(after) is not None
    share = grammar.SHARE.search(scope)
    if share is not None and int(share[1]) < 50:
        turned = not turned
    supposed = [verb.start() for verb in grammar.EVIDENCE.finditer(scope)]
    modal = grammar.MODAL.search(scope, 0, supposed[-1] if supposed else len(scope)) is not None
    if found[0] not in LABELS:
        return _other_mention(found[0], claim is not None and not modal, turned, concluding)
    said = bool(fragment)
    if claim is not None:
        # "I do not believe that it is …" denies the claim; "there are no signs that it is …" is only a sign
        only_sign = denial is not None and denial.start() < claim.start() and not concluding
        said = (
            not only_sign
            or grammar.FINDINGS.match(scope)
            or grammar.DOUBT.match(scope, denial.start() if denial else 0)
        )
    elif not said:
        said = concluding or grammar.FINDINGS.search(scope) is not None
    label = LABELS[OPPOSITE[found[0]] if turned else found[0]]
    weight = 0.5 if modal and not turned else 1.0
    if not modal and opener != ":" and grammar.DECISIVE.search(scope):
        weight = ENOUGH_SIGNS
    return Mention(label, said and not modal and opener not in grammar.CONCESSIONS, concluding, weight)


def _denial(scope: str) -> re.Match[str] | None:
    """What turns a class named right after `scope` into its opposite."""
    verbs = list(grammar.EVIDENCE.finditer(scope))
    if not verbs or grammar.NONE.search(scope, 0, verbs[-1].start()):
        return grammar.NEGATION.search(scope)
    return grammar.NEGATION.search(scope, verbs[-1].end())


def _other_mention(name: str, said: bool, turned: bool, concluding: bool) -> Mention | None:
    """What it means to call the picture a photograph, or edited."""
    if not said:
        return None
    if name == PHOTO:
        return Mention(Label.GENERATED if turned else Label.REAL, claim=True, concluding=concluding)
    return Mention(Label.REAL, False, concluding, 0.5) if turned else Mention(Label.UNDECIDED, True, concluding)


def _chinese_mentions(sentence: str) -> Iterator[Mention]:
    if grammar.CHINESE_ASIDE.search(sentence):
        return
    concluding = grammar.CHINESE_CONCLUDES.search(sentence) is not None
    for clause in re.split(r"[,;:、]", sentence):
        found = re.search(rf"{GEN}|{REAL}", clause)
        if found is not None and not grammar.CHINESE_CONCESSION.search(clause):
            before = clause[: found.start()]
            label = LABELS[OPPOSITE[found[0]] if grammar.CHINESE_NEGATION.search(before) else found[0]]
            yield Mention(label, grammar.CHINESE_CLAIM.search(before) is not None, concluding)
