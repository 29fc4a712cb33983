"""The words in which models name a class, each replaced by one word of ours.

After `mask` a text says `qgen` for "AI-generated", "synthetic", "a deepfake"…, `qreal` for "real", "authentic", "taken
with a camera"…, `qphoto` for "photograph", and `qeither` where both classes are offered side
by side ("real or AI-generated"). The rules of `prose` and `reading` then speak of classes, not of vocabulary.
"""

from __future__ import annotations

import re
import unicodedata

from paradigms.label import Label

GEN, REAL, PHOTO, EITHER = "qgen", "qreal", "qphoto", "qeither"
LABELS = {GEN: Label.GENERATED, REAL: Label.REAL}
OPPOSITE = {GEN: REAL, REAL: GEN}
CJK = re.compile(r"[\u4e00-\u9fff]")


def any_of(*phrases: str) -> str:
    """A pattern for any of the phrases. They stand apart by spaces; a space inside a phrase is written `_`."""
    return r"\b(?:" + "|".join(phrase.replace("_", " ") for line in phrases for phrase in line.split()) + r")\b"


_NOUN = r"(?:photo(?:graph)?s?|photography|images?|pictures?|shots?|snapshots?)"
_MADE = r"(?:generated|created|produced|made|rendered|synthesi[sz]ed|fabricated|crafted|constructed|composed)"
_MACHINE = any_of(
    r"ai artificial_intelligence generative machine_learning deep_learning neural diffusion gans? computers?",
    r"algorithms? software midjourney dall-?e stable_diffusion text-to-image image_generation generators? models?",
)
_REAL_NAMES = re.compile(
    r"\b(?:taken|captured|shot|photographed|made)(?: \w+)? (?:by|with|using|on|through) (?:an? |the )?(?:[\w-]+ ){0,2}?"
    r"(?:camera|photographer|lens|smartphone|phone|dslr|human|person)s?\b"
    r"|\btaken in (?:the )?real (?:world|life)\b|\bnon-?ai(?:[- ]generated)?\b"
    r"|\b(?:human|camera)[- ](?:made|created|captured|taken|generated)\b"
    rf"|\breal-life(?= {_NOUN})"
    r"|\b(?:actual|true|natural|traditional|conventional|ordinary|unaltered|unedited|unmanipulated)(?: \w+)?"
    r"(?= photo(?:graph)?(?:s|y)?\b)"
    r"|\b(?:real|authentic|genuine|legitimate)\b(?!-| (?:world|life|time|estate|looking)\b)"
)
_GEN_NAMES = re.compile(
    rf"\b{_MADE} (?:digitally|artificially|synthetically)\b"
    rf"|\b{_MADE}(?: \w+ly)? (?:by|with|using|through|via|from) (?:an? |the )?(?:\w+ )?{_MACHINE}"
    r"(?:[- ](?:based|image|tools?|models?|systems?|algorithms?|software|programs?|technology|techniques?))*"
    rf"|\b(?:ai|artificially|computer|machine|digitally|synthetically|gan)[- ]{_MADE}\b"
    r"|\b(?:ai|gan|diffusion|generative)(?:/\w+)?[- ]"
    r"(?:generations?|creations?|synthesis|rendering|origins?|involvement|art(?:work)?s?|imagery|images?|pictures?"
    r"|photos?|art[ie]facts?|fabrication|production|content|hallucinations?|glitch(?:es)?|telltales?)\b"
    r"|\bsynthetic generations?\b|\b(?:generative )?adversarial networks?(?: \(gans?\))?"
    r"|\b(?:generative ai|(?:generative|diffusion) models?|artificial intelligence|deep ?fakes?|faked|fabricated|cgi"
    r"|inauthentic|generated|computer graphics|(?:3d|computer|digital)[- ]render(?:s|ing|ed)?|synthesi[sz]ed)\b"
    r"|\bfakes?\b(?! (?:plants?|flowers?|fur|eyelashes|nails|smile|blood|grass|leather))"
    r"|\bsynthetic(?:ally)?\b(?! (?:fabric|fib|material|leather|turf|fur|rubber|hair))"
    rf"|\bartificial\b(?= (?:{_NOUN}|creation|generation|origin|composition)|\s*(?:[.,;)\n]|$))"
    r"|\bai\b(?= ?(?:$|[.,;)!\n]))"
)
# Nouns that are a claim only where something speaks for them: "to assess its authenticity" is none.
_AUTHENTICITY = re.compile(
    r"\b((?:suggest|support|indicat|confirm|reinforc|strengthen|impl(?:y|ies)|point|evidence|hallmark|sign|credence|lack|undermin|doubt"
    r"|credibility|confidence|consistent|favor)\w*"
    r"(?: (?:to|of|in|with|for|towards?|its|their|the|a|image's|image|photo's|photographic|overall|natural)){0,4})"
    r" authenticity\b"
)
_PHOTOGRAPHY = re.compile(
    r"\b((?:consistent with|typical (?:of|for)|characteristic of|hallmarks? of|in line with)(?: [\w-]+){0,3}?)"
    r" photography\b"
)
_CHINESE_REAL = re.compile(
    r"非\s*(?:ai|人工智能)\s*(?:所)?生成|真实(?!感|世界)|实拍|真图|真的(?=照片|图)|(?:相机|手机|摄影师|真人)拍摄"
)
_CHINESE_GEN = re.compile(
    r"(?:由|被|用|使用|通过)?\s*(?:ai|人工智能|计算机|电脑|机器|算法|生成式模型|模型|数字)\s*(?:技术|工具|模型)?\s*"
    r"(?:所)?(?:生成|合成|制作|创作|绘制)|合成|伪造|虚假|假(?=图|照|的)|生成"
)
_EITHER = re.compile(
    rf"(?<!\bnot )\b({GEN}|{REAL}|{PHOTO})\b(?: {_NOUN}| one)?"
    r"(?:,? (?!than|rather|not|instead|but|and|opposed)[\w-]+){0,3}?,? ?"
    r"(?:or|vs\.?|versus|/|from) ?(?:(?:not|an?|it|is|it's|was|has|been|if|whether|being|to|be|rather|more"
    rf"|likely|manipulated|\w+ly) ){{0,5}}({GEN}|{REAL}|{PHOTO})\b"
)
_TYPOGRAPHY = str.maketrans(
    {"‐": "-", "‑": "-", "−": "-", "—": " - ", "–": " - ", "’": "'", "‘": "'", "“": '"', "”": '"'}
)
_WORDINGS = tuple(
    (re.compile(pattern), wording)
    for pattern, wording in (
        (r"[*_`~\"]+|\[/?\w{1,12}\]", ""),
        (r"(?<!\w)'([^'\n]{1,40})'(?!\w)", r"\1"),
        (r"\b(conclude|in short|in summary|to sum up)\s*:", r"\1"),
        (r"\bcannot\b", "can not"),
        (r"\bnothing (?:but|other than)\b", ""),
        (r"\bmore (?:likely )?than (?:likely|not)\b", "likely"),
        (r"\bno reason to doubt|\b(?:no|without(?: an?y?)?|beyond(?: an?y?)?|little) (?:\w+ )?doubts?\b", "clearly"),
        (r"\bundoubtedly\b", "clearly"),
        (r"[ \t]+", " "),
    )
)


def plain(text: str) -> str:
    """The text in lower case, without markdown and variants of typography and wording."""
    text = unicodedata.normalize("NFKC", text).translate(_TYPOGRAPHY).lower()
    for pattern, wording in _WORDINGS:
        text = pattern.sub(wording, text)
    return text


def mask(text: str) -> str:
    """`plain` text with every phrase that names a class replaced by our word for it."""
    if CJK.search(text):
        text = _CHINESE_GEN.sub(f" {GEN} ", _CHINESE_REAL.sub(f" {REAL} ", text))
    text = _PHOTOGRAPHY.sub(rf"\1 {REAL}", _AUTHENTICITY.sub(rf"\1 {REAL}", text))
    text = _GEN_NAMES.sub(GEN, _REAL_NAMES.sub(REAL, text))
    text = re.sub(r"\bphotographs?\b", PHOTO, text)
    return _EITHER.sub(_alternatives, text)


def _alternatives(found: re.Match[str]) -> str:
    """Two classes offered side by side name the question, not an answer."""
    return EITHER if len({REAL if name == PHOTO else name for name in found.groups()}) == 2 else found[0]


_UNDECIDED = re.compile(
    r"^\W*(?:i |it |the |is |it's |still )*(?:(?:can't|can not|could not|unable to) (?:be )?(?:tell|say|decide"
    r"|determined?|judge)"
    r"|undecided|uncertain|unsure|unknown|inconclusive|undetermined|undeterminable|indeterminate|unclear"
    r"|ambiguous|not sure"
    r"|impossible to (?:tell|say)|无法(?:判断|确定)|不确定|难以(?:判断|确定))"
)
_DENIED = re.compile(
    r"n't\b|"
    + any_of("not no non never nothing without lacks? low unlikely unlike rather_than instead_of opposed_to doubt")
)


def read_phrase(text: str) -> Label | None:
    """The label that a short phrase such as `Likely AI-generated (not a real photo)` names; None when not certain."""
    phrase = mask(plain(text[:200])).strip()
    found = re.findall(rf"\b(?:{GEN}|{REAL}|{EITHER})\b", phrase) or re.findall(rf"\b{PHOTO}\b|\bphotos?\b", phrase)
    if _UNDECIDED.match(phrase):
        return None if found else Label.UNDECIDED
    if EITHER in found or re.search(r"\brule|\b[0-4]?\d(?:\.\d+)? ?%", phrase):
        return None
    names = set()
    end = 0
    for name in found:
        start = phrase.index(name, end)
        end = start + len(name)
        plainly = name if name in LABELS else REAL
        names.add(OPPOSITE[plainly] if _DENIED.search(phrase, 0, start) else plainly)
    return LABELS[names.pop()] if len(names) == 1 else None
