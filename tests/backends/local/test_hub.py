from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("huggingface_hub")

import huggingface_hub

from backends.local.hub import Snapshot, snapshot_of
from tests.backends.local.conftest import COMMIT

LATER = "f" * 40


def test_what_the_hub_has_now_counts_and_is_fetched_by_its_branch(monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[tuple[str, str, str | None]] = []

    def download(name: str, file: str, revision: str | None) -> str:
        fetched.append((name, file, revision))
        return f"/cache/models--a--b/snapshots/{LATER}/{file}"

    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", lambda url, **options: None)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    assert snapshot_of("a/b", "v2", "config.json") == Snapshot(LATER)
    assert fetched == [("a/b", "config.json", "v2")]


@pytest.mark.parametrize("revision", [None, "main", COMMIT])
def test_without_the_hub_it_is_the_commit_that_was_fetched(
    cached: str, revision: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    import httpx2

    def fail(url: str, **options: Any) -> None:
        raise httpx2.ConnectError("Name or service not known\nand more")

    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", fail)
    assert snapshot_of(cached, revision, "config.json") == Snapshot(COMMIT, "Name or service not known")
    assert snapshot_of(cached, "v2", "config.json").commit is None


@pytest.mark.parametrize(("status", "away"), [(503, True), (429, True), (404, False), (403, False)])
def test_a_busy_hub_is_away_and_a_refusal_is_an_error(
    cached: str, status: int, away: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError

    reply = httpx2.Response(status, request=httpx2.Request("HEAD", "https://huggingface.co"))

    def fail(url: str, **options: Any) -> None:
        raise HfHubHTTPError(f"{status} it says", response=reply)

    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", fail)
    if away:
        assert snapshot_of(cached, None, "config.json") == Snapshot(COMMIT, f"{status} it says")
    else:
        with pytest.raises(OSError, match=str(status)):
            snapshot_of(cached, None, "config.json")
