import pytest

from backends.backend import Capabilities, Provider
from backends.completion import Completion, Stop
from backends.errors import ServerError
from backends.providers.function import FunctionBackend
from backends.request import Message, Request, Text

REQUEST = Request((Message("user", (Text("Look."),)),))


async def test_a_text_becomes_a_completion() -> None:
    async def answer(request: Request) -> str:
        return f"You said: {request.messages[0].text}"

    completion = await FunctionBackend(answer).complete(REQUEST)
    assert completion == Completion(text="You said: Look.", model="function:test", backend="function:test")


async def test_an_empty_text_is_an_empty_answer() -> None:
    async def answer(_: Request) -> str:
        return ""

    assert (await FunctionBackend(answer).complete(REQUEST)).stop is Stop.EMPTY


async def test_a_completion_and_an_error_pass_as_they_are() -> None:
    given = Completion(text="x", stop=Stop.REFUSAL, model="m", backend="b")
    error = ServerError("down")

    async def answer(request: Request) -> Completion:
        if request.prefill:
            raise error
        return given

    backend = FunctionBackend(answer)
    assert await backend.complete(REQUEST) is given
    with pytest.raises(ServerError) as raised:
        await backend.complete(Request((), prefill="x"))
    assert raised.value is error


async def test_it_is_a_provider_with_the_names_given() -> None:
    async def answer(_: Request) -> str:
        return "x"

    capabilities = Capabilities(json_schema=True)
    backend = FunctionBackend(answer, "function:mine", capabilities, account="a1")
    assert isinstance(backend, Provider)
    await backend.prepare()
    assert (backend.spec, backend.identity, backend.account) == ("function:mine", "function:mine", "a1")
    assert backend.capabilities is capabilities
    await backend.aclose()
    assert backend.closed
