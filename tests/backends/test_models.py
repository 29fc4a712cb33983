import math
import re
from typing import get_args

import pytest
from pydantic import ValidationError

from backends.backend import BoxFormat, Capabilities
from backends.errors import ConfigError
from backends.models import ModelFacts, ModelFile, ModelRecord, known_facts, model_records, seen_size
from backends.settings import BackendSettings, add_extra
from backends.yaml_file import build, parse_yaml


def test_the_records_that_ship_are_valid_and_say_where_they_come_from():
    records = model_records()
    assert len(records) >= 10
    for record in records:
        assert record.note
        assert all(pattern == pattern.lower() for pattern in record.models)
        assert record.facts != ModelFacts()


@pytest.mark.parametrize(
    ("provider", "model", "box_format"),
    [
        ("compatible", "Qwen/Qwen2-VL-7B-Instruct", BoxFormat.THOUSAND),
        ("compatible", "Qwen/Qwen2.5-VL-7B-Instruct-AWQ", BoxFormat.PIXELS),
        ("ollama", "qwen2.5vl:7b", BoxFormat.PIXELS),
        ("hf", "/models/Qwen2_5-VL-3B", BoxFormat.PIXELS),
        ("ollama", "qwen3-vl:8b", BoxFormat.THOUSAND),
        ("compatible", "Qwen/Qwen3-VL-30B-A3B-Instruct", BoxFormat.THOUSAND),
        ("hf", "OpenGVLab/InternVL3-8B-hf", BoxFormat.THOUSAND),
        ("compatible", "Qwen/Qwen3.5-9B", BoxFormat.THOUSAND),
        ("compatible", "Qwen/Qwen-VL-Chat", BoxFormat.THOUSAND),
        ("compatible", "zai-org/GLM-4.1V-9B-Thinking", BoxFormat.THOUSAND),
        ("compatible", "zai-org/GLM-4.5V-FP8", BoxFormat.THOUSAND),
        ("compatible", "openbmb/MiniCPM-V-4_5", BoxFormat.THOUSAND),
        ("ollama", "minicpm-v:8b", BoxFormat.THOUSAND),
        ("compatible", "deepseek-ai/deepseek-vl2-small", BoxFormat.THOUSAND),
        ("compatible", "google/gemini-3-pro", BoxFormat.THOUSAND_Y_FIRST),
        ("anthropic", "claude-opus-5", BoxFormat.PIXELS),
        ("anthropic", "claude-sonnet-4-5-20250929", BoxFormat.PIXELS),
        ("compatible", "anthropic/claude-sonnet-4.5", BoxFormat.PIXELS),
        ("anthropic", "claude-3-haiku-20240307", None),
        ("openai", "gpt-4o", None),
        ("openai", "gpt-5-mini", None),
        ("compatible", "qwen-vl-max", None),
        ("compatible", "THUDM/glm-4v-9b", None),
        ("compatible", "openbmb/MiniCPM-V-2", None),
        ("compatible", "moonshotai/Kimi-VL-A3B-Instruct", None),
        ("compatible", "mistralai/Pixtral-12B-2409", None),
        ("compatible", "allenai/Molmo-7B-D-0924", None),
        ("ollama", "llava:13b", None),
        ("ollama", "gemma3:12b", None),
        ("ollama", "llama3.2-vision", None),
        ("compatible", "Qwen/Qwen2.5-7B-Instruct", None),
    ],
)
def test_the_box_format_goes_with_the_family_whoever_serves_it(provider, model, box_format):
    assert known_facts(provider, model).box_format == box_format


@pytest.mark.parametrize(
    ("size", "seen"),
    [((1024, 1024), True), ((1568, 700), True), ((1569, 100), False), ((1120, 1120), False), ((700, 1568), True)],
)
def test_claude_sees_the_delivered_picture_unless_it_may_be_shrunk(size, seen):
    capabilities = known_facts("anthropic", "claude-sonnet-4-5").capabilities("a host", hosted=True)
    assert seen_size(capabilities, *size) == (size if seen else None)


def test_no_picture_within_the_limits_for_claude_has_more_patches_than_it_takes():
    facts = known_facts("anthropic", "claude-opus-4-1")
    side, most = facts.image_max_side, facts.image_max_pixels
    assert side is not None
    assert most is not None
    patches = (math.ceil(width / 28) * math.ceil(min(side, most // width) / 28) for width in range(1, side + 1))
    assert max(patches) <= 1568


def test_facts_of_hosted_models():
    assert known_facts("openai", "gpt-4o").logprobs is True
    assert known_facts("openai", "gpt-5-mini").refuses == ("temperature", "top_p")
    assert known_facts("openai", "gpt-5.2").refuses is None
    assert known_facts("openai", "gpt-5.2").json_schema is True
    assert known_facts("openai", "gpt-4-turbo").json_schema is False
    assert known_facts("anthropic", "claude-haiku-4-5-20251001").prefill is True
    assert known_facts("anthropic", "claude-opus-4-6").prefill is False
    assert "temperature" in (known_facts("anthropic", "claude-opus-4-7").refuses or ())
    assert known_facts("anthropic", "claude-sonnet-4-5").refuses == ("seed",)
    assert known_facts("compatible", "gpt-4o") == ModelFacts(max_tokens_field="max_tokens")


def test_what_the_user_says_goes_over_the_record_field_by_field():
    own = ModelFacts(logprobs=False, box_format=BoxFormat.UNIT)
    facts = own.over(known_facts("openai", "gpt-4o"))
    assert (facts.logprobs, facts.box_format, facts.json_schema) == (False, BoxFormat.UNIT, True)


def test_unknown_stays_unknown_for_callers():
    capabilities = ModelFacts().capabilities("example.org", hosted=True)
    assert capabilities == Capabilities(destination="example.org", hosted=True)
    assert (capabilities.json_schema, capabilities.logprobs, capabilities.context_tokens) == (None, None, None)
    assert capabilities.images is True


def test_a_later_record_wins_field_by_field():
    text = """
    records:
      - models: ["a*"]
        facts: {images: true, context_tokens: 10}
        note: first
      - provider: x
        models: ["ab*"]
        facts: {context_tokens: 20}
        note: second
    """
    first, second = build(ModelFile, parse_yaml(text, "t"), "t").records
    assert second.facts.over(first.facts) == ModelFacts(images=True, context_tokens=20)
    assert second.matches("x", "Org/ABc")
    assert not second.matches("y", "abc")


def test_a_typing_error_in_overrides_is_one_line_with_a_suggestion():
    with pytest.raises(ConfigError, match="Did you mean 'logprobs'"):
        build(BackendSettings, {"capabilities": {"logprob": True}}, "backends.x")


@pytest.mark.parametrize("wrong", [{"context_tokens": 0}, {"box_format": "inches"}, {"refuses": ["images"]}])
def test_impossible_facts_are_refused(wrong):
    with pytest.raises(ConfigError):
        build(ModelRecord, {"models": ["*"], "facts": wrong, "note": "n"}, "t")


@pytest.mark.parametrize(
    ("rules", "size", "seen"),
    [
        ({}, (1000, 600), (1000, 600)),
        ({"image_multiple": 28}, (1000, 600), (1008, 588)),
        ({"image_multiple": 28}, (10, 600), (28, 588)),
        ({"image_multiple": 28, "image_max_pixels": 1003520}, (1000, 600), (1008, 588)),
        ({"image_multiple": 28, "image_max_pixels": 1003520}, (1200, 900), None),
        ({"image_multiple": 28, "image_min_pixels": 3136}, (1000, 600), (1008, 588)),
        ({"image_multiple": 28, "image_min_pixels": 200704}, (300, 300), (448, 448)),
        ({"image_multiple": 28, "image_min_pixels": 3136}, (10, 600), (28, 448)),
        ({"image_min_pixels": 3136}, (40, 40), None),
        ({"image_max_side": 1568}, (1568, 100), (1568, 100)),
        ({"image_max_side": 1568}, (1569, 100), None),
    ],
)
def test_the_size_that_the_model_sees(rules, size, seen):
    assert seen_size(Capabilities(**rules), *size) == seen


@pytest.mark.parametrize("number", [float("inf"), float("nan")])
def test_extra_fields_hold_no_number_that_cannot_be_sent(number):
    with pytest.raises(ValidationError, match="finite"):
        BackendSettings(extra={"options": [{"top_k": number}]})


def test_extra_fields_are_added_deeply_and_replace_nothing():
    body = {"model": "m", "output_config": {"format": 1}}
    merged = add_extra(body, {"reasoning_effort": "none", "output_config": {"effort": "low"}})
    assert merged == {"model": "m", "reasoning_effort": "none", "output_config": {"format": 1, "effort": "low"}}
    assert body == {"model": "m", "output_config": {"format": 1}}
    with pytest.raises(ConfigError, match=r"extra\.model"):
        add_extra(body, {"model": "other"})
    with pytest.raises(ConfigError, match=r"extra\.format"):
        add_extra(body, {"output_config": {"format": 2}})


def named(*aliases: object) -> list[str]:
    """The names in a type of an SDK."""
    return [name for alias in aliases for name in get_args(alias) if isinstance(name, str)]


def test_every_model_that_the_openai_sdk_names_is_in_the_records():
    from openai.types.shared_params.chat_model import ChatModel

    text_or_sound = re.compile(r"audio|search|codex|gpt-4-turbo|gpt-4-vision|gpt-4-1106")
    for name in named(ChatModel):
        facts = known_facts("openai", name)
        assert facts.images is not None or text_or_sound.search(name), name
        assert facts.thinking_tokens is not None or re.match("gpt-[34]|chatgpt|gpt-audio|codex", name), name


def test_every_model_that_the_anthropic_sdk_names_is_in_the_records():
    from anthropic.types.model_param import ModelParam

    for name in named(*get_args(ModelParam)):
        facts = known_facts("anthropic", name)
        assert facts.images
        assert facts.context_tokens
        assert facts.json_schema, name
        fourth = re.search(r"-4-\d", name) is not None
        assert facts.thinking_tokens is not None or fourth, name
        assert "temperature" in (facts.refuses or ()) or fourth, name


@pytest.mark.parametrize("variable", ["OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "SIXLENS_TOKEN", "sixlens_a_key"])
def test_a_file_cannot_send_another_secret_away(variable):
    with pytest.raises(ConfigError, match="key_variable"):
        build(BackendSettings, {"key_variable": variable}, "theirs.yaml")
