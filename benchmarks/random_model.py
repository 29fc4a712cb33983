"""Checkpoints with random weights: architectures at real size, from the numbers of their configurations, and a toy.

How fast a model computes does not depend on what it knows, so nothing has to be downloaded. The tokenizer is a small
one, made of the questions that are asked; the model has as many tokens as the real one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers as tr
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

SPECIAL = ("<|im_start|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
TEMPLATE = """\
{%- for message in messages -%}
<|im_start|>{{ message.role }}
{% if message.content is string %}{{ message.content }}{% else -%}
{%- for part in message.content -%}
{%- if part.type == 'text' %}{{ part.text }}{% else %}<|vision_start|><|image_pad|><|vision_end|>{% endif -%}
{%- endfor -%}{%- endif %}<|im_end|>
{% endfor -%}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif -%}"""
CONTEXT = 32768

Numbers = dict[str, Any]


def _text(hidden: int, inner: int, layers: int, heads: int, key_heads: int, **more: Any) -> Numbers:
    shape = {"hidden_size": hidden, "intermediate_size": inner, "num_hidden_layers": layers}
    return {**shape, "num_attention_heads": heads, "num_key_value_heads": key_heads, **more}


def _tower(hidden: int, inner: int, depth: int, out: int, **more: Any) -> Numbers:
    shape = {"hidden_size": hidden, "intermediate_size": inner, "depth": depth, "num_heads": 16}
    return {**shape, "out_hidden_size": out, "initializer_range": 0.02, **more}


def _rope(theta: float, *section: int, **more: Any) -> Numbers:
    return {"rope_parameters": {"rope_type": "default", "rope_theta": theta, "mrope_section": list(section), **more}}


_OLD = {"patch_size": 14, "window_size": 112}
_NEW = {"patch_size": 16, "num_position_embeddings": 2304}
_OLD_ROPE, _NEW_ROPE = _rope(1e6, 16, 24, 24), _rope(5e6, 24, 20, 20, mrope_interleaved=True)
_EIGHTHS = {"fullatt_block_indexes": [7, 15, 23, 31]}

SIZES: dict[str, tuple[str, Numbers, Numbers]] = {
    "toy": (
        "qwen2_5_vl",
        _text(256, 768, 4, 4, 2, vocab_size=4096, tie_word_embeddings=False, **_rope(1e4, 8, 12, 12)),
        _tower(256, 1024, 12, 256, fullatt_block_indexes=[5, 11], **_OLD),
    ),
    "qwen2.5-vl-3b": (
        "qwen2_5_vl",
        _text(2048, 11008, 36, 16, 2, vocab_size=151936, tie_word_embeddings=True, **_OLD_ROPE),
        _tower(1280, 3420, 32, 2048, **_EIGHTHS, **_OLD),
    ),
    "qwen2.5-vl-7b": (
        "qwen2_5_vl",
        _text(3584, 18944, 28, 28, 4, vocab_size=152064, tie_word_embeddings=False, **_OLD_ROPE),
        _tower(1280, 3420, 32, 3584, **_EIGHTHS, **_OLD),
    ),
    "qwen3-vl-4b": (
        "qwen3_vl",
        _text(2560, 9728, 36, 32, 8, head_dim=128, vocab_size=151936, tie_word_embeddings=True, **_NEW_ROPE),
        _tower(1024, 4096, 24, 2560, deepstack_visual_indexes=[5, 11, 17], **_NEW),
    ),
    "qwen3-vl-8b": (
        "qwen3_vl",
        _text(4096, 12288, 36, 32, 8, head_dim=128, vocab_size=151936, tie_word_embeddings=False, **_NEW_ROPE),
        _tower(1152, 4304, 27, 4096, deepstack_visual_indexes=[8, 16, 24], **_NEW),
    ),
}
"""Architecture, language model and vision tower of each."""


def write_checkpoint(size: str, folder: Path, texts: Sequence[str], dtype: torch.dtype) -> None:
    """Write a checkpoint of this size into a folder. Its tokenizer takes about a token for each word of `texts`."""
    kind, text, tower = SIZES[size]
    tokenizer = _tokenizer(texts)
    names = ("vision_start_token_id", "vision_end_token_id", "image_token_id", "video_token_id")
    ids = dict(zip(names, tokenizer.convert_tokens_to_ids(list(SPECIAL[1:])), strict=True))
    text = {**text, "max_position_embeddings": CONTEXT, "pad_token_id": tokenizer.pad_token_id}
    text |= {"bos_token_id": None, "eos_token_id": tokenizer.eos_token_id}
    tied = {"tie_word_embeddings": text["tie_word_embeddings"]}
    if kind == "qwen2_5_vl":
        config = tr.Qwen2_5_VLConfig(text_config=text, vision_config=tower, **ids, **tied)
        model, processor, videos = (
            tr.Qwen2_5_VLForConditionalGeneration,
            tr.Qwen2_5_VLProcessor,
            tr.Qwen2VLVideoProcessor,
        )
    else:
        config = tr.Qwen3VLConfig(text_config=text, vision_config=tower, **ids, **tied)
        model, processor, videos = tr.Qwen3VLForConditionalGeneration, tr.Qwen3VLProcessor, tr.Qwen3VLVideoProcessor
    _write_weights(model, config, folder, dtype, tokenizer)
    images = tr.Qwen2VLImageProcessor(patch_size=tower["patch_size"])
    video = videos(patch_size=tower["patch_size"])
    processor(images, tokenizer, video, chat_template=TEMPLATE).save_pretrained(folder)


def _write_weights(kind: Any, config: Any, folder: Path, dtype: torch.dtype, tokenizer: Any) -> None:
    torch.manual_seed(0)
    with torch.device("meta"):
        model = kind(config).to(dtype)
    model.to_empty(device="cuda" if torch.cuda.is_available() else "cpu")
    model.tie_weights()
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if weights.dim() > 1:
                weights.normal_(0, 0.05)
            else:
                weights.fill_(float(name.endswith("weight")))
        # The token that ends an answer is never the likeliest, so that every answer is as long as it may be.
        model.get_output_embeddings().weight[tokenizer.eos_token_id] = 0
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.save_pretrained(folder)


def _tokenizer(texts: Sequence[str]) -> tr.PreTrainedTokenizerFast:
    words = Tokenizer(models.BPE())
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    words.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=4000, show_progress=False, initial_alphabet=alphabet)
    )
    tokenizer = tr.PreTrainedTokenizerFast(
        tokenizer_object=words,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        padding_side="left",
        model_max_length=CONTEXT,
    )
    tokenizer.add_special_tokens({"additional_special_tokens": list(SPECIAL)})
    return tokenizer
