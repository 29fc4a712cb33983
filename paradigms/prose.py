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
from paradigms.naming import CJK, GEN, LABELS, OPPOSITE, PHOTO, REAL

LONGEST_SENTENCE = 700
"""Characters. Of a longer sentence only the end is read, which keeps the work bounded."""
ENOUGH_SIGNS = 2.0
"""How many signs make a label where nothing is claimed…"""
OUTWEIGHS = 3.0
"""… and how many more for each sign of the other side."""


@dataclass(frozen=True, slots=True)
class Mention:
    """One class named in a sentence.

    `label` is the class that it speaks for, `claim` says whether the picture is said to be that, `concluding` whether
    the sentence concludes, and `weight` how much it counts as a sign.
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
        if labels:
            return labels.pop() if len(labels) == 1 else None
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
    named = list(re.finditer(rf"\b(?:{GEN}|{REAL})\b", sentence))
    if not named:
        named = list((grammar.BARE_PHOTO if concluding else grammar.NO_PHOTO).finditer(sentence))[:1]
    if (not named or named[0][0] == PHOTO) and grammar.ABSENCE.search(sentence) and not grammar.MODAL.search(sentence):
        yield Mention(Label.REAL, claim=False, concluding=concluding, weight=0.5)
    for found in named:
        clause = _Clause.around(sentence, found)
        mention = _mention(clause, concluding or clause.opener in grammar.CONCLUDING)
        if mention is not None:
            yield mention


@dataclass(frozen=True, slots=True)
class _Clause:
    """A class name in its clause: what opens the clause, what stands in it before the name, and what follows."""

    name: str
    opener: str
    scope: str
    after: str
    earlier: str

    @classmethod
    def around(cls, sentence: str, found: re.Match[str]) -> _Clause:
        opener, start = "", 0
        for stop in grammar.BREAK.finditer(sentence, 0, found.start()):
            opener, start = stop[0].strip(), stop.end()
        earlier, scope = sentence[:start], sentence[start : found.start()]
        if opener in ("and", "but") and grammar.SUBJECT.match(earlier) and grammar.VERB.match(scope):
            scope = f"it {scope}"  # "the image lacks noise and appears to be …"
        return cls(found[0], opener, scope, sentence[found.end() :], earlier)

    def is_aside(self) -> bool:
        """Whether nothing is said of this picture, or nothing that stands."""
        return bool(
            grammar.ASIDE.search(self.scope)
            or grammar.VOIDED_AFTER.search(self.after)
            or (grammar.IMPRESSION.search(self.scope) and grammar.OBJECTED.match(self.after))
            or (self.opener == "," and grammar.FIRST.match(self.earlier.strip()))
            or (self.is_thing() and not grammar.RELATION.search(self.scope))
        )

    def is_thing(self) -> bool:
        """Whether the class is that of something in the picture, as in "a real challenge"."""
        return grammar.THING.match(f"{self.name}{self.after}") is not None

    def is_fragment(self) -> bool:
        """Whether the class stands all but alone: "Most likely …, because …"."""
        alone = self.opener in ("", ":", ",") and grammar.FRAGMENT.match(self.scope)
        return bool(alone and grammar.FRAGMENT_END.match(self.after))

    def claim(self) -> re.Match[str] | None:
        """What makes it a claim that the picture is of that class."""
        if self.is_thing():
            return None
        return next((match for pattern in grammar.CLAIMS if (match := pattern.search(self.scope))), None)

    def is_general(self) -> bool:
        """Whether it speaks of pictures at large, or can mean either: "no noise, which is typical of …"."""
        if self.opener == "which" and grammar.NEGATION.search(self.earlier):
            return grammar.EVIDENCE.search(self.scope) is None
        heads = grammar.GENERAL.match(self.scope) and re.match(r"\s*\w", self.after)
        return bool(heads) or self.after.endswith(":")

    def denial(self) -> re.Match[str] | None:
        """What turns the class into its opposite."""
        verbs = list(grammar.EVIDENCE.finditer(self.scope))
        if not verbs or grammar.NONE.search(self.scope, 0, verbs[-1].start()):
            return grammar.NEGATION.search(self.scope)
        return grammar.NEGATION.search(self.scope, verbs[-1].end())

    def is_supposed(self) -> bool:
        """Whether it only could be so. "Suggests that it could be …" says no less than "suggests that it is …"."""
        verbs = [verb.start() for verb in grammar.EVIDENCE.finditer(self.scope)]
        return grammar.MODAL.search(self.scope, 0, verbs[-1] if verbs else len(self.scope)) is not None

    def is_decisive(self) -> bool:
        return self.name == GEN and self.opener != ":" and grammar.DECISIVE.search(self.scope) is not None


def _mention(clause: _Clause, concluding: bool) -> Mention | None:
    """What the clause says of the class that it names; None when it says nothing of this picture."""
    claim, fragment = clause.claim(), clause.is_fragment()
    if clause.is_aside() or (claim is None and not fragment and clause.is_general()):
        return None
    denial, supposed = clause.denial(), clause.is_supposed()
    turned = denial is not None or grammar.TURNED_AFTER.search(clause.after) is not None
    share = grammar.SHARE.search(clause.scope)
    if share is not None and int(share[1]) < 50:
        turned = not turned
    if clause.name == PHOTO and (claim is None or supposed):
        return None
    said = fragment or grammar.FINDINGS.search(clause.scope) is not None
    if claim is None:
        said = said or concluding
    elif not said:
        # "I do not believe that it is …" denies the claim; "there are no signs that it is …" is only a sign
        only_sign = denial is not None and denial.start() < claim.start() and not concluding
        said = not only_sign or grammar.DOUBT.match(clause.scope, denial.start() if denial else 0) is not None
    name = REAL if clause.name == PHOTO else clause.name
    label = LABELS[OPPOSITE[name] if turned else name]
    weight = 0.5 if supposed and not turned else ENOUGH_SIGNS if clause.is_decisive() else 1.0
    return Mention(label, said and not supposed and clause.opener not in grammar.CONCESSIONS, concluding, weight)


def _chinese_mentions(sentence: str) -> Iterator[Mention]:
    if grammar.CHINESE_ASIDE.search(sentence):
        return
    concluding = grammar.CHINESE_CONCLUDES.search(sentence) is not None
    for clause in re.split(r"[,;:、]", sentence):
        found = re.search(rf"{GEN}|{REAL}", clause)
        if found is not None and not grammar.CHINESE_CONCESSION.search(clause):
            before = clause[: found.start()]
            label = LABELS[OPPOSITE[found[0]] if grammar.CHINESE_NEGATION.search(before) else found[0]]
            weight = ENOUGH_SIGNS if grammar.CHINESE_DECISIVE.search(clause) else 1.0
            yield Mention(label, grammar.CHINESE_CLAIM.search(before) is not None, concluding, weight)
