"""A conservative reader of free text: which class does an answer claim for the picture?

Every sentence is read by clause, where negation, foils ("rather than"), questions, conditions and general remarks are
told apart from what is said of this picture. A *claim* says what the picture is; a *sign* only points to a side. Claims
that disagree, or signs that are few or mixed, give no label.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from paradigms.label import Label
from paradigms.naming import CJK, EDIT, GEN, LABELS, OPPOSITE, PHOTO, REAL

LONGEST_SENTENCE = 700
"""Characters. Of a longer sentence only the end is read, which keeps the work bounded."""
ENOUGH_SIGNS = 2.0
"""How many signs make a label where nothing is claimed…"""
OUTWEIGHS = 3.0
"""… and how many more for each sign of the other side."""


def _any(*phrases: str) -> str:
    """A pattern for any of the phrases, which stand apart by spaces and have `_` for their own."""
    return r"\b(?:" + "|".join(phrase.replace("_", " ") for group in phrases for phrase in group.split()) + r")\b"


# --- where a clause ends, and what in it turns or voids the class that it names -----------------------------------------
_VERB = _any(
    "is are was were be being appears? seems? looks? feels? has have had does do must should can can't isn't doesn't",
    "wasn't aren't don't shows? exhibits? displays? resembles? represents? remains? reads gives comes leans?",
    "suggests? indicates? points?",
)
_BREAK = re.compile(
    r"[;:()]| - |"
    + _any(
        r"but however although though despite while whereas yet because since (?<!i_)therefore (?<!i_)thus (?<!i_)hence which making suggesting",
        r"indicating implying supporting pointing leading instead so(?!_\w+_(?:that|as)\b)",
    )
    + rf"|\band (?=(?:likely|rather|more|overall|lacks?|consistent|it|i|we)\b|{_VERB}"
    rf"|(?:the|its|this|that|these|there) (?:[\w-]+ ){{0,4}}?{_VERB})"
    r"|, (?=(?:the|this|it|these|there|its|i|we|as|more|consistent|likely)\b)"
    r"|, (?=(?:an?|another|all) (?:[\w-]+ ){0,2}?(?:sign|hallmark|indicat|trait|feature|characteristic|flaw|giveaway))"
)
_CONCESSIONS = ("while", "although", "though", "despite", "whereas")
_NEGATION = re.compile(
    r"n't\b|"
    + _any(
        r"not no never neither nor none nothing without lack(?:s|ing|ed)? absence absent missing (?:free|devoid)_of free_from",
        r"avoid\w* fails? unlikely improbable hardly unlike unusual uncommon atypical rarely rare inconsistent incompatible",
        r"deviat\w+ differs? different contradict\w* doubt(?:s|ed|ful)? rules?_out ruled_out low_(?:likelihood|probability|chance) contrary",
        r"less_(?:likely|typical|common|characteristic) too_[^,.]*?_(?:to_be|for) against than rather_than instead_of",
        r"(?:unnatural|unrealistic|strange|odd)_(?:for|in) as_opposed_to compared_(?:to|with) in_contrast",
    )
)
# An evidence verb starts anew ("the lack of grain suggests …"), except for what is said not to exist or not to suggest.
_EVIDENCE = re.compile(
    r"(?<!that )(?<!which )(?<!to )(?<!would )(?<!could )(?<!might )(?<!may )(?<!can )"
    + _any(
        r"suggests? indicates? points? implies imply hints? makes? leads? means? supports? reveals? betrays? confirms? signals?",
        r"gives? speaks?",
    )
)
_NONE = re.compile(
    r"^\W*(?:(?:and|there|is|are|was|were|overall|i|see|find) )*no\b|\b(?:nothing|none|neither)\b|(?:\bnot|n't)(?: \w+){0,2} $"
    r"|\bno (?:\w+ ){0,3}?(?:signs?|evidence|indicat\w+|artifacts?|anomal\w+|inconsistenc\w+|clues?|features?|reasons?|traces?)\b"
)
_ASIDE = re.compile(
    _any(
        r"if whether unless determin(?:e|ing) distinguish\w* differentiat\w* assess(?:ing)? evaluat(?:e|ing) decid(?:e|ing)",
        r"question asked tell discern verify(?:ing)? challenging difficult hard between comparison let's attempt\w* claim(?:s|ed)?",
        r"(?:not|can't)_(?:be_)?(?:\w+_)?ruled?_out (?:not|n't)_(?:necessarily|always|only|solely|merely|enough|sufficient)",
        r"(?:not|n't)_(?:definitive|conclusive) at_first(?:_glance|_sight)? initially says finds started thought thinking assumed mistaken on_the_surface superficially meant intended",
        r"even also anything as_if as_though",
    )
    + r"|\d ?\(?(?:=|means)[^,;]*$"
)
_MODAL = re.compile(
    _any(
        r"could may might possib\w+ perhaps potential\w* sometimes can(?!_not|'t)",
        r"would(?!_(?:say|conclude|lean|classify|guess|argue|judge|estimate|assess|answer|call|go|opt|rate|label|describe|believe|think|expect|be_expected|normally))",
    )
)
_SHARE = re.compile(r"\b(\d{1,3})(?:\.\d+)? ?(?:%|percent)[^.;]{0,40}$")
# What follows the class can turn it too: "generated images usually lack", "signs of generation: none".
_TURNED = re.compile(
    r"^(?: [\w-]+){0,3} (?:lacks?|struggles?|fails?|miss(?:es)?|can not|can't|rarely|seldom|omits?)\b"
    r"|^[^.;,:]{0,30}\b(?:is|seems|appears|remains|are) (?:\w+ ){0,2}?(?:low|small|slim|minimal|unlikely|remote|negligible|absent)\b"
    r"|^[^.;,:]{0,20}(?::| -) ?(?:none\b|n/a|absent|minimal|nothing|no\b(?=\W*$|[.,;])|not (?:found|present|seen|visible|obs|detec))"
)
_VOIDED = re.compile(
    r"^[^.;]*\b(?:that|which|but|and) (?:\w+ ){0,4}?(?:qedit|edited|altered|enhanced)\b"
    r"|^ ?[:=-] ?\d|^[^.;,]{0,30}\b(?:can not|can't|could not) be (?:\w+ )?(?:ruled out|excluded|determined|verified|confirmed)"
)

# --- what makes a mention of a class a claim about the picture ---------------------------------------------------------
_SUBJECT = (
    r"(?<!\bin )(?<!\bof )(?<!\bon )(?<!\bwithin )(?<!\bfrom )(?<!\bacross )(?<!\bthroughout )"
    r"(?:(?:this|the|that|both) (?:(?!(?:in|of|on|from|the|this|within|to|for|with|by|at)\b)[\w-]+ ){0,3}?(?:image|picture|photo|qphoto|shot|scene|media|portrait|content|visual"
    r"|artwork|frame|file|screenshot|composition)(?: (?:itself|provided|shown|presented|in question|as a whole|overall|here"
    r"|you \w+|of (?:[\w'-]+ ){0,6}?[\w'-]+))?|it|this|that)"
)
_FILLERS = _any(
    r"\w+ly \w+-[\w-]+ to be been being is was are appears? seems? looks? feels? has have had a an the of as like one most",
    r"more very quite rather almost not can can't isn't doesn't wasn't does do did than unlikely gives impression improbable less with",
    r"consistent high quality professional digital staged either some sort kind form type result product example piece",
    r"qedit edited altered composite or and in fact both also just well stock candid vintage historical old documentary",
    r"photo image picture qphoto depiction representation illustration artwork scene portrait must should remains?",
    r"resembles? represents? instead opposed point case classified categorized identified labell?ed considered deemed judged",
    r"regarded described somewhat indeed leans? leaning towards? probability likelihood chance that it this origin nature",
    r"side from moderately far too_[\w-]+ short",
)
_ADJECTIVE = (
    r"(?!(?:of|in|for|with|to|from|by|on|than|as|at|that|sign|signs|hallmark|trait|characteristic|feature|indicat\w+|common"
    r"|typical|telltale|bit|lot|matter|detail|flaw|pattern)\b)[\w-]+"
)
# Possessive, so that nothing is tried twice on hostile text.
_FILL = rf"(?:,? (?:an? {_ADJECTIVE}(?:,? {_ADJECTIVE})?+|{_FILLERS}))*+"
_CLAIMS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b{_SUBJECT}(?:'s| (?:\w+ly )?(?:{_VERB}|as|to be)){_FILL} ?$",
        rf"\b{_SUBJECT} (?:\w+ly |does not |doesn't )?(?:shows?|exhibits?|displays?|contains?|bears?|has|have|possess(?:es)?)"
        r"(?: (?!some|few|minor|slight|subtle)[\w-]+){0,4}? (?:signs?|indicators?|hallmarks?|characteristics|traits?|evidence"
        r"|signatures?|look|appearance|qualities|markers?) of(?: \w+){0,2}? ?$",
        rf"\b(?:classif\w+|categori[sz]\w+|identif\w+|labell?ed|deemed|considered|judged|regarded|conclu\w+|verdict){_FILL} ?$",
        r"\b(?:i|we)\b(?:'\w+)?(?: \w+){0,3}? (?:conclude|believe|think|say|lean|leaning|classify|judge|consider|suspect|guess"
        rf"|infer|assess|estimate|inclined|argue|go|opt|answer|call|take)(?: (?:that|it|this|the|image|picture|photo|for))*{_FILL} ?$",
        rf"\b(?:likelihood|probability|chance|likely|leans?|leaning|tilts?|favou?rs?)\b(?: the image| it| this)?{_FILL} ?$",
    )
)
_FRAGMENT = re.compile(
    r"^(?: (?:image|photo|picture|qphoto))? ?(?:[.!(]|$|, (?:because|since|as|with|it|i|based|given|due)\b|(?:because|since)\b)"
)
_POINTS = re.compile(
    r"\b(?:suggest|indicat|support|confirm|impl|point|evidence|sign|hallmark|characteristic|typical|consistent|align|match|mean"
    r"|result|exhibit|show|bear|display|hint|lead)"
)
_STRONGLY = re.compile(r"\b(?:all|together|collectively|strongly|clearly) (?:suggest|indicat|point|support|speak)")
_CONCLUDES = re.compile(
    r"^(?:"
    + _any(
        r"so thus hence therefore overall in_(?:conclusion|summary|short|sum|light_of) to_(?:conclude|sum|summari[sz]e) based_on",
        r"given considering taking taken all_(?:in_all|things|of_these|these) as_a_result consequently ultimately finally after",
        r"upon with_(?:all_)?(?:this|these) conclusion verdict final summary due_to_(?:this|these|the) for_these_reasons judging",
        r"my on_(?:the_whole|balance) weighing all_told at_the_end_of_the_day (?:the_)?(?:combination|evidence|presence_of_these)",
        r"these_(?:observations|factors|elements|features|characteristics|details|points|aspects|inconsistencies|anomalies)",
        r"these_(?:signs|indicators|clues)",
    )
    + r")|\b(?:in conclusion|i conclude|we can conclude|overall|therefore)\b"
)
_HEADING = re.compile(
    r"^(?:\W|\d)*(?:\w+ ){0,2}(conclusion|summary|verdict|overall|assessment|judg\w+|conclude\w*)?(?: \w+){0,3}:?$"
)
_ABSENCE = re.compile(
    r"(?:\b(?:no|without|not|absence of|free of|lack of)\b|n't\b)[^.;]*\b(?:artifacts?|artefacts?|anomal\w+|inconsistenc\w+"
    r"|distortions?|manipulat\w+|alteration|editing|tampering|irregularit\w+|qedit)"
)

# --- the same for Chinese ----------------------------------------------------------------------------------------------
_CHINESE_ASIDE = re.compile(r"是否|还是|如果|假如|(?:难以|无法|不能)(?:判断|确定|区分)|通常|往往|常常|也许|或许|有时|需要|为了")
_CHINESE_NOT = re.compile(r"不是|并非|而非|不像|不太|没有|未|并?无|缺乏|缺少|不(?!同)")
_CHINESE_IS = re.compile(r"是|为|像|偏向|倾向|属于|可能|应|看起来|似乎|判断")
_CHINESE_SO = re.compile(r"综上|因此|总之|总体|整体|总的来说|综合|所以|结论|判断")


@dataclass(frozen=True, slots=True)
class Mention:
    """One class named in a sentence.

    `label` is the class that it speaks for, undecided for an edited picture; `claim` says whether the picture is said to
    be that, `concluding` whether the sentence concludes, and `weight` how much it counts as a sign.
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
        heading = _HEADING.match(line) if len(line) < 60 else None
        if heading and GEN not in line and REAL not in line:
            closing = heading[1] is not None
            continue
        for whole in re.split(r"(?<=[.!?;。！？])\s+|(?<=[。！？])", line):
            sentence = whole.strip()[-LONGEST_SENTENCE:]
            if sentence and not sentence.endswith("?"):
                yield sentence, closing or _CONCLUDES.search(sentence) is not None


def _mentions(sentence: str, concluding: bool) -> Iterator[Mention]:
    """Each class that the sentence says something of."""
    if CJK.search(sentence):
        yield from _chinese_mentions(sentence)
        return
    named = list(re.finditer(rf"\b(?:{GEN}|{REAL}|{EDIT})\b", sentence))
    if not named and concluding:
        named = list(re.finditer(rf"\b{PHOTO}\b(?=\W*$| (?:taken|captured|shot)\b)", sentence))[:1]
    if not any(found[0] in LABELS for found in named) and _ABSENCE.search(sentence) and not _MODAL.search(sentence):
        yield Mention(Label.REAL, claim=False, concluding=concluding, weight=0.5)
    for found in named:
        mention = _mention(sentence, found, concluding)
        if mention is not None:
            yield mention


def _mention(sentence: str, found: re.Match[str], concluding: bool) -> Mention | None:
    """What the sentence says of the class that it names at `found`; None when it says nothing of this picture."""
    opener, start = "", 0
    for stop in _BREAK.finditer(sentence, 0, found.start()):
        opener, start = stop[0].strip(), stop.end()
    scope, after = sentence[start : found.start()], sentence[found.end() :]
    if _ASIDE.search(scope) or _VOIDED.search(after) or _is_general(scope, after):
        return None
    if opener == "which" and _NEGATION.search(sentence[:start]) and not re.match(r" (?:\w+ )?(?:sugg|indic|supp|mean)", scope):
        return None  # "no noise, which is typical of …" can mean either
    claim = next((match for pattern in _CLAIMS if (match := pattern.search(scope))), None)
    denied = _denial(scope)
    turned = denied is not None or _TURNED.search(after) is not None
    share = _SHARE.search(scope)
    if share is not None:
        turned = turned ^ (int(share[1]) < 50)
    modal = _MODAL.search(scope) is not None
    said = claim is not None
    if claim is not None and denied is not None and denied.start() < claim.start():
        # "I do not believe that it is …" denies the claim, "there are no signs that it is …" is a sign
        doubts = re.match(r"unlikely|improbable|doubt|(?:not|n't) (?:believe|think|consider)", scope[denied.start() :])
        said = concluding or doubts is not None
    if claim is None and (concluding or scope.startswith("these ")):
        said = _POINTS.search(scope) is not None
    elif claim is None:
        said = _STRONGLY.search(scope) is not None
    if start == 0 and _FRAGMENT.match(after) and re.fullmatch(_FILL, f" {scope}".rstrip()):
        said = True  # "Likely generated." or "Real, because …"
    if found[0] not in LABELS:
        return _other_mention(found[0], claim is not None and not modal, turned, concluding)
    if sentence.endswith(":") and claim is None:
        return None
    label = LABELS[OPPOSITE[found[0]] if turned else found[0]]
    weight = 0.5 if modal and not turned else 1.0
    return Mention(label, said and not modal and opener not in _CONCESSIONS, concluding, weight)


def _denial(scope: str) -> re.Match[str] | None:
    """What turns a class named right after `scope` into its opposite."""
    verb = None
    for verb in _EVIDENCE.finditer(scope):
        pass
    if verb is None or _NONE.search(scope, 0, verb.start()):
        return _NEGATION.search(scope)
    return _NEGATION.search(scope, verb.end())


def _other_mention(name: str, said: bool, turned: bool, concluding: bool) -> Mention | None:
    """What it means to call the picture a photograph, or edited."""
    if not said:
        return None
    if name == PHOTO:
        return Mention(Label.GENERATED if turned else Label.REAL, claim=True, concluding=concluding)
    return Mention(Label.REAL, False, concluding, 0.5) if turned else Mention(Label.UNDECIDED, True, concluding)


def _is_general(scope: str, after: str) -> bool:
    """Whether the class is the subject of a remark about such pictures as a kind."""
    articles = {"many", "most", "some", "other", "in", "for", "a", "an", "the", "typical", "typically", "often", "as", "that"}
    return set(re.findall(r"\w+", scope)) <= articles and re.match(r"\s*\w", after) is not None


def _chinese_mentions(sentence: str) -> Iterator[Mention]:
    if _CHINESE_ASIDE.search(sentence):
        return
    for clause in re.split(r"[,;:、]", sentence):
        found = re.search(rf"{GEN}|{REAL}", clause)
        if found is not None:
            before = clause[: found.start()]
            label = LABELS[OPPOSITE[found[0]] if _CHINESE_NOT.search(before) else found[0]]
            yield Mention(label, _CHINESE_IS.search(before) is not None, _CHINESE_SO.search(sentence) is not None)
