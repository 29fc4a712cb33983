from __future__ import annotations

from pathlib import Path

import pytest

from backends.errors import SixlensError
from backends.local.load import survey
from backends.local.settings import LocalSettings
from tests.backends.local.conftest import Copy
from tests.backends.local.questions import Open, ask, drawn

pytest.importorskip("transformers")


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
