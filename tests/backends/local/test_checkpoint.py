from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backends.errors import ConfigError, MissingExtraError, SixlensError
from backends.local.load import load_engine
from backends.local.settings import LocalSettings
from tests.backends.local.questions import Open, ask, drawn

pytest.importorskip("transformers")
Copy = Callable[..., Path]


@pytest.fixture
def copy(checkpoint: Callable[[str], Path], tmp_path: Path) -> Copy:
    """A copy of the tiny LLaVA that a test may damage."""

    def made(name: str = "copy") -> Path:
        return shutil.copytree(checkpoint("llava"), tmp_path / name)

    return made


def refused(source: str | Path, **settings: Any) -> str:
    """What is said when it cannot be loaded: one line."""
    with pytest.raises(ConfigError) as caught:
        load_engine(str(source), LocalSettings(**settings))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_wrong_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert "There is no folder" in refused(tmp_path / "missing")
    assert "There is no folder ./missing" in refused("./missing")
    assert "no config.json" in refused(tmp_path)
    assert "is a file" in refused(tmp_path / "file")


def test_a_repository_that_is_not_here_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    said = refused("sixlens-tests/nothing-here")
    assert "not in the local cache" in said
    assert "HF_HUB_OFFLINE" in said


@pytest.fixture
def cached(checkpoint: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a repository that was fetched before."""
    from huggingface_hub import constants

    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = tmp_path / "models--sixlens-tests--llava"
    shutil.copytree(checkpoint("llava"), repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    return "sixlens-tests/llava"


def hub_says(monkeypatch: pytest.MonkeyPatch, error: Exception) -> list[str]:
    """Has the hub answer with an error; gives the addresses that it was asked for."""
    import httpx2
    import huggingface_hub

    asked: list[str] = []

    def ask(url: str, **options: Any) -> None:
        asked.append(url)
        raise error

    def refuse(*args: Any, **options: Any) -> None:
        asked.append(str(args))
        raise httpx2.ConnectError("no network in tests")

    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", ask)
    monkeypatch.setattr(httpx2.Client, "send", refuse)
    return asked


def test_without_a_hub_what_was_fetched_before_is_used_and_nothing_is_waited_for(
    cached: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import httpx2

    asked = hub_says(monkeypatch, httpx2.ConnectError("Name or service not known"))
    engine = load_engine(cached, LocalSettings(threads=1))
    assert engine.name == cached
    assert [answer.stop for answer in engine.write([ask(drawn(1), "What is it?")])]
    assert asked == ["https://huggingface.co/sixlens-tests/llava/resolve/main/config.json"]
    said = refused("sixlens-tests/other")
    assert "the hub cannot be asked (Name or service not known)" in said.replace("Hugging Face ", "")
    assert len(asked) == 2


def test_what_the_hub_refuses_is_told_at_once(cached: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import httpx2
    from huggingface_hub.errors import RepositoryNotFoundError

    reply = httpx2.Response(404, request=httpx2.Request("HEAD", "https://huggingface.co"))
    asked = hub_says(monkeypatch, RepositoryNotFoundError("404 Client Error.", response=reply))
    assert "cannot be fetched; check its name" in refused(cached)
    assert len(asked) == 1


def test_an_adapter_beside_the_weights_is_told(copy: Copy) -> None:
    both = copy("both")
    (both / "adapter_config.json").write_text("{}")
    assert "holds an adapter too" in refused(both)


def test_a_device_that_is_not_here_is_told(checkpoint: Callable[[str], Path]) -> None:
    import torch

    if torch.cuda.is_available() or torch.backends.mps.is_available():
        pytest.skip("there is an accelerator here")
    folder = checkpoint("llava")
    assert "no CUDA here" in refused(folder, device="cuda:1")
    assert "no MPS here" in refused(folder, device="mps")
    assert "needs CUDA" in refused(folder, quantization="int4")
    assert "leave device at auto" in refused(folder, device="cpu", device_map="auto")
    assert "flash-attn" in refused(folder, attention="flash_attention_2")


def test_what_is_no_model_for_pictures_is_told(copy: Copy) -> None:
    words = copy("words")
    config = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": 8}
    (words / "config.json").write_text(json.dumps(config))
    assert "answers about pictures" in refused(words)
    unknown = copy("unknown")
    (unknown / "config.json").write_text(json.dumps({"model_type": "no_such_family"}))
    assert "cannot be loaded" in refused(unknown)
    foreign = copy("foreign")
    told = {"model_type": "odd", "auto_map": {"AutoConfig": "odd.OddConfig"}}
    (foreign / "config.json").write_text(json.dumps(told))
    (foreign / "odd.py").write_text("raise SystemExit('code of the checkpoint ran')")
    assert "code of its own" in refused(foreign)


def test_a_missing_processor_or_template_is_told(copy: Copy) -> None:
    bare = copy("bare")
    (bare / "processor_config.json").unlink()
    assert "preprocessor_config.json is missing" in refused(bare)
    wordless = copy("wordless")
    for file in wordless.glob("tokenizer*"):
        file.unlink()
    assert refused(wordless) == f"Files of the tokenizer of {wordless} are missing or damaged; download it again."
    sightless = copy("sightless")
    (sightless / "processor_config.json").write_text("{}")
    assert refused(sightless).startswith("Files of the ")
    base = copy("base")
    for file in base.glob("chat_template*"):
        file.unlink()
    assert "no chat template" in refused(base)


def test_damaged_weights_are_told(copy: Copy) -> None:
    from safetensors.torch import load_file, save_file

    damaged = copy("damaged")
    (damaged / "model.safetensors").write_bytes(b"\x00" * 100)
    assert "damaged" in refused(damaged)
    lacking = copy("lacking")
    weights = load_file(lacking / "model.safetensors")
    weights.pop(sorted(weights)[0])
    save_file(weights, lacking / "model.safetensors", metadata={"format": "pt"})
    assert "lacks weights" in refused(lacking)
    other = copy("other")
    config = json.loads((other / "config.json").read_text())
    config["text_config"]["intermediate_size"] = 32
    (other / "config.json").write_text(json.dumps(config))
    assert "cannot be loaded" in refused(other)


def test_missing_packages_are_told(checkpoint: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    from backends.local import checkpoint as module
    from backends.local import load

    folder = checkpoint("llava")

    def lacks(error: ImportError) -> Callable[..., Any]:
        def fail(*args: Any, **more: Any) -> Any:
            raise error

        return fail

    with monkeypatch.context() as patch:
        patch.setattr(module, "find_spec", lambda name: None)
        patch.setattr(module, "_processor", lacks(ImportError("SmolVLM needs `num2words`, install it")))
        assert "pip install num2words" in refused(folder)
        patch.setattr(
            module, "_processor", lacks(ImportError("Qwen2VLVideoProcessor requires the Torchvision library"))
        )
        assert "pip install torchvision" in refused(folder)
    with monkeypatch.context() as patch:
        patch.setattr(load, "find_spec", lambda name: None)
        with pytest.raises(MissingExtraError, match=r"pip install -c constraints.txt -e '.\[local\]'"):
            load_engine(str(folder), LocalSettings())


def test_the_revision_tells_what_is_computed(copy: Copy, engine: Open) -> None:
    from safetensors.torch import load_file, save_file

    first = engine(copy("first"))
    assert first.revision == engine(copy("same")).revision
    assert first.name == "first"
    assert first.revision != engine(copy("half"), dtype="bfloat16").revision
    assert first.revision != engine(copy("eager"), attention="eager").revision
    assert first.revision == engine(copy("plain"), vision_once=False, max_batch=2).revision
    trained = copy("trained")
    weights = load_file(trained / "model.safetensors")
    weights[sorted(weights)[3]].add_(0.001)
    save_file(weights, trained / "model.safetensors", metadata={"format": "pt"})
    assert first.revision != engine(trained).revision


def test_bfloat16_answers_too(engine: Open) -> None:
    for ways in ({}, {"prefix_once": False}, {"vision_once": False}):
        half = engine("llava", dtype="bfloat16", **ways)
        [answer] = half.write([ask(drawn(1), "What?")])
        assert answer.usage.output_tokens == 8


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`")
def test_an_adapter_changes_the_answers(copy: Copy, engine: Open, tmp_path: Path) -> None:
    peft = pytest.importorskip("peft")
    import torch
    import transformers

    folder = copy()
    model = transformers.AutoModelForImageTextToText.from_pretrained(folder)
    tuned = peft.get_peft_model(model, peft.LoraConfig(r=4, target_modules=["q_proj", "v_proj"]))
    with torch.no_grad():
        for name, weights in tuned.named_parameters():
            if "lora_B" in name:
                weights.normal_(0, 1.0)
    adapter = tmp_path / "adapter"
    tuned.save_pretrained(adapter)
    question = ask(drawn(1), "What?", logprobs=True)
    plain, adapted = engine(folder), engine(folder, adapter=str(adapter))
    assert plain.write([question])[0].logprobs != adapted.write([question])[0].logprobs
    assert plain.revision != adapted.revision
    both = [question, ask(drawn(2), "And this?")]
    assert [one.text for one in adapted.write(both)] == [
        one.text for one in engine(folder, adapter=str(adapter), vision_once=False).write(both)
    ]
    (adapter / "adapter_model.safetensors").rename(adapter / "adapter_model.bin")
    assert "no adapter_model.safetensors" in refused(folder, adapter=str(adapter))
    assert "no adapter_config.json" in refused(folder, adapter=str(tmp_path))
    (adapter / "adapter_model.safetensors").write_bytes(b"\x00" * 64)
    with pytest.raises(SixlensError):
        engine(folder, adapter=str(adapter))


def test_operators_are_declared_once() -> None:
    from backends.local.operators import import_torchvision

    assert import_torchvision() is import_torchvision()
    if import_torchvision() is not None:
        assert "torchvision" in sys.modules
