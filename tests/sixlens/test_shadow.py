from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import fusion
from sixlens.shadow import OURS, refuse_shadows


def test_our_own_packages_are_accepted() -> None:
    refuse_shadows({"fusion": fusion})


def test_a_loaded_stranger_is_named(tmp_path: Path) -> None:
    stranger = ModuleType("backends")
    stranger.__file__ = str(tmp_path / "backends.py")
    with pytest.raises(ImportError, match=r"own package 'backends'.*finds .*backends\.py first\. Rename"):
        refuse_shadows({"backends": stranger})


@pytest.mark.parametrize("name", OURS)
def test_a_module_of_that_name_in_the_working_folder_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / f"{name}.py").write_text("raise SystemExit('it was imported')\n")
    run = subprocess.run(
        [sys.executable, "-c", "import sixlens"], check=False, capture_output=True, text=True, cwd=tmp_path
    )
    assert run.returncode == 1
    assert f"ImportError: sixlens needs its own package {name!r}" in run.stderr
    assert str(tmp_path / f"{name}.py") in run.stderr


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sixlens.shadow.OURS", ("no_such_package_anywhere",))
    with pytest.raises(ImportError, match="lacks its package 'no_such_package_anywhere'; install it again"):
        refuse_shadows({})
