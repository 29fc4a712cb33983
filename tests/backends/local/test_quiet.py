from __future__ import annotations

import pytest

pytest.importorskip("huggingface_hub")

from huggingface_hub.utils import are_progress_bars_disabled, enable_progress_bars

from backends.local.quiet import fetching_shown, no_chatter


@pytest.fixture(autouse=True)
def unchosen(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("HF_HUB_DISABLE_PROGRESS_BARS", raising=False)
    yield
    enable_progress_bars()


def test_small_files_are_fetched_without_a_bar_and_weights_with_one() -> None:
    pytest.importorskip("transformers")
    no_chatter()
    assert are_progress_bars_disabled()
    with fetching_shown():
        assert not are_progress_bars_disabled()
    assert are_progress_bars_disabled()


def test_who_wants_to_see_everything_still_does_afterwards() -> None:
    with fetching_shown():
        assert not are_progress_bars_disabled()
    assert not are_progress_bars_disabled()


def test_the_users_choice_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub.utils import disable_progress_bars

    disable_progress_bars()
    monkeypatch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    with fetching_shown():
        assert are_progress_bars_disabled()
