"""The words in which models name a class, each replaced by one word of ours.

After `mask` a text says `qgen` for "AI-generated", "synthetic", "a deepfake"…, `qreal` for "real", "authentic", "taken with
a camera"…, `qphoto` for "photograph", and `either` where both classes are offered side by side ("real or AI-generated").
"""

from __future__ import annotations

import re
import unicodedata

from paradigms.label import Label

GEN, REAL, PHOTO, EDIT = "qgen", "qreal", "qphoto", "qedit"
LABELS = {GEN: Label.GENERATED, REAL: Label.REAL}
OPPOSITE = {GEN: REAL, REAL: GEN}

_NOUN = r"(?:photo(?:graph)?s?|photography|images?|pictures?|shots?|snapshots?)"
_MADE = r"(?:generated|created|produced|made|rendered|synthesi[sz]ed|fabricated|crafted|constructed|composed)"
_MACHINE = (
    r"(?:ai|artificial intelligence|generative|(?:machine|deep) learning|neural|diffusion|gans?|computers?|algorithms?"
    r"|software|midjourney|text-to-image|image generat(?:or|ion)|dall-?e|stable diffusion)"
)
_REAL_PHRASES = (
    r"\b(?:taken|captured|shot|photographed|made)(?: \w+)? (?:by|with|using|on|through) (?:an? |the )?(?:\w+ ){0,2}?"
    r"(?:camera|photographer|lens|smartphone|phone|dslr|human|person)s?\b"
    r"|\bnon-?ai(?:[- ]generated)?\b|\b(?:human|camera)[- ](?:made|created|captured|taken|generated)\b"
    rf"|\breal-life(?= {_NOUN})"
    r"|\b(?:actual|true|natural|traditional|conventional|ordinary|unaltered|unedited|unmanipulated)(?: \w+)?"
    r"(?= photo(?:graph)?(?:s|y)?\b)"
    r"|\b(?:real|authentic|genuine|legitimate)\b(?!-| (?:world|life|time|estate|looking)\b)"
)
_GEN_PHRASES = (
    rf"\b{_MADE}(?: \w+ly)? (?:by|with|using|through|via|from) (?:an? |the )?(?:\w+ )?{_MACHINE}\b"
    r"(?:[- ](?:based|image|tools?|models?|systems?|algorithms?|software|programs?|generators?|technology|techniques?))*"
    rf"|\b(?:ai|artificially|computer|machine|digitally|synthetically|gan)[- ]{_MADE}\b"
    r"|\b(?:ai|gan|diffusion|generative)(?:/\w+)?[- ](?:generations?|creations?|synthesis|rendering|origins?|involvement"
    r"|art(?:work)?s?|imagery|images?|pictures?|photos?|art[ie]facts?|fabrication|production|content|hallucinations?"
    r"|glitch(?:es)?|telltales?)\b|\bsynthetic generations?\b|\b(?:generative )?adversarial networks?(?: \(gans?\))?"
    r"|\b(?:generative ai|generative models?|artificial intelligence|deep ?fakes?|fakes?(?! (?:plants?|flowers?|fur|eyelashes|nails|smile|blood|grass|leather))|faked|fabricated|cgi"
    r"|inauthentic|computer graphics|(?:3d|computer|digital)[- ]render(?:s|ing|ed)?|synthesi[sz]ed|generated)\b"
    r"|\bsynthetic(?:ally)?\b(?! (?:fabric|fib|material|leather|turf|fur|rubber|hair))"
    rf"|\bartificial\b(?= (?:{_NOUN}|creation|generation|origin|composition)|\s*(?:[.,;)\n]|$))"
    r"|\bai\b(?= ?(?:$|[.,;)!\n]))"
)
_AUTHENTICITY = (
    r"\b((?:suggest|support|indicat|confirm|reinforc|strengthen|impl(?:y|ies)|point|evidence|hallmark|sign|credence"
    r"|credibility|confidence|consistent|favor)\w*(?: (?:to|of|in|with|for|towards?|its|their|the|a|image's|image|"
    r"photo's|photographic|overall|natural)){0,4}) authenticity\b"
)
_CHINESE_NAMES = (
    (
        REAL,
        r"非\s*(?:ai|人工智能)\s*(?:所)?生成|真实(?!感|世界)|实拍|真图|真的(?=照片|图)|(?:相机|手机|摄影师|真人)拍摄",
    ),
    (
        GEN,
        r"(?:由|被|用|使用|通过)?\s*(?:ai|人工智能|计算机|电脑|机器|算法|生成式模型|模型|数字)\s*(?:技术|工具|模型)?\s*"
        r"(?:所)?(?:生成|合成|制作|创作|绘制)|合成|伪造|虚假|假(?=图|照|的)|生成",
    ),
)
CJK = re.compile(r"[\u4e00-\u9fff]")
_TYPOGRAPHY = str.maketrans(
    {"‐": "-", "‑": "-", "−": "-", "—": " - ", "–": " - ", "’": "'", "‘": "'", "“": '"', "”": '"'}
)
_REAL_NAME, _GEN_NAME = re.compile(_REAL_PHRASES), re.compile(_GEN_PHRASES)


def plain(text: str) -> str:
    """The text in lower case, without typographic variants and markdown."""
    text = unicodedata.normalize("NFKC", text).translate(_TYPOGRAPHY).lower()
    text = re.sub(r"[*_`~\"]+|\[/?\w{1,12}\]", "", text)
    text = re.sub(r"(?<!\w)'([^'\n]{1,40})'(?!\w)", r"\1", text)
    text = re.sub(r"\b(conclude|in short|in summary|to sum up)\s*:", r"\1", text)
    text = re.sub(r"\bcannot\b", "can not", text)
    text = re.sub(r"\bmore (?:likely )?than (?:likely|not)\b", "likely", text)
    text = re.sub(
        r"(?:\bno reason to |\b(?:no|without(?: an?y?)?|beyond(?: an?y?)?|little) (?:\w+ )?|un)doubt(?:s|edly)?\b", "clearly", text
    )
    return re.sub(r"[ \t]+", " ", text)


def mask(text: str) -> str:
    """`plain` text with every phrase that names a class replaced by the class's word."""
    if CJK.search(text):
        for name, phrase in _CHINESE_NAMES:
            text = re.sub(phrase, f" {name} ", text)
    text = re.sub(_AUTHENTICITY, rf"\1 {REAL}", text)
    text = _GEN_NAME.sub(GEN, _REAL_NAME.sub(REAL, text))
    text = re.sub(r"\bphotographs?\b", PHOTO, text)
    text = re.sub(r"\b(?:manipulated|doctored|photoshopped|tampered with|composited)\b", EDIT, text)
    return re.sub(rf"\b({GEN}|{REAL}|{PHOTO})\b({_BETWEEN})\b({GEN}|{REAL}|{PHOTO})\b", _alternatives, text)


_BETWEEN = rf"(?: {_NOUN}| one)?(?:,? (?!than|rather|not|instead|but|and|opposed)[\w-]+){{0,3}}?,? ?(?:or|vs\.?|versus|/|from) ?(?:(?:not|an?|it|is|it's|was|has|been|if|whether|being|to|be|rather|more|likely|qedit|digitally|completely|entirely|potentially|possibly) ){{0,5}}"


def _alternatives(found: re.Match[str]) -> str:
    """Two classes offered side by side name the question, not an answer."""
    first, between, second = found.groups()
    if first == second or {first, second} == {REAL, PHOTO}:
        return found.group()
    return "either"


_UNDECIDED = re.compile(
    r"^\W*(?:i |it |the |is |it's |still )*(?:(?:can't|can not|could not|unable to) (?:be )?(?:tell|say|decide|determined?|judge)"
    r"|undecided|uncertain|unsure|unknown|inconclusive|undetermined|undeterminable|indeterminate|unclear|ambiguous|not sure"
    r"|impossible to (?:tell|say)|无法(?:判断|确定)|不确定|难以(?:判断|确定))"
)
_DENIED = re.compile(r"\b(?:not|no|non|isn't|never|rather than|instead of|unlikely|opposed to|unlike)\b")


def read_phrase(text: str) -> Label | None:
    """The label that a short phrase such as `Likely AI-generated (not a real photo)` names, None when not certain."""
    phrase = mask(plain(text[:200])).strip()
    names = set()
    for found in re.finditer(rf"\b(?:{GEN}|{REAL}|{PHOTO}|either)\b", phrase):
        name = REAL if found.group() == PHOTO else found.group()
        denied = _DENIED.search(phrase, 0, found.start())
        names.add(OPPOSITE.get(name, name) if denied else name)
    if _UNDECIDED.match(phrase):
        return None if names else Label.UNDECIDED
    return LABELS.get(names.pop()) if len(names) == 1 else None
