import pytest

from backends.backend import BoxFormat, Capabilities
from backends.completion import Completion, Stop
from backends.errors import AuthError, BudgetError, RateLimitError, ServerError
from backends.layers.fallback import FallbackLayer
from backends.providers.function import FunctionBackend
from backends.request import Request

REQUEST = Request(())


def backend(spec: str, outcome: Completion | Exception | str, **capabilities: object) -> FunctionBackend:
    async def answer(_: Request) -> Completion | str:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return FunctionBackend(answer, spec, Capabilities.model_validate(capabilities))


async def test_the_first_that_answers_is_taken_without_a_note() -> None:
    completion = await FallbackLayer([backend("a:x", "hello"), backend("b:y", ServerError("never asked"))]).complete(
        REQUEST
    )
    assert (completion.text, completion.backend, completion.notes) == ("hello", "a:x", ())


async def test_the_answer_says_who_did_not_answer() -> None:
    layer = FallbackLayer([backend("a:x", ServerError("down")), backend("b:y", ""), backend("c:z", "hello")])
    completion = await layer.complete(REQUEST)
    assert completion.backend == "c:z"
    assert completion.notes == ("a:x did not answer (down); b:y gave an empty answer; c:z did",)


async def test_notes_of_the_answer_are_kept() -> None:
    answer = Completion(text="x", model="m", backend="b:y", notes=("temperature was left out",))
    completion = await FallbackLayer([backend("a:x", AuthError("no key")), backend("b:y", answer)]).complete(REQUEST)
    assert completion.notes == ("temperature was left out", "a:x did not answer (no key); b:y did")


@pytest.mark.parametrize("stop", [Stop.REFUSAL, Stop.FILTER, Stop.LENGTH])
async def test_a_refusal_is_an_answer(stop: Stop) -> None:
    refusal = Completion(text="I cannot.", stop=stop, model="m", backend="a:x")
    assert await FallbackLayer([backend("a:x", refusal), backend("b:y", "hello")]).complete(REQUEST) is refusal


async def test_a_spent_budget_ends_it() -> None:
    with pytest.raises(BudgetError):
        await FallbackLayer([backend("a:x", BudgetError("spent")), backend("b:y", "hello")]).complete(REQUEST)


async def test_when_nobody_answers_the_error_gives_all_reasons_in_one_line() -> None:
    last = RateLimitError("slow down", retry_after=9)
    with pytest.raises(RateLimitError) as raised:
        await FallbackLayer([backend("a:x", AuthError("no key")), backend("b:y", last)]).complete(REQUEST)
    assert str(raised.value) == "a:x did not answer (no key); b:y did not answer (slow down)"
    assert raised.value.retry_after == 9
    assert raised.value.__cause__ is last


async def test_the_last_empty_answer_is_returned() -> None:
    completion = await FallbackLayer([backend("a:x", ServerError("down")), backend("b:y", "")]).complete(REQUEST)
    assert completion.stop is Stop.EMPTY


async def test_a_single_backend_fails_as_it_does() -> None:
    error = ServerError("down")
    with pytest.raises(ServerError) as raised:
        await FallbackLayer([backend("a:x", error)]).complete(REQUEST)
    assert raised.value is error


async def test_a_mistake_in_the_program_is_not_covered_up() -> None:
    with pytest.raises(KeyError):
        await FallbackLayer([backend("a:x", KeyError("oops")), backend("b:y", "hello")]).complete(REQUEST)


def test_capabilities_are_those_of_the_first_but_a_picture_may_go_to_all() -> None:
    here = backend("a:x", "", json_schema=True, destination="localhost:8000")
    away = backend("b:y", "", logprobs=True, destination="api.example.com", hosted=True)
    layer = FallbackLayer([here, away, here])
    assert layer.spec == "a:x"
    assert layer.capabilities == Capabilities(
        json_schema=True, destination="localhost:8000, or api.example.com", hosted=True
    )


def test_boxes_are_read_only_when_everybody_writes_them_alike() -> None:
    unit, pixels = ({"box_format": BoxFormat.UNIT}, {"box_format": BoxFormat.PIXELS})
    alike = FallbackLayer([backend("a:x", "", **unit), backend("b:y", "", **unit)])
    mixed = FallbackLayer([backend("a:x", "", **unit), backend("b:y", "", **pixels)])
    assert alike.capabilities.box_format is BoxFormat.UNIT
    assert mixed.capabilities.box_format is None


async def test_closing_closes_everybody_even_when_one_fails() -> None:
    class Broken(FunctionBackend):
        async def aclose(self) -> None:
            await super().aclose()
            raise OSError("stuck")

    async def answer(_: Request) -> str:
        return "x"

    backends = [FunctionBackend(answer), Broken(answer), FunctionBackend(answer)]
    with pytest.raises(OSError, match="stuck"):
        await FallbackLayer(backends).aclose()
    assert all(one.closed for one in backends)
