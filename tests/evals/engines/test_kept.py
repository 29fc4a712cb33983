from __future__ import annotations

from evals.engines.kept import KeptModels


class Model:
    closed = 0

    async def aclose(self) -> None:
        self.closed += 1


async def test_a_model_outlives_its_judges_until_it_is_let_go() -> None:
    shared, made = KeptModels(), []

    def make() -> Model:
        made.append(Model())
        return made[-1]

    for _ in range(2):
        lease = shared.take("m", make)
        await lease.aclose()
    assert (len(made), made[0].closed) == (1, 0)
    held = shared.take("m", make)
    await shared.let_go()
    assert made[0].closed == 0
    await held.aclose()
    assert made[0].closed == 1
    await shared.let_go()
    assert made[0].closed == 1


async def test_what_was_let_go_is_made_anew() -> None:
    shared = KeptModels()
    first = shared.take("m", Model)
    await first.aclose()
    await shared.let_go()
    assert first.item.closed == 1
    assert shared.take("m", Model).item is not first.item
