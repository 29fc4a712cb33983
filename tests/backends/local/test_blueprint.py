from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backends.local.load import survey
from backends.local.settings import LocalSettings
from tests.backends.local import refused
from tests.backends.local.conftest import Copy

pytest.importorskip("transformers")


def revision(source: Path, **settings: Any) -> str:
    return survey(str(source), LocalSettings(**settings)).revision


def test_a_wrong_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert "There is no folder" in refused.at_sight(tmp_path / "missing")
    assert "There is no folder ./missing" in refused.at_sight("./missing")
    assert "no config.json" in refused.at_sight(tmp_path)
    assert "is a file" in refused.at_sight(tmp_path / "file")


def test_a_device_that_is_not_here_is_told(copy: Copy) -> None:
    import torch

    if torch.cuda.is_available() or torch.backends.mps.is_available():
        pytest.skip("there is an accelerator here")
    folder = copy()
    assert "no CUDA here" in refused.at_sight(folder, device="cuda:1")
    assert "no MPS here" in refused.at_sight(folder, device="mps")
    assert "needs CUDA" in refused.at_sight(folder, quantization="int4")
    assert "leave device at auto" in refused.at_sight(folder, device="cpu", device_map="auto")
    assert "flash-attn" in refused.at_sight(folder, attention="flash_attention_2")


def test_what_is_no_model_for_pictures_is_told(copy: Copy) -> None:
    words = copy("words")
    config = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": 8}
    (words / "config.json").write_text(json.dumps(config))
    assert "answers about pictures" in refused.at_sight(words)
    unknown = copy("unknown")
    (unknown / "config.json").write_text(json.dumps({"model_type": "no_such_family"}))
    assert "cannot be loaded" in refused.at_sight(unknown)
    foreign = copy("foreign")
    told = {"model_type": "odd", "auto_map": {"AutoConfig": "odd.OddConfig"}}
    (foreign / "config.json").write_text(json.dumps(told))
    (foreign / "odd.py").write_text("raise SystemExit('code of the checkpoint ran')")
    assert "code of its own" in refused.at_sight(foreign)


def test_a_missing_processor_or_template_is_told(copy: Copy) -> None:
    bare = copy("bare")
    (bare / "processor_config.json").unlink()
    assert "preprocessor_config.json is missing" in refused.at_sight(bare)
    wordless = copy("wordless")
    for file in wordless.glob("tokenizer*"):
        file.unlink()
    said = f"Files of the tokenizer of {wordless} are missing or damaged; download it again."
    assert refused.at_sight(wordless) == said
    sightless = copy("sightless")
    (sightless / "processor_config.json").write_text("{}")
    assert refused.at_sight(sightless).startswith("Files of the ")
    base = copy("base")
    for file in base.glob("chat_template*"):
        file.unlink()
    assert "no chat template" in refused.at_sight(base)


def test_weights_that_were_cut_off_or_are_not_all_here_are_told_before_any_is_read(copy: Copy) -> None:
    from safetensors.torch import load_file, save_file

    damaged = copy("damaged")
    (damaged / "model.safetensors").write_bytes(b"\x00" * 100)
    assert "damaged" in refused.at_sight(damaged)
    short = copy("short")
    file = short / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1000])
    assert "damaged" in refused.at_sight(short)
    parted = copy("parted")
    (parted / "model.safetensors").rename(parted / "model-00001-of-00002.safetensors")
    places = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (parted / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
    assert "model-00002-of-00002.safetensors" in refused.at_sight(parted)
    lacking = copy("lacking")
    weights = load_file(lacking / "model.safetensors")
    weights.pop(sorted(weights)[0])
    save_file(weights, lacking / "model.safetensors", metadata={"format": "pt"})
    assert refused.at_sight(lacking) == f"{lacking} lacks weights (lm_head.weight); download it again."
    other = copy("other")
    config = json.loads((other / "config.json").read_text())
    config["text_config"]["intermediate_size"] = 32
    (other / "config.json").write_text(json.dumps(config))
    assert "cannot be loaded" in refused.at_sight(other)


def test_the_revision_tells_what_is_computed(copy: Copy) -> None:
    from safetensors.torch import load_file, save_file

    first = revision(copy("first"))
    assert first == revision(copy("same"))
    assert first != revision(copy("half"), dtype="bfloat16")
    assert first != revision(copy("eager"), attention="eager")
    assert first == revision(copy("plain"), vision_once=False, max_batch=2)
    assert first == revision(copy("said"), dtype="float32", device="cpu", attention="sdpa")
    trained = copy("trained")
    weights = load_file(trained / "model.safetensors")
    weights[sorted(weights)[3]].add_(0.001)
    save_file(weights, trained / "model.safetensors", metadata={"format": "pt"})
    assert first != revision(trained)


def test_another_version_of_what_computes_is_another_revision(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    from backends.local import blueprint

    folder = copy()
    before = revision(folder)
    read = blueprint.version
    monkeypatch.setattr(blueprint, "version", lambda name: "9.9" if name == "torch" else read(name))
    assert revision(folder) != before


def test_looking_loads_no_weights_and_knows_what_the_loaded_model_can_do(
    copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    import transformers

    folder = copy()
    load = transformers.AutoModelForImageTextToText.from_pretrained
    loads: list[Any] = []

    def counted(place: str, **options: Any) -> Any:
        loads.append(options["device_map"])
        return load(place, **options)

    monkeypatch.setattr(transformers.AutoModelForImageTextToText, "from_pretrained", counted)
    found = survey(str(folder), LocalSettings(threads=1))
    able = found.capabilities
    assert loads == [{"": "meta"}]
    assert (found.name, able.json_schema, able.logprobs, able.prefill) == ("copy", True, True, True)
    assert (able.context_tokens, able.prefix_cache, able.box_format) == (32768, True, None)
    assert found.load().capabilities == able
    assert loads == [{"": "meta"}, None]
