"""Fallback: when a backend does not answer, the next one is asked, and the answer says so."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from backends.backend import BOX_FIELDS, Backend, Capabilities
from backends.completion import Completion, Stop
from backends.errors import BackendError
from backends.request import Request


class FallbackLayer:
    """Tries backends in order. A refusal is an answer; an error or an empty answer is none. A spent budget ends it.

    Args:
        backends: at least one; the first is the one that is meant, and gives `spec` and `capabilities`.
    """

    def __init__(self, backends: Sequence[Backend]) -> None:
        self._backends = tuple(backends)

    @property
    def spec(self) -> str:
        """The spec of the first backend."""
        return self._backends[0].spec

    @property
    def capabilities(self) -> Capabilities:
        """Those of the first backend, with what must hold whoever answers.

        `hosted` and `destination` say where pictures may go with any of them. Boxes are read only if all write them in
        the same scale: a box of unknown scale would point at the wrong place.
        """
        every = [backend.capabilities for backend in self._backends]
        places = dict.fromkeys(one.destination for one in every)
        scales = {tuple(getattr(one, field) for field in BOX_FIELDS) for one in every}
        update = {
            "destination": ", or ".join(places),
            "hosted": any(one.hosted for one in every),
            "box_format": every[0].box_format if len(scales) == 1 else None,
        }
        return every[0].model_copy(update=update)

    async def complete(self, request: Request) -> Completion:
        """The first answer; its `notes` say who did not answer before.

        Raises:
            BackendError: nobody answered; the last error's kind, with everybody's reasons.
            BudgetError: the budget is spent.
        """
        reasons: list[str] = []
        for backend in self._backends[:-1]:
            try:
                completion = await backend.complete(request)
            except BackendError as error:
                reasons.append(f"{backend.spec} did not answer ({error})")
            else:
                if completion.stop is not Stop.EMPTY:
                    return _noted(completion, reasons, backend.spec)
                reasons.append(f"{backend.spec} gave an empty answer")
        last = self._backends[-1]
        try:
            return _noted(await last.complete(request), reasons, last.spec)
        except BackendError as error:
            if not reasons:
                raise
            reasons.append(f"{last.spec} did not answer ({error})")
            raise error.again("; ".join(reasons)) from error

    async def aclose(self) -> None:
        """Close every backend, also when closing one of them fails."""
        async with contextlib.AsyncExitStack() as closing:
            for backend in self._backends:
                closing.push_async_callback(backend.aclose)


def _noted(completion: Completion, reasons: list[str], spec: str) -> Completion:
    if not reasons:
        return completion
    note = "; ".join([*reasons, f"{spec} did"])
    return completion.model_copy(update={"notes": (*completion.notes, note)})
