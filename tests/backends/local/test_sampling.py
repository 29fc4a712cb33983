from __future__ import annotations

from types import SimpleNamespace

import pytest

from backends.request import Sampling

torch = pytest.importorskip("torch")

from backends.local.sampling import Defaults, Draw, defaults_of  # noqa: E402

NONE = Defaults()
LOGITS = torch.tensor([0.0, 2.0, 1.0, -float("inf")])


def counted(sampling: Sampling, defaults: Defaults = NONE) -> list[float]:
    """How often each token is chosen."""
    draw = Draw(sampling, defaults)
    chosen = [int(draw.choose(LOGITS)) for _ in range(2000)]
    return [chosen.count(token) / len(chosen) for token in range(4)]


def test_no_temperature_takes_the_likeliest() -> None:
    assert counted(Sampling(temperature=0.0)) == [0, 1, 0, 0]
    assert counted(Sampling(temperature=None)) == [0, 1, 0, 0]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_tokens_come_as_often_as_they_are_likely(temperature: float) -> None:
    wanted = torch.softmax(LOGITS / temperature, -1).tolist()
    assert counted(Sampling(temperature=temperature, seed=3)) == pytest.approx(wanted, abs=0.04)


def test_the_nucleus_leaves_out_the_unlikely() -> None:
    # Chances are 0.09, 0.67, 0.24 and 0.
    assert counted(Sampling(temperature=1.0, top_p=0.6, seed=3)) == [0, 1, 0, 0]
    shares = counted(Sampling(temperature=1.0, top_p=0.8, seed=3))
    assert shares[0] == 0
    assert shares[2] > 0.2


def test_a_seed_repeats_and_a_sample_differs() -> None:
    def chosen(seed: int | None, sample: int = 0) -> list[int]:
        draw = Draw(Sampling(temperature=1.0, seed=seed, sample=sample), Defaults())
        return [int(draw.choose(LOGITS)) for _ in range(40)]

    assert chosen(5) == chosen(5)
    assert chosen(5) != chosen(5, 1)
    assert chosen(5) != chosen(6)
    assert chosen(None) != chosen(None)


def test_a_hair_of_rounding_does_not_change_a_seeded_choice() -> None:
    generator = torch.Generator().manual_seed(1)
    logits = torch.rand(5000, generator=generator)
    noise = (torch.rand(5000, generator=generator) - 0.5) * 1e-6
    first, second = (Draw(Sampling(temperature=1.0, top_p=0.9, seed=2), Defaults()) for _ in range(2))
    same = sum(int(first.choose(logits)) == int(second.choose(logits + noise)) for _ in range(200))
    assert same >= 199


def test_what_the_checkpoint_says_of_sampling() -> None:
    assert defaults_of(SimpleNamespace(do_sample=False, temperature=0.7)) == Defaults(0.0, 1.0)
    assert defaults_of(SimpleNamespace(do_sample=True, temperature=0.7, top_p=0.8)) == Defaults(0.7, 0.8)
    assert defaults_of(SimpleNamespace(do_sample=True, temperature=None, top_p=None)) == Defaults(1.0, 1.0)
    assert counted(Sampling(temperature=None, seed=1), Defaults(1.0))[2] > 0.1
