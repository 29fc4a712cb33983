from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from backends.errors import ConfigError
from backends.local.folder import folder_of
from tests.backends.local.model_folder import model_folder


def refused(source: Path) -> str:
    """What is said of a folder with no model in it: one line."""
    with pytest.raises(ConfigError) as caught:
        folder_of(str(source), None)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_folder_with_a_model_and_a_repository_are_told_apart(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "model")
    assert folder_of(str(folder), None) == folder
    assert folder_of("Qwen/Qwen2.5-VL-3B-Instruct", "main") is None


def test_a_folder_has_no_revision(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "model")
    with pytest.raises(ConfigError) as caught:
        folder_of(str(folder), "main")
    assert str(caught.value) == f"{folder} is a folder, and folders have no revisions; take `local.revision` out."


@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json", "tokenizer_config.json"])
@pytest.mark.parametrize("content", [b"", b'{"a": ', b"[]", b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_file_is_named(name: str, content: bytes, tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "model")
    (folder / name).write_bytes(content)
    assert refused(folder) == f"{folder}: {name} is damaged; download it again."


def test_another_kind_of_model_is_named_before_anything_that_it_lacks(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "model", model_type="bert", architectures=["BertForMaskedLM"])
    (folder / "model.safetensors").unlink()
    assert "is a BertForMaskedLM, not a model that answers about pictures" in refused(folder)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "model", model_type="bert")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert "no weights in safetensors" in refused(folder)
    (folder / "preprocessor_config.json").unlink()
    said = refused(folder)
    assert "preprocessor_config.json is missing" in said
    assert "(this is bert)" in said


def test_a_kind_that_is_no_name_is_not_repeated(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "model", architectures=["\x1b[31mLlava\nForMaskedLM"])
    (folder / "preprocessor_config.json").unlink()
    assert refused(folder).endswith("name one that answers about pictures.")


def test_looking_imports_no_torch(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "model")
    code = f"import sys\nfrom backends.local.folder import folder_of\nfolder_of({str(folder)!r}, None)\n"
    code += "print([name for name in ('torch', 'transformers', 'huggingface_hub') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
