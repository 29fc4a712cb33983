from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backends.errors import ConfigError, SixlensError
from backends.local.load import survey
from backends.local.settings import LocalSettings
from tests.backends.local.conftest import Copy
from tests.backends.local.questions import Open, ask, drawn

pytest.importorskip("transformers")

from backends.local.operators import import_torchvision

import_torchvision()

from backends.local.blueprint import Blueprint  # noqa: E402
from backends.local.checkpoint import open_checkpoint, quantization_of  # noqa: E402


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
    both = [question, ask(drawn(2), "And this?")]
    assert [one.text for one in adapted.write(both)] == [
        one.text for one in engine(folder, adapter=str(adapter), vision_once=False).write(both)
    ]
    with_it = LocalSettings(adapter=str(adapter))
    assert survey(str(folder), with_it).revision != survey(str(folder), LocalSettings()).revision
    (adapter / "adapter_model.safetensors").write_bytes(b"\x00" * 64)
    with pytest.raises(SixlensError):
        engine(folder, adapter=str(adapter))


END = "eos_token_id"


def ends(folder: Path, config: dict[str, Any], generation: dict[str, Any] | None, tokenizer: bool = True) -> set[int]:
    """The tokens that end an answer, when the files of the folder say this of it."""
    written = json.loads((folder / "config.json").read_text())
    written["text_config"].pop(END)
    for part, said in config.items():
        (written if part == "top" else written[part])[END] = said
    (folder / "config.json").write_text(json.dumps(written))
    (folder / "generation_config.json").unlink()
    if generation is not None:
        (folder / "generation_config.json").write_text(json.dumps(generation))
    if not tokenizer:
        said = json.loads((folder / "tokenizer_config.json").read_text())
        (folder / "tokenizer_config.json").write_text(json.dumps({**said, "eos_token": None}))
    return set(open_checkpoint(Blueprint(str(folder), LocalSettings())).ends)


DERIVED = {"_from_model_config": True, END: [2, 9]}


@pytest.mark.parametrize(
    ("config", "generation", "expected"),
    [
        # Of itself a Llama has 2 in its configuration, which is a word here.
        ({}, {END: [5, 7]}, {5, 7}),
        ({}, None, set()),
        ({}, DERIVED, set()),
        ({"text_config": 8}, DERIVED, {8}),
        ({"top": [1, 106]}, None, {1, 106}),
        ({"text_config": 8}, {END: 5}, {5}),
    ],
)
def test_an_answer_ends_where_the_files_say_and_not_where_a_class_was_written_to(
    copy: Copy, config: dict[str, Any], generation: dict[str, Any] | None, expected: set[int]
) -> None:
    import transformers

    folder = copy()
    own = transformers.AutoTokenizer.from_pretrained(folder).eos_token_id
    assert ends(folder, config, generation) == {own, *expected}


def test_the_configuration_is_asked_where_nothing_else_names_an_end(copy: Copy) -> None:
    assert ends(copy(), {}, {}, tokenizer=False) == {2}


def test_a_configuration_without_an_end_is_no_matter(checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    """That of Qwen3-VL knows no such setting unless it is in the file."""
    folder = shutil.copytree(checkpoint("qwen3_vl"), tmp_path / "qwen3")
    assert len(ends(folder, {}, {END: 5})) == 2
    with pytest.raises(ConfigError, match="names no token that ends an answer"):
        ends(shutil.copytree(checkpoint("qwen3_vl"), tmp_path / "other"), {}, {}, tokenizer=False)


@pytest.mark.parametrize(("wide", "number"), [(True, "bfloat16"), (False, "float16")])
def test_what_bitsandbytes_is_asked_for(wide: bool, number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: wide)
    assert quantization_of(LocalSettings()) is None
    eight, four = (quantization_of(LocalSettings(quantization=bits)).to_dict() for bits in ("int8", "int4"))
    assert (eight["load_in_8bit"], eight["load_in_4bit"]) == (True, False)
    assert (four["load_in_8bit"], four["load_in_4bit"]) == (False, True)
    assert (four["bnb_4bit_quant_type"], four["bnb_4bit_compute_dtype"]) == ("nf4", number)
    assert four["bnb_4bit_use_double_quant"]
