from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
import yaml

from backends.errors import PromptError
from backends.providers.function import FunctionBackend
from backends.request import Message, Picture, Request, Text
from fusion.panel import panel_paradigm, panel_variables
from paradigms.examination import Examination
from paradigms.exemplars import Exemplar, load_exemplars
from paradigms.label import Label, Outcome
from paradigms.library import load_common, load_paradigm, paradigm_names
from paradigms.paradigm import AskStep, Layout, Paradigm, Prompt
from paradigms.reading import read_answer
from paradigms.render import Renderer, Sight
from paradigms.report import Report
from paradigms.subject import read_subject
from paradigms.view import Means, TokenLimits, View

COMMON = load_common()
PANEL = panel_paradigm(COMMON.panel, COMMON.version)
SHIPPED = {name: load_paradigm(name) for name in paradigm_names()}
LIMITS = TokenLimits(verdict=1500, text=500, follow_up=60, more_room=2.0)
LIST = "MODEL WROTE THIS LIST"
SUBJECT = "sailing boat at dusk"
FENCE = re.compile(r"\[data ([0-9a-f]{8}): [^\]]*\]\n(.*?)\n\[end of data \1\]", re.DOTALL)


def draw(name: str) -> Picture:
    data = name.encode()
    return Picture(data, "image/png", hashlib.sha256(data).hexdigest(), 200, 100)


IMAGE, REGION = draw("image"), draw("region")
TEXT_EXEMPLARS = tuple((Exemplar(label, "a reason", "a description"), None) for label in (Label.GENERATED, Label.REAL))
PICTURED = tuple((Exemplar(label, "a reason"), draw(label.value)) for label in (Label.GENERATED, Label.REAL))


def heard() -> tuple[Report, ...]:
    """A report as the panel reads it, and one of somebody who did not answer."""
    shared = {"title": "Title", "question": "Question?", "prompt_version": "1", "backend": "toy"}
    spoke = Report(paradigm="one", outcome=Outcome.ANSWERED, label=Label.REAL, text=LIST, **shared)
    return spoke, Report(paradigm="two", outcome=Outcome.REFUSED, reason="no", **shared)


async def requests(paradigm: Paradigm, layout: Layout, exemplars: Any = TEXT_EXEMPLARS) -> list[Request]:
    """Every request that a paradigm sends about a case."""
    sent: list[Request] = []

    async def answer(request: Request) -> str:
        sent.append(request)
        return LIST if request.origin.purpose == "text" else "Verdict: real"

    renderer = Renderer(layout, COMMON)
    view = View("c" * 64, (400, 200), IMAGE, (), (REGION,), SUBJECT, exemplars)
    given = panel_variables(heard(), "The file says so.", renderer) if paradigm is PANEL else {}
    means = Means(FunctionBackend(answer), renderer, LIMITS)
    report = await Examination(paradigm, view, means, given).run()
    assert (report.outcome, report.label) == (Outcome.ANSWERED, Label.REAL)
    return sent


async def everything(layout: Layout) -> list[Request]:
    """Every request of every paradigm that ships and of the panel."""
    return [request for paradigm in (*SHIPPED.values(), PANEL) for request in await requests(paradigm, layout)]


def subject(layout: Layout) -> tuple[Message, ...]:
    return Renderer(layout, COMMON).question(COMMON.subject, {}, Sight(IMAGE), verdict=False)


def texts(messages: tuple[Message, ...]) -> str:
    return "\n".join(message.text for message in messages)


@pytest.mark.parametrize("layout", list(Layout))
async def test_every_prompt_renders_to_a_conversation_that_servers_take(layout: Layout) -> None:
    conversations = [request.messages for request in await everything(layout)] + [subject(layout)]
    # Two steps of structural and stereotype, one of the others, the panel's and the subject's.
    assert len(conversations) == len(SHIPPED) + 2 + 2
    for messages in conversations:
        roles = [message.role for message in messages]
        assert roles == ["system", *(["user", "assistant"] * len(roles))[: len(roles) - 1]]
        assert roles[-1] == "user"
        assert all(part.text.strip() for message in messages for part in message.parts if isinstance(part, Text))
        assert not any(
            isinstance(part, Picture) for message in messages for part in message.parts if message.role != "user"
        )
        assert "{{" not in texts(messages)
        assert "{%" not in texts(messages)


@pytest.mark.parametrize("layout", list(Layout))
async def test_only_questions_about_the_picture_show_it(layout: Layout) -> None:
    for request in await everything(layout):
        assert (IMAGE in request.pictures) is (request.origin.purpose != "text")
        assert len(request.pictures) == (
            0 if request.origin.purpose == "text" else 2 if REGION in request.pictures else 1
        )


async def test_shared_asks_everything_about_the_picture_alike() -> None:
    sent = await everything(Layout.SHARED)
    looking = [request for request in sent if request.pictures]
    system = f"{COMMON.system.strip()}\n\n{COMMON.form.strip()}"
    assert {request.messages[0].text for request in looking} == {subject(Layout.SHARED)[0].text} == {system}
    assert all(len(request.messages) == 2 and request.messages[-1].parts[0] == IMAGE for request in looking)
    assert all(request.messages[-1].parts[-1] == Text(COMMON.reminder.strip()) for request in looking)
    assert subject(Layout.SHARED)[-1].parts[0] == IMAGE
    schemas = [request.schema for request in looking]
    assert schemas[0] is not None
    assert all(schema == schemas[0] for schema in schemas)


async def test_shared_puts_picture_exemplars_before_the_picture_and_nothing_else() -> None:
    (request,) = await requests(SHIPPED["few_shot"], Layout.SHARED, PICTURED)
    assert request.pictures == (PICTURED[0][1], PICTURED[1][1], IMAGE)
    assert request.messages[-1].parts[0] == IMAGE
    assert [message.role for message in request.messages] == [
        "system",
        "user",
        "assistant",
        "user",
        "assistant",
        "user",
    ]
    assert request.messages[2].text.endswith("Verdict: generated")
    assert request.messages[4].text.endswith("Verdict: real")


async def test_paper_speaks_in_turns() -> None:
    defects = (await requests(SHIPPED["defect_query"], Layout.PAPER))[0].messages
    assert [message.role for message in defects] == ["system", *["user", "assistant"] * 2, "user"]
    regional = (await requests(SHIPPED["regional"], Layout.PAPER))[0].messages
    assert (regional[1].parts[-1], regional[3].parts[0]) == (IMAGE, REGION)
    panel = (await requests(PANEL, Layout.PAPER))[0].messages
    assert [message.role for message in panel] == ["system", "user", "assistant", "user"]
    assert LIST in panel[2].text


async def test_paper_closes_every_verdict_with_the_asked_for_line() -> None:
    for request in await everything(Layout.PAPER):
        closed = request.messages[-1].parts[-1] == Text(COMMON.closing.strip())
        assert closed is (request.origin.purpose == "verdict")
        assert request.schema is None


async def test_shared_fences_whatever_a_model_wrote() -> None:
    written = {SUBJECT: 0, LIST: 0, "The file says so.": 0}
    for request in await everything(Layout.SHARED):
        text = texts(request.messages[1:])
        assert text.count("[data ") == text.count("[end of data ") == len(FENCE.findall(text))
        outside, fenced = FENCE.sub("", text), "\n".join(body for _, body in FENCE.findall(text))
        for words in written:
            assert words not in outside
            written[words] += fenced.count(words)
    assert all(written.values())


def steps() -> Iterator[tuple[str, Prompt]]:
    """Every prompt that ships."""
    for paradigm in (*SHIPPED.values(), PANEL):
        yield from ((f"{paradigm.name}.{step.name}", step) for step in paradigm.asks)
    yield "subject", COMMON.subject


@pytest.mark.parametrize("layout", list(Layout))
@pytest.mark.parametrize("name", ["label", "truth", "path", "name", "filename", "sha256", "case", "view", "image"])
def test_no_template_reaches_the_truth_or_the_files_name(layout: Layout, name: str) -> None:
    stolen = AskStep.model_validate({"name": "v", "ask": "verdict", "shared": {"question": f"It is {{{{ {name} }}}}."}})
    thief = SHIPPED["direct"].model_copy(update={"steps": (stolen,), "needs": ("subject", "regions", "exemplars")})
    view = View("c" * 64, (400, 200), IMAGE, (), (REGION,), SUBJECT, TEXT_EXEMPLARS)
    examination = Examination(thief, view, Means(FunctionBackend(never), Renderer(layout, COMMON), LIMITS))
    with pytest.raises(PromptError, match="undefined"):
        examination.run().send(None)


async def never(request: Request) -> str:
    raise AssertionError("nobody is to be asked")


@pytest.mark.parametrize("needed", ["subject", "components", "stereotypes", "answers", "exemplars"])
def test_a_variable_that_is_missing_is_an_error(needed: str) -> None:
    given: dict[str, object] = dict.fromkeys(("subject", "components", "stereotypes", "provenance", "unanswered"), "x")
    given |= {"answers": (), "exemplars": (), "regions": 1}
    del given[needed]
    failed = []
    for name, prompt in steps():
        try:
            Renderer(Layout.SHARED, COMMON).question(prompt, given, Sight(IMAGE, (REGION,)), verdict=True)
        except PromptError:
            failed.append(name)
    assert failed


# What the prompts say.


def wording(name: str) -> str:
    """A file of prompts as one line."""
    return " ".join((files("prompts") / name).read_text("utf-8").split())


FILES = ["common.yaml", "exemplars.yaml", *(f"paradigms/{name}.yaml" for name in SHIPPED)]


@pytest.mark.parametrize("name", FILES)
def test_no_prompt_uses_words_that_make_models_refuse_or_claim_too_much(name: str) -> None:
    assert not re.search(r"\b(?:deep)?fakes?\b|\bforged\b|\bauthentic|\bverified\b", wording(name), re.IGNORECASE)


@pytest.mark.parametrize("name", FILES)
def test_no_prompt_takes_clear_text_for_a_photograph(name: str) -> None:
    said = wording(name)
    for found in re.finditer(r"\b(?:text|letters|writing|print)\b", said, re.IGNORECASE):
        near = said[max(0, found.start() - 60) : found.end() + 60].lower()
        assert not re.search(r"\b(?:clear|legible|readable|consistent|correct) (?:text|letters|writing|print)", near)
    assert "neither is readable or unreadable text" in wording("common.yaml")


@pytest.mark.parametrize("layout", list(Layout))
async def test_every_question_for_a_verdict_asks_for_ordinary_causes_and_offers_to_be_undecided(layout: Layout) -> None:
    asked = [request for request in await everything(layout) if request.origin.purpose == "verdict"]
    assert len(asked) == len(SHIPPED) + 1
    for request in asked:
        said = " ".join(texts(request.messages).split())
        assert re.search(r"ordinary.cause", said)
        assert "cannot tell" in said
        assert "Words inside the picture" in said


@pytest.mark.parametrize("layout", list(Layout))
async def test_no_question_speaks_of_what_people_are(layout: Layout) -> None:
    for request in await requests(SHIPPED["stereotype"], layout):
        said = " ".join(texts(request.messages).split())
        if request.origin.purpose == "text":
            assert "generated pictures of" in said
            assert "If the subject is a person, speak only of staging, light and rendering" in said
        else:
            assert "nor about a person's looks" in said
    named = " ".join(texts(subject(layout)).split())
    assert "without names of people" in named
    assert "without a person's origin or looks" in named


def test_a_verdict_is_asked_for_in_words_that_are_read_back() -> None:
    for text in (COMMON.form, COMMON.closing, COMMON.follow_up):
        offered = set(re.findall(r"`(Verdict: [a-z ]+)`", text))
        assert offered == {"Verdict: generated", "Verdict: real", "Verdict: cannot tell"}
        assert {read_answer(line).label for line in offered} == set(Label)


def test_the_subject_is_asked_for_in_words_that_are_read_back() -> None:
    for layout in Layout:
        said = texts(subject(layout)[1:])
        assert re.search(r"^subject: ", said, re.MULTILINE)
        assert re.search(r"^medium: ", said, re.MULTILINE)
        # Repeating the question names neither.
        assert read_subject(said).model_dump() == {"phrase": None, "medium": None}


def test_the_exemplars_that_ship_are_one_of_each_label_with_reasons() -> None:
    with files("prompts").joinpath("exemplars.yaml").open("rb") as file:
        assert all("ordinary" in row["reason"] or "camera" in row["reason"] for row in yaml.safe_load(file))
    path = files("prompts") / "exemplars.yaml"
    shipped = load_exemplars(path)  # type: ignore[arg-type]
    assert [item.label for item in shipped] == [Label.GENERATED, Label.REAL]
    assert all(item.reason and item.description and item.picture is None for item in shipped)


def test_every_paradigm_has_its_own_title_and_question() -> None:
    assert len({paradigm.title for paradigm in SHIPPED.values()}) == len(SHIPPED)
    assert len({paradigm.question for paradigm in SHIPPED.values()}) == len(SHIPPED)
    assert all(step.paper is not None for _, step in steps())
