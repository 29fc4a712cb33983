"""A conservative reader of free text: which class does an answer claim for the picture?

Every sentence is read by clause, where negation, foils ("rather than"), questions, conditions and general remarks are
told apart from what is said of this picture. A *claim* says what the picture is; a *sign* only points to a side. Claims
that disagree, or signs that are few or mixed, give no label.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from paradigms.label import Label
from paradigms.naming import CJK, GEN, LABELS, OPPOSITE, PHOTO, REAL, mask

LONGEST_SENTENCE = 700
"""Characters. Of a longer sentence only the end is read, which keeps the work bounded."""
ENOUGH_SIGNS = 2.0
"""How many signs, none of them for the other side, make a label where nothing is claimed."""

_VERB = (
    r"(?:is|are|was|were|be|being|appears?|seems?|looks?|feels?|has|have|had|does|do|must|should|cannot|can't|isn't|doesn't"
    r"|wasn't|aren't|don't|shows?|exhibits?|displays?|resembles?|represents?|remains?|reads|comes|leans?|suggests?|indicates?|points?)"
)
_BREAK = re.compile(
    r"[;:()]| - |\b(?:but|however|although|though|despite|while|whereas|yet|because|since|therefore|thus|hence|which|making"
    r"|suggesting|indicating|implying|supporting|pointing|leading|instead)\b|\bso (?!\w+ (?:that|as)\b)"
    rf"|\band (?=(?:likely|rather|more|overall|lacks?|consistent|it|i|we|{_VERB}|(?:the|its|this|that|these|there) (?:[\w-]+ ){{0,4}}?{_VERB})\b)"
    r"|, (?=(?:the|this|it|these|there|its|i|we|as|more|consistent|likely)\b)"
    r"|, (?=(?:an?|another|all) (?:[\w-]+ ){0,2}?(?:sign|hallmark|indicat|trait|feature|characteristic|flaw|giveaway))"
)
_NEGATION = re.compile(
    r"n't\b|\b(?:not|no|never|neither|nor|none|nothing|without|lack(?:s|ing|ed)?|absence|absent|missing|(?:free|devoid) of"
    r"|free from|fails?|unlikely|improbable|hardly|unlike|unusual|uncommon|atypical|rarely|rare|inconsistent|incompatible"
    r"|deviat\w+|differs?|different|contradict\w*|rules? out|ruled out|low (?:likelihood|probability|chance)"
    r"|less (?:likely|typical|common|characteristic)|too [^,.]*? (?:to be|for)|(?:unnatural|unrealistic|strange|odd) (?:for|in)"
    r"|contrary|against|than|rather than|instead of|as opposed to|compared (?:to|with)|in contrast)\b"
)
_SET_ASIDE = re.compile(
    r"\b(?:if|whether|unless|determin(?:e|ing)|distinguish\w*|differentiat\w*|assess(?:ing)?|evaluat(?:e|ing)|decide"
    r"|deciding|question|asked|tell|discern|verify|verifying|challenging|difficult|hard|between|let's|attempt\w*|claim(?:s|ed)?"
    r"|(?:not|n't) (?:necessarily|always|only|solely|merely|enough|sufficient|definitive|conclusive)|rule(?:d)? out (?:that|the)"
    r"|(?:can)?(?:not|'t) (?:be )?(?:\w+ )?rule[d]? out|at first glance|initially|on the surface|superficially|meant|intended"
    r"|even|also|anything|as if|as though)\b"
)
_MODAL = re.compile(
    r"\b(?:could|may|might|possib\w+|perhaps|potential\w*|sometimes|can"
    r"|would(?! (?:say|conclude|lean|classify|guess|argue|judge|estimate|assess|believe|think|expect|be expected|normally|typically)))\b"
)
_SUBJECT = (
    r"(?<!\bin )(?<!\bof )(?<!\bon )(?<!\bwithin )(?<!\bfrom )(?<!\bacross )(?<!\bthroughout )"
    r"(?:(?:this|the|that|both) (?:[\w-]+ ){0,3}?(?:image|picture|photo|qphoto|shot|scene|media|portrait|content|visual|artwork"
    r"|frame|file|screenshot|composition)(?: (?:itself|provided|shown|presented|in question|as a whole|overall|here|you \w+"
    r"|of (?:[\w'-]+ ){0,6}?[\w'-]+))?|it|this|that)"
)
_FILL = (
    r"(?:,? (?:\w+ly|\w+-[\w-]+|to|be|been|being|is|was|are|appears?|seems?|looks?|feels?|has|have|had|a|an|the|of|as|like|one"
    r"|most|more|very|quite|rather|almost|not|cannot|can't|isn't|doesn't|wasn't|does|do|did|than|unlikely|improbable|less|with"
    r"|consistent|high|quality|professional|digital|staged|either|some|sort|kind|form|type|result|product|example|piece|manipulated"
    r"|edited|composite|or|and|in|fact|both|also|just|well|stock|candid|vintage|historical|old|documentary|photo|image|picture"
    r"|qphoto|depiction|representation|illustration|artwork|scene|portrait|must|should|remains?|resembles?|represents?|instead|opposed"
    r"|point|case|classified|categorized|identified|labell?ed|considered|deemed|judged|regarded|described|somewhat|indeed|leans?"
    r"|leaning|towards?|probability|likelihood|chance|that|it|this|origin|nature|side|from|moderately))*"
)
_CLAIMS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b{_SUBJECT}(?:'s| (?:\w+ly )?(?:{_VERB}|as|to be)){_FILL} ?$",
        rf"\b(?:classif\w+|categori[sz]\w+|identif\w+|labell?ed|deemed|considered|judged|regarded|conclu\w+|verdict){_FILL} ?$",
        rf"\b(?:i|we)\b(?:'\w+)?(?: \w+){{0,3}}? (?:conclude|believe|think|say|lean|leaning|classify|judge|consider|suspect|guess|infer"
        rf"|assess|estimate|inclined|argue)(?: (?:that|it|this|the|image|picture|photo))*{_FILL} ?$",
        rf"\b(?:likelihood|probability|chance|likely|leans?|leaning|tilts?|favou?rs?)\b(?: the image| it| this)?{_FILL} ?$",
    )
)
_POINTS = re.compile(
    r"\b(?:suggest|indicat|support|confirm|impl|point|evidence|sign|hallmark|characteristic|typical|consistent|align|match|mean"
    r"|result|exhibit|show|bear|display|hint|lead)"
)
_CONCLUDES = re.compile(
    r"^(?:so|thus|hence|therefore|overall|in (?:conclusion|summary|short|sum|light of)|to (?:conclude|sum|summari[sz]e)"
    r"|based on|given|considering|taking|taken|all (?:in all|things|of these|these)|as a result|consequently|ultimately|finally"
    r"|after|upon|with (?:all )?(?:this|these)|conclusion|verdict|final|summary|due to (?:this|these|the)|for these reasons|judging"
    r"|my|(?:the )?(?:combination|evidence|presence of these)|these (?:observations|factors|elements|features|characteristics"
    r"|details|points|aspects|inconsistencies|anomalies|signs|indicators|clues))\b"
    r"|\b(?:in conclusion|i conclude|we can conclude|overall|therefore)\b"
)
_HEADING = re.compile(
    r"^(?:\W|\d)*(?:\w+ ){0,2}(conclusion|summary|verdict|overall|assessment|judg\w+|conclude\w*)?(?: \w+){0,3}:?$"
)
_ABSENT = re.compile(
    r"(?:\b(?:no|without|not|absence of|free of|lack of)\b|n't\b)[^.;]*\b(?:artifacts?|artefacts?|anomal\w+|inconsistenc\w+"
    r"|distortions?|manipulat\w+|alteration|editing|tampering|irregularit\w+)"
)
_LACKING = re.compile(r"^(?: [\w-]+){0,3} (?:lacks?|struggles?|fails?|miss(?:es)?|cannot|rarely|seldom|omits?)\b")
_RETOUCHED = re.compile(r"^[^.;]*\b(?:that|which|but|and) (?:\w+ ){0,4}?(?:manipulated|edited|altered|photoshopped|composited?|enhanced)\b")

_CHINESE_ASIDE = re.compile(r"是否|还是|如果|假如|(?:难以|无法|不能)(?:判断|确定|区分)|通常|往往|常常|也许|或许|有时|需要|为了")
_CHINESE_NOT = re.compile(r"不是|并非|而非|不像|不太|没有|未|并?无|缺乏|缺少|不(?!同)")
_CHINESE_IS = re.compile(r"是|为|像|偏向|倾向|属于|可能|应|看起来|似乎|判断")
_CHINESE_SO = re.compile(r"综上|因此|总之|总体|整体|总的来说|综合|所以|结论|判断")


@dataclass(frozen=True, slots=True)
class Mention:
    """One class named in a sentence: `label`, whether the picture is said to be it, and how much it weighs as a sign."""

    label: Label
    claim: bool
    concluding: bool
    weight: float


def read_prose(text: str) -> Label | None:
    """The class that a free text claims for the picture, or None when that is not clear.

    Args:
        text: `plain` text of bounded length.

    """
    mentions = [
        mention for sentence, concluding in _sentences(mask(text)) for mention in _mentions(sentence, concluding)
    ]
    for claims in (
        {mention.label for mention in mentions if mention.claim and mention.concluding},
        {mention.label for mention in mentions if mention.claim},
    ):
        if claims:
            return claims.pop() if len(claims) == 1 else None
    signs = {label: sum(mention.weight for mention in mentions if mention.label is label) for label in LABELS.values()}
    for_side, against = sorted(signs, key=lambda label: -signs[label])
    return for_side if signs[for_side] >= ENOUGH_SIGNS and not signs[against] else None


def _sentences(text: str) -> Iterator[tuple[str, bool]]:
    """The sentences of masked text, each with whether it concludes."""
    closing = False
    for line in text.splitlines():
        line = re.sub(r"^[\s#>•·+-]*(?:\(?\d{1,2}[.)])?\s*", "", line).strip()
        if not line:
            continue
        heading = _HEADING.match(line) if len(line) < 60 else None
        if heading and GEN not in line and REAL not in line:
            closing = heading.group(1) is not None
            continue
        for sentence in re.split(r"(?<=[.!?。！？;])\s+|(?<=[。！？])", line):
            sentence = sentence.strip()[-LONGEST_SENTENCE:]
            if sentence and not sentence.endswith("?"):
                yield sentence, closing or _CONCLUDES.search(sentence) is not None


def _mentions(sentence: str, concluding: bool) -> Iterator[Mention]:
    """Each class that the sentence says something of."""
    if CJK.search(sentence):
        yield from _chinese_mentions(sentence)
        return
    named = list(re.finditer(rf"\b({GEN}|{REAL})\b", sentence))
    if not named and concluding:
        named = list(re.finditer(rf"\b{PHOTO}\b", sentence))[:1]
    if not named and _ABSENT.search(sentence) and not _MODAL.search(sentence):
        yield Mention(Label.REAL, claim=False, concluding=concluding, weight=0.5)
    for found in named:
        mention = _mention(sentence, found, concluding)
        if mention is not None:
            yield mention


def _mention(sentence: str, found: re.Match[str], concluding: bool) -> Mention | None:
    name = REAL if found.group() == PHOTO else found.group()
    opener, start = "", 0
    for stop in _BREAK.finditer(sentence, 0, found.start()):
        opener, start = stop.group().strip(), stop.end()
    scope, after = sentence[start : found.start()], sentence[found.end() :]
    if _SET_ASIDE.search(scope) or _RETOUCHED.search(after) or _is_general(scope, after):
        return None
    claim = next((match for pattern in _CLAIMS if (match := pattern.search(scope))), None)
    if found.group() == PHOTO and claim is None:
        return None
    before = sentence[:start]
    if (
        opener == "which"
        and _NEGATION.search(before)
        and not re.match(r" ?(?:\w+ly )?(?:suggest|indicat|support|mean)", scope)
    ):
        return None
    denied = _NEGATION.search(scope) or _LACKING.search(after)
    label = LABELS[OPPOSITE[name] if denied else name]
    if _MODAL.search(scope):
        return Mention(label, claim=False, concluding=concluding, weight=1.0 if denied else 0.5)
    said = claim is not None or ((concluding or scope.startswith("these ")) and _POINTS.search(scope) is not None) or not scope.strip(" ,")
    if denied and claim and denied.string is scope and denied.start() < claim.start() and not denied.group().startswith(("unlikely", "n't")):
        said = False
    if sentence.endswith(":") and claim is None:
        return None
    if opener in ("while", "although", "though", "despite", "whereas"):
        said = False
    return Mention(label, claim=said, concluding=concluding, weight=1.0)


def _chinese_mentions(sentence: str) -> Iterator[Mention]:
    for clause in re.split(r"[,;:、]", sentence):
        found = re.search(rf"{GEN}|{REAL}", clause)
        if found is None or _CHINESE_ASIDE.search(sentence):
            continue
        before = clause[: found.start()]
        label = LABELS[OPPOSITE[found.group()] if _CHINESE_NOT.search(before) else found.group()]
        yield Mention(label, _CHINESE_IS.search(before) is not None, _CHINESE_SO.search(sentence) is not None, 1.0)


def _is_general(scope: str, after: str) -> bool:
    """Whether the class is the subject of a remark about such pictures as a kind."""
    words = re.sub(r"[,']", " ", scope).split()
    leading = set(words) <= {
        "many",
        "most",
        "some",
        "other",
        "in",
        "for",
        "a",
        "an",
        "the",
        "typical",
        "typically",
        "often",
        "as",
        "that",
    }
    return leading and re.match(r"\s*\w", after) is not None
