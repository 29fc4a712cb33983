from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backends.local.load import survey
from backends.local.settings import LocalSettings
from tests.backends.local import refused
from tests.backends.local.conftest import COMMIT, Copy
from tests.backends.local.questions import ask, drawn

pytest.importorskip("transformers")
LATER = "f" * 40


def hub_says(monkeypatch: pytest.MonkeyPatch, error: Exception) -> list[str]:
    """Has the hub answer with an error; gives the addresses that it was asked for."""
    import httpx2
    import huggingface_hub

    asked: list[str] = []

    def ask_hub(url: str, **options: Any) -> None:
        asked.append(url)
        raise error

    def refuse(*args: Any, **options: Any) -> None:
        if "sixlens-tests" in str(args):  # the library also asks for things of its own
            asked.append(str(args))
        raise httpx2.ConnectError("no network in tests")

    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", ask_hub)
    monkeypatch.setattr(httpx2.Client, "send", refuse)
    return asked


def test_a_repository_that_is_not_here_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    said = refused.at_sight("sixlens-tests/nothing-here")
    assert "not in the local cache" in said
    assert "HF_HUB_OFFLINE" in said


def test_without_a_hub_what_was_fetched_before_is_used_and_nothing_is_waited_for(
    cached: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import httpx2

    asked = hub_says(monkeypatch, httpx2.ConnectError("Name or service not known"))
    engine = survey(cached, LocalSettings(threads=1)).load()
    assert [answer.stop for answer in engine.write([ask(drawn(1), "What is it?")])]
    assert asked == ["https://huggingface.co/sixlens-tests/llava/resolve/main/config.json"]
    said = refused.at_sight("sixlens-tests/other")
    assert "the hub cannot be asked (Name or service not known)" in said.replace("Hugging Face ", "")
    assert len(asked) == 2


def test_the_commit_that_was_looked_at_is_loaded(cached: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The branch moves on between looking and loading: what is loaded is what the cache was asked about."""
    import httpx2

    hub_says(monkeypatch, httpx2.ConnectError("no network in tests"))
    repository = tmp_path / "models--sixlens-tests--llava"
    found = survey(cached, LocalSettings(threads=1))
    assert found.name == cached
    (repository / "refs" / "main").write_text(LATER)
    found.load()
    (repository / "snapshots" / COMMIT).rename(repository / "snapshots" / LATER)
    assert survey(cached, LocalSettings(threads=1)).revision != found.revision


def test_what_the_hub_refuses_is_told_at_once(cached: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import httpx2
    from huggingface_hub.errors import RepositoryNotFoundError

    reply = httpx2.Response(404, request=httpx2.Request("HEAD", "https://huggingface.co"))
    asked = hub_says(monkeypatch, RepositoryNotFoundError("404 Client Error.", response=reply))
    assert "cannot be fetched; check its name" in refused.at_sight(cached)
    assert len(asked) == 1


def test_an_adapter_beside_the_weights_is_told(copy: Copy) -> None:
    both = copy("both")
    (both / "adapter_config.json").write_text("{}")
    assert "holds an adapter too" in refused.at_sight(both)


def test_folders_have_no_revisions(copy: Copy, tmp_path: Path) -> None:
    folder = copy()
    assert "take `local.revision` out" in refused.at_sight(folder, revision="main")
    pytest.importorskip("peft")
    assert "take `local.adapter_revision` out" in refused.at_sight(
        folder, adapter=str(tmp_path), adapter_revision="main"
    )


def test_an_adapter_is_looked_for_before_the_weights_are_loaded(copy: Copy, tmp_path: Path) -> None:
    pytest.importorskip("peft")
    folder = copy()
    assert "no adapter_config.json" in refused.at_sight(folder, adapter=str(tmp_path))
    (tmp_path / "adapter_config.json").write_text("{}")
    assert "no adapter_model.safetensors" in refused.at_sight(folder, adapter=str(tmp_path))


def test_an_adapters_repository_has_a_revision_of_its_own(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("peft")
    import httpx2

    asked = hub_says(monkeypatch, httpx2.ConnectError("no network in tests"))
    said = refused.at_sight(copy(), adapter="sixlens-tests/adapter", adapter_revision="v2")
    assert "sixlens-tests/adapter" in said
    assert asked == ["https://huggingface.co/sixlens-tests/adapter/resolve/v2/adapter_config.json"]
