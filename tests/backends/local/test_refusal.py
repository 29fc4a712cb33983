from __future__ import annotations

import pytest

pytest.importorskip("torch")

from backends.errors import ConfigError, MissingExtraError
from backends.local import refusal
from backends.local.engine import OutOfMemoryError
from backends.local.refusal import refusals


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("SmolVLM needs `num2words`, install it", "x/y needs num2words: pip install num2words"),
        ("Qwen2VLVideoProcessor requires the Torchvision library", "x/y needs torchvision: pip install torchvision"),
        ("Something else is missing\nand more", "x/y cannot be loaded: Something else is missing"),
    ],
)
def test_missing_packages_are_told(said: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusal, "find_spec", lambda name: None)
    with pytest.raises(ConfigError) as caught, refusals("x/y", fetched=True):
        raise ImportError(said)
    assert str(caught.value) == told


def test_what_belongs_to_the_extra_is_told_as_such() -> None:
    with pytest.raises(MissingExtraError, match="local"), refusals("x/y", fetched=True):
        raise ImportError("Using `device_map` requires Accelerate")


def test_lack_of_memory_is_no_matter_of_the_checkpoint() -> None:
    with pytest.raises(OutOfMemoryError), refusals("x/y", fetched=False):
        raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")


@pytest.mark.parametrize("error", [OSError("no such file"), ValueError("odd"), KeyError("model_type")])
def test_what_the_libraries_say_is_one_line_about_the_model(error: Exception) -> None:
    with (
        pytest.raises(ConfigError, match="here cannot be loaded as a model") as caught,
        refusals("here", fetched=False),
    ):
        raise error
    assert "\n" not in str(caught.value)
