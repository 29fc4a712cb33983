from __future__ import annotations

import asyncio
import json
import time

import pytest

from backends import errors
from backends.backend import Provider
from backends.completion import Stop, TokenUsage
from backends.providers.scripted import GIBBERISH, REFUSAL
from backends.registry import open_backend
from backends.request import Message, Origin, Request, Sampling, Text
from backends.settings import BackendSettings


@pytest.fixture
def script(tmp_path):
    """Writes a script and opens it."""

    def write(text: str, **settings):
        path = tmp_path / "script.yaml"
        path.write_text(text, encoding="utf-8")
        return open_backend(f"scripted:{path}", BackendSettings(**settings))

    return write


def ask(paradigm="p", step="s", case="c", question="What is it?", sample=0, **changes) -> Request:
    messages = (Message("system", (Text("system"),)), Message("user", (Text(question),)))
    origin = Origin(case=case, paradigm=paradigm, step=step)
    return Request(messages=messages, origin=origin, sampling=Sampling(sample=sample), **changes)


async def test_the_first_matching_rule_answers(script):
    backend = script("""
    model: script-1
    rules:
      - {paradigm: structural, step: subj*, text: a dog}
      - {paradigm: "p[1-3]", contains: Where, answer: {place: "küche", boxes: [1, 2]}}
      - {sample: 2, text: third}
      - {text: otherwise, usage: {input_tokens: 7, output_tokens: 2}}
    """)
    assert isinstance(backend, Provider)
    assert (await backend.complete(ask("structural", "subject"))).text == "a dog"
    assert json.loads((await backend.complete(ask("p2", question="Where?"))).text) == {
        "place": "küche",
        "boxes": [1, 2],
    }
    assert (await backend.complete(ask("p2", sample=2))).text == "third"
    last = await backend.complete(ask("p4", question="Where?"))
    assert (last.text, last.model, last.stop) == ("otherwise", "script-1", Stop.COMPLETE)
    assert last.usage == TokenUsage(input_tokens=7, output_tokens=2)
    assert last.backend == backend.spec


async def test_contains_looks_at_the_last_user_text_only(script):
    backend = script("rules: [{contains: system, text: 'no'}, {contains: dog, text: 'yes'}]")
    assert (await backend.complete(ask(question="a dog?"))).text == "yes"


async def test_nothing_matches(script):
    backend = script("rules: [{paradigm: other, text: x}]")
    with pytest.raises(errors.ScriptError, match=r"paradigm 'p', step 's'"):
        await backend.complete(ask())


async def test_texts_are_chosen_by_the_case_and_always_the_same(script):
    backend = script("rules: [{texts: [a, b, c]}]")
    said = [(await backend.complete(ask(case=str(case)))).text for case in range(30)]
    assert set(said) == {"a", "b", "c"}
    assert said == [(await backend.complete(ask(case=str(case)))).text for case in range(30)]


async def test_a_delay_is_waited_and_stated(script):
    backend = script("rules: [{text: x, seconds: 0.05}]")
    started = time.perf_counter()
    answers = await asyncio.gather(*(backend.complete(ask(case=str(n))) for n in range(400)))
    assert 0.045 < time.perf_counter() - started < 10, "together, not 20 s one after another"
    assert {answer.seconds for answer in answers} == {0.05}


@pytest.mark.parametrize(
    ("fault", "kind", "transient"),
    [
        ("rate_limit", errors.RateLimitError, True),
        ("server", errors.ServerError, True),
        ("connect", errors.ConnectError, True),
        ("timeout", errors.AttemptTimeoutError, True),
        ("malformed", errors.MalformedError, True),
        ("auth", errors.AuthError, False),
    ],
)
async def test_faults_that_are_errors(script, fault, kind, transient):
    backend = script(f"rules: [{{fault: {fault}, retry_after: 0.25}}]")
    with pytest.raises(kind) as caught:
        await backend.complete(ask())
    assert caught.value.transient is transient
    assert caught.value.retry_after == 0.25
    assert caught.value.provider == "scripted"


@pytest.mark.parametrize(
    ("fault", "text", "stop"),
    [("refusal", REFUSAL, Stop.REFUSAL), ("empty", "", Stop.EMPTY), ("gibberish", GIBBERISH, Stop.COMPLETE)],
)
async def test_faults_that_are_answers(script, fault, text, stop):
    answer = await script(f"rules: [{{fault: {fault}}}]").complete(ask())
    assert (answer.text, answer.stop) == (text, stop)


async def test_a_bug_is_no_error_of_ours(script):
    with pytest.raises(RuntimeError) as caught:
        await script("rules: [{fault: bug}]").complete(ask())
    assert not isinstance(caught.value, errors.SixlensError)


async def test_a_hang_ends_with_the_attempt(script):
    backend = script("rules: [{fault: hang}]", attempt_seconds=0.05)
    started = time.perf_counter()
    with pytest.raises(errors.AttemptTimeoutError):
        await backend.complete(ask())
    assert time.perf_counter() - started < 10


async def test_a_hang_can_be_cancelled(script):
    task = asyncio.create_task(script("rules: [{fault: hang}]").complete(ask()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_fault_happens_so_many_times_for_each_case_paradigm_and_step(script):
    backend = script("rules: [{fault: server, times: 2, text: at last}]")
    for origin in ({"case": "a"}, {"case": "b"}, {"case": "a", "paradigm": "q"}, {"case": "a", "step": "t"}):
        for _ in range(2):
            with pytest.raises(errors.ServerError):
                await backend.complete(ask(**origin))
        assert (await backend.complete(ask(**origin))).text == "at last"
        assert (await backend.complete(ask(**origin))).text == "at last"


async def test_a_spent_fault_without_an_answer_goes_on_to_the_next_rule(script):
    backend = script("rules: [{fault: connect, times: 1}, {fault: rate_limit, times: 1}, {text: x}]")
    with pytest.raises(errors.ConnectError):
        await backend.complete(ask())
    with pytest.raises(errors.RateLimitError):
        await backend.complete(ask())
    assert (await backend.complete(ask())).text == "x"


async def test_stop_can_be_declared_and_a_begun_answer_is_part_of_the_text(script):
    backend = script("rules: [{text: ' cut of', stop: length}]")
    answer = await backend.complete(ask(prefill="It is"))
    assert (answer.text, answer.stop) == ("It is cut of", Stop.LENGTH)


async def test_nothing_leaves_the_process_unless_it_says_otherwise(script):
    backend = script(
        "capabilities: {images: false, context_tokens: 100}\nrules: [{text: x}]", capabilities={"logprobs": True}
    )
    capabilities = backend.capabilities
    assert (capabilities.destination, capabilities.hosted) == ("this process", False)
    assert (capabilities.images, capabilities.context_tokens, capabilities.logprobs) == (False, 100, True)
    assert backend.account == ""


def test_identity_changes_with_the_content_and_not_with_the_layout(script):
    first = script("rules: [{text: x}]").identity
    assert script("rules:\n  - text: x\n").identity == first
    assert script("rules: [{text: y}]").identity != first


def test_json_is_a_script_too(tmp_path):
    path = tmp_path / "script.json"
    path.write_text(json.dumps({"rules": [{"text": "x"}]}))
    assert open_backend(f"scripted:{path}").spec == f"scripted:{path}"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rules: []", "rules"),
        ("rules: [{txt: x}]", "Did you mean 'text'"),
        ("rules: [{text: x, answer: {a: 1}}]", "only one of"),
        ("rules: [{paradigm: x}]", "give one of"),
        ("rules: [{text: x, times: 2}]", "give a fault"),
        ("rules: [{fault: explode}]", "fault"),
        ("rules: [{text: x, seconds: -1}]", "seconds"),
        ("rules: [", "not valid YAML"),
        ("just text", "script.yaml"),
    ],
)
def test_a_wrong_script_is_one_clear_line(script, text, says):
    with pytest.raises(errors.ConfigError) as caught:
        script(text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_script_is_one_clear_line():
    with pytest.raises(errors.ConfigError, match="nowhere"):
        open_backend("scripted:nowhere.yaml")
    with pytest.raises(errors.ConfigError, match="scripted:FILE"):
        open_backend("scripted:")
