"""The patterns by which `prose` reads a sentence in which class names are masked (see `naming`).

Each pattern is named for what it recognises, most with an example. `any_of` lists phrases, `_` is a space inside one.
"""

from __future__ import annotations

import re

from paradigms.naming import GEN, PHOTO, REAL, any_of

# --- where a clause ends --------------------------------------------------------------------------------------------
_VERB = any_of(
    r"is are was were be being appears? seems? looks? feels? has have had does do must should can could \w+n't",
    r"shows? exhibits? displays? resembles? represents? remains? reads gives comes leans? suggests? indicates?",
    r"points?",
)
BREAK = re.compile(
    r"[;:()]| - |"
    + any_of(
        r"but however although though despite while whereas yet because since which instead",
        r"so(?!_(?:often|much|many|well|\w+_(?:that|as))\b) (?<!i_)(?:therefore|thus|hence) making suggesting",
        r"indicating implying supporting pointing leading",
        r"(?:not(?:e|ing)|mind|remember\w*|consider|aware|fact)_that",
    )
    + rf"|\band (?=(?:likely|rather|more|overall|lacks?|consistent|it|i|we)\b|{_VERB}"
    rf"|(?:the|its|this|that|these|there) (?:[\w-]+ ){{0,4}}?{_VERB})"
    r"|, (?=(?:the|this|it|these|there|its|i|we|as|more|consistent|likely)\b)"
    r"|, (?=(?:an?|another|all) (?:[\w-]+ ){0,2}?(?:sign|hallmark|indicat|trait|feature|characteristic|flaw)\w*)"
)
CONCLUDING = ("so", "thus", "hence", "therefore")
CONCESSIONS = ("while", "although", "though", "despite", "whereas")

# --- what turns a class into its opposite -----------------------------------------------------------------------------
NEGATION = re.compile(  # "lacks the grain of a real photo", "a photo rather than a render"
    r"n't\b|"
    + any_of(
        r"not no never neither nor none nothing without lack(?:s|ing|ed)? absence absent missing free_from fails?",
        r"avoid\w* (?:free|devoid)_of unlikely improbable hardly unlike unusual uncommon atypical rare(?:ly)?",
        r"doubt(?:s|ed|ful)? in(?:consistent|compatible) deviat\w+ differs? different contradict\w* rules?_out",
        r"ruled_out than instead_of low_(?:likelihood|probability) less_(?:likely|typical|common|characteristic)",
        r"too_[^,.]*?_(?:to_be|for) against (?:unnatural|unrealistic|odd)_(?:for|in) contrary as_opposed_to",
        r"undermin\w* compared_(?:to|with) in_contrast hurdle challenge",
    )
)
EVIDENCE = re.compile(  # starts anew, "the lack of grain suggests …", unless in "… that would suggest"
    r"(?<!that )(?<!which )(?<!to )(?<!would )(?<!could )(?<!might )(?<!may )(?<!can )"
    r"\b(?:(?:suggest|indicate|point|hint|make|lead|mean|support|reveal|confirm|give|speak|raise)s?|impl(?:y|ies))\b"
)
NONE = re.compile(  # what does not exist suggests nothing: "no artifacts indicate …", "nothing points to …"
    r"^\W*(?:(?:and|there|is|are|was|were|overall|i|see|find) )*no\b|\b(?:nothing|none|neither)\b"
    r"|(?:\bnot|n't)(?: \w+){0,2} $"
    r"|\bno (?:\w+ ){0,3}?(?:signs?|evidence|indicat\w+|artifacts?|anomal\w+|inconsistenc\w+|clues?|traces?)\b"
)
DOUBT = re.compile(r"unlikely|improbable|doubt|(?:not|n't) (?:believe|think|consider)")
TURNED_AFTER = re.compile(  # "… usually lack", "the likelihood … is low", "signs of …: none"
    r"^(?: [\w-]+){0,3} (?:lacks?|struggles?|fails?|miss(?:es)?|can not|can't|rarely|seldom|omits?)\b"
    r"|^[^.;,:]{0,30}\b(?:is|seems|are|as) (?:\w+ ){0,2}?(?:low|small|slim|minimal|unlikely|remote|negligible|absent"
    r"|improbable)\b"
    r"|^[^.;,:]{0,20}(?::| -) ?(?:none\b|n/a|absent|minimal|nothing|no\b(?=\W*$|[.,;])|not (?:found|present|seen))"
)
SHARE = re.compile(r"\b(\d{1,3})(?:\.\d+)? ?(?:%|percent)[^.;]{0,40}$")  # "a 10 % chance that it is …"

# --- what makes it say nothing of this picture ------------------------------------------------------------------------
ASIDE = re.compile(  # questions, conditions, reported speech, former impressions, scales
    any_of(
        r"if whether unless (?:to_|let's_)(?:determine|assess|evaluate|decide|verify)",
        r"(?:determin|assess|evaluat|decid)ing distinguish\w* differentiat\w* question asked tell(?!-) discern",
        r"challenging difficult hard between comparison claims? (?:not|can't)_(?:be_)?(?:\w+_)?ruled?_out",
        r"(?:not|n't)_(?:necessarily|always|only|merely|enough|definitive) at_first(?:_glance|_sight)? initially",
        r"first_impression says finds started thought thinking assumed mistaken on_the_surface meant even anything",
        r"also tempting as_if as_though attempt\w*",
    )
    + r"|\d ?\(?(?:=|means)[^,;]*$"
)
VOIDED_AFTER = re.compile(  # "… that has been edited", "…: 20 %", "looks … but is not", "… can't be ruled out"
    r"^[^.;]*\b(?:that|which|but|and) (?:\w+ ){0,4}?(?:edited|altered|enhanced|manipulated)\b"
    r"|^(?: \w+)? ?[:=-] ?\d|^(?: \w+)? (?:include|tend|often|usually|typically|generally|commonly)\b"
    r"|^[^.;,]{0,30}\bbut (?:it )?(?:is|are)(?: not|n't)\W*$"
    r"|^[^.;,]{0,30}\b(?:can not|can't|could not) be (?:\w+ )?(?:ruled out|excluded|determined|verified|confirmed)"
)
OBJECTED = re.compile(  # "it looks …, but the hands are odd"; no objection is "…, but nobody can be certain"
    r"^[^.;,]{0,60}, (?:but|yet)\b(?=.{9})(?!.{0,60}\b(?:can|can't|could|may|might|certain\w*|definit\w*"
    r"|important|essential|worth|further|metadata|context|sure|is clearly|q\w+)\b)"
)
IMPRESSION = re.compile(r"\b(?:looks?|seems?|appears?)\b")
FIRST = re.compile(r"^(?:at first|initially|on the surface)\b[^,]*,$")
MODAL = re.compile(
    r"\b(?:could|may|might|possib\w+|perhaps|potential\w*|sometimes|"
    r"can(?! not|'t| be (?:\w+ly )?(?:classif|conclud|consider|said|regarded|inferred|judged|deemed))"
    r"|would(?! (?:say|conclude|lean|classify|guess|argue|judge|estimate|assess|answer|call|go|rate|label|describe"
    r"|believe|think|expect|be expected|normally)\b))\b"
)
GENERAL = re.compile(
    r"^\W*(?:(?:many|most|some|other|in|for|an?|the|typical|typically|often|as|that)\b\W*)*$"
)  # "Most … are"

# --- what makes it a claim about the picture --------------------------------------------------------------------------
_PICTURE = r"(?:image|picture|photo|qphoto|shot|scene|media|portrait|content|visual|artwork|frame|file|screenshot)"
_SUBJECT = (
    r"(?<!\bin )(?<!\bof )(?<!\bon )(?<!\bfrom )\b(?:(?:this|the|that|both) "
    rf"(?:(?!(?:in|of|on|from|the|to|for|with|by|at)\b)[\w-]+ ){{0,3}}?{_PICTURE}"
    r"(?: (?:itself|provided|shown|presented|in question|as a whole|overall|here|you \w+"
    r"|of (?:[\w'-]+ ){0,6}?[\w'-]+))?"
    r"|it|this|that(?! of))"
)
SUBJECT = re.compile(_SUBJECT)
VERB = re.compile(rf"(?:\w+ly )?{_VERB}")
_IS = (
    r"(?:'s|(?: \w+ly)? "
    + any_of(
        r"is are was be being appears? seems? looks? feels? does do must should can could has(?:_been)? have_been",
        r"\w+n't resembles? represents? remains? reads gives comes leans? as to_be",
    )
    + ")"
)
# Between verb and class may stand whatever does not make the class a comparison, or the home of some feature.
_NO_FILLER = any_of(
    r"for by on at into about signs? hallmarks? traits? typical characteristics? common telltale indicat\w+",
    r"features? details? who which shows? depicts? contains? lacks? found seen expected associated suggest\w*",
    r"pointing patterns? artifacts? flaws? elements? bit matter lot argues? in(?!_fact)",
    r"(?<!consistent_)(?<!go_)with",
)
_FILL = rf"(?:,? (?!{_NO_FILLER})[\w'/-]+){{0,9}}+"
CLAIMS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_SUBJECT}{_IS}{_FILL} ?$",  # "the image is most likely …"
        rf"{_SUBJECT} (?:\w+ly |does |does not |doesn't )?(?:shows?|exhibits?|displays?|contains?|bears?|has|have"
        r"|shares?|match(?:es)?|(?:aligns?|corresponds?|fits?)(?: \w+){0,2} (?:with|to|in))"
        r"(?: (?!some|few|minor|slight|subtle)[\w-]+){0,4}? (?:signs?|indicators?|hallmarks?|characteristics|traits?"
        r"|evidence|signatures?|look|appearance|mark(?:er)?s?|features?)(?: (?:that|which) are)?(?: \w+ly| often)?"
        r" (?:(?:suggestive |indicative |typical |characteristic )?of|(?:consistent|associated) with|(?:found|seen) in"
        r"|(?:common|typical) (?:to|in|for))"
        r"(?: \w+){0,2}? ?$",  # "it shows clear signs of …"
        rf"\b(?:classif\w+|categori[sz]\w+|identif\w+|labell?ed|deemed|judged|regarded|conclu\w+|verdict){_FILL} ?$",
        r"\b(?:i|we)\b(?:'\w+)?(?: \w+){0,3}? (?:conclude|believe|think|say|lean|classify|judge|consider|suspect|guess"
        r"|infer|assess|estimate|inclined|argue|go|opt|answer|call|take)"
        rf"(?: (?:that|it|this|the|{_PICTURE}|for))*+{_FILL} ?$",  # "I would classify the image as …"
        rf"\b(?:likelihood|probability|chance|likely|lean(?:s|ing)?|tilts?|favou?rs?)\b{_FILL} ?$",  # "leaning to …"
    )
)
FRAGMENT = re.compile(
    r"^\W*(?:(?:looks|looks like|seems|appears|in short|most|very|not|an?|the|\w+ly)\s)*\s*$"
)  # "Most likely …, because …"
FRAGMENT_END = re.compile(
    rf"^(?: {_PICTURE})?(?: to me)?(?:\W*$| ?[.!(]|,? (?:because|since|with|given|due)\b|, (?:as|it|i|based)\b"
    r"| (?:is|seems) (?:\w+ ){0,2}?(?:unlikely|likely|improbable|probable)\b)"
)
THING = re.compile(  # the class word names something in the picture: "a real challenge", "generated text"
    rf"{REAL} (?!(?:[\w-]+ ){{0,2}}{_PICTURE}\b|photo|pic|snap|captur|scen|event|moment|origin|source|record|because"
    r"|since|due|given|based|with|which|though|although|however|while|-|\(|(?:one|life|and|or|but|not|rather|than|in|as|at"
    rf"|on|to|by|for|that|when|if)\b)\w|{GEN} (?:background|element|part|component|text|feature|detail|object)"
)
RELATION = re.compile(  # … and is compared all the same: "consistent with a real strawberry"
    r"\b(?:like|a?typical|consistent|characteristic|common|expect|found|seen|look|appear|resembl|unlike|unusual|uncommon"
    r"|associated|than|would|suggest|indicat|natural for|correspond|match|not|no|lack|similar)"
)
FINDINGS = re.compile(  # what is said of them is said of the picture: "all of this points to …"
    r"^\W*(?:(?:all|both|each|many|most)\b(?: of)? )?"
    r"(?:these|those|such|all of this"
    r"|everything|key \w+)\b"
    r"|\b(?:all|together|collectively|strongly|clearly) (?=suggest|indicat|point|support|speak)"
)
DECISIVE = re.compile(  # such a sign is enough: "there are no signs of …", "clear evidence of …"
    r"\b(?:nothing|none)\b|\b(?:no|any|all|clear|strong|obvious|several|multiple|many|numerous|every|absence of|lack of"
    r"|free (?:of|from))\b(?: [\w-]+,?){0,4}? (?:signs?|evidence|indicat\w+|traces?|clues?|hints?|hallmarks?|reason)\b"
)
CONCLUDES = re.compile(
    r"^"
    + any_of(
        r"so thus hence therefore overall in_(?:conclusion|summary|short|sum|light_of)",
        r"to_(?:conclude|sum|summari[sz]e) based_on given considering taking taken",
        r"all_(?:in_all|things|of_these|these|told) as_a_result consequently ultimately finally after upon",
        r"with_(?:all_)?(?:this|these) conclusion verdict final summary judging my weighing",
        r"due_to_(?:this|these|the) for_these_reasons on_(?:the_whole|balance) at_the_end_of_the_day",
        r"(?:the_)?(?:combination|evidence)",
        r"these_(?:observations|factors|elements|features|characteristics|details|points)",
        r"these_(?:aspects|inconsistencies|signs|clues)",
    )
    + r"|\b(?:in conclusion|i conclude|we can conclude|overall|therefore)\b"
)
HEADING = re.compile(
    r"^(?:\W|\d)*(?:\w+ ){0,2}(conclusion|summary|verdict|overall|assessment|judg\w+|conclude\w*)?(?: \w+){0,3}:?$"
)
BARE_PHOTO = re.compile(rf"\b{PHOTO}\b(?=\W*$| (?:taken|captured|shot)\b)")  # "thus, this is a photograph"
NO_PHOTO = re.compile(rf"(?:(?<=\bnot a )|(?<=\bn't a )){PHOTO}\b(?! of\b)")
ABSENCE = re.compile(  # a weak sign of a photograph: "no visible artifacts"
    r"(?:\b(?:no|without|not|absence of|free of|lack of)\b|n't\b)[^.;]*\b(?:art[ie]facts?|anomal\w+|inconsistenc\w+"
    r"|distortions?|manipulat\w+|alteration|editing|tampering|irregularit\w+)"
)

# --- the same for Chinese, by clause ----------------------------------------------------------------------------------
CHINESE_ASIDE = re.compile(
    r"是否|还是|如果|假如|(?:难以|无法|不能)(?:判断|确定|区分)|通常|往往|常常|也许|或许|也可能|需要|为了"
)
CHINESE_CONCESSION = re.compile(r"虽然|尽管|看似")
CHINESE_NEGATION = re.compile(r"不(?:是|像|太|属|存在|大?可能|具|含)|并?非|没有|未|无(?!法|论)|缺[乏少]")
CHINESE_CLAIM = re.compile(r"是|为|像|偏向|倾向|属于|可能|应|看起来|似乎|判断")
CHINESE_DECISIVE = re.compile(rf"没有(?:任何|明显|发现|看到)?.{{0,20}}{GEN}.{{0,4}}(?:痕迹|迹象|特征|可能)")
CHINESE_CONCLUDES = re.compile(r"综上|因此|总之|总体|整体|总的来说|综合|所以|结论|判断")
