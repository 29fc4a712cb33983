"""Eight families of models, each as small as its architecture allows. Weights are random, and the same every time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from backends.local.operators import import_torchvision

TORCHVISION = import_torchvision()

import torch  # noqa: E402
import transformers as tr  # noqa: E402

from tests.checkpoints.vocabulary import CHAT, CONTEXT, SPOKEN, make_tokenizer  # noqa: E402

GAIN = 3.0
"""Weights are drawn this much larger than usual: with the usual ones an untrained model hardly depends on its input."""
HIDDEN = 48
SIDE = 112
"""Pixels of the sides of a picture, or of a tile of it, as the models see it."""
QWEN = ("<|im_start|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")

Words = Sequence[str]
Made = tuple[Any, Any]
"""A model and its processor."""


def _text(tokenizer: Any, **changes: Any) -> dict[str, Any]:
    """The configuration of a language model of two layers."""
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": HIDDEN,
        "intermediate_size": 2 * HIDDEN,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": CONTEXT,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        **changes,
    }


def _vision(**changes: Any) -> dict[str, Any]:
    """The configuration of a vision tower of two layers."""
    shape = {"hidden_size": HIDDEN, "intermediate_size": 2 * HIDDEN, "num_hidden_layers": 2, "num_attention_heads": 2}
    return {**shape, **changes}


def _siglip(side: int) -> dict[str, Any]:
    return _vision(model_type="siglip_vision_model", image_size=side, patch_size=14, vision_use_head=False)


def _qwen_vision(**changes: Any) -> dict[str, Any]:
    shape = {"depth": 2, "hidden_size": HIDDEN, "intermediate_size": 2 * HIDDEN, "num_heads": 2}
    return {**shape, "out_hidden_size": HIDDEN, **changes}


def _qwen_tokens(tokenizer: Any) -> dict[str, int]:
    names = ("vision_start_token_id", "vision_end_token_id", "image_token_id", "video_token_id")
    return dict(zip(names, tokenizer.convert_tokens_to_ids(list(QWEN[1:])), strict=True))


def qwen2_5_vl(texts: Words) -> Made:
    """Qwen2.5-VL: pictures keep their shape, patches of 28 pixels."""
    tokenizer = make_tokenizer(texts, QWEN)
    rope = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 2, 2]}
    config = tr.Qwen2_5_VLConfig(
        text_config=_text(tokenizer, rope_parameters=rope),
        vision_config=_qwen_vision(patch_size=14, window_size=56, fullatt_block_indexes=[1]),
        **_qwen_tokens(tokenizer),
    )
    size = {"shortest_edge": 56 * 56, "longest_edge": 28 * 28 * 20}
    processor = tr.Qwen2_5_VLProcessor(
        tr.Qwen2VLImageProcessor(size=size),
        tokenizer,
        tr.Qwen2VLVideoProcessor(size=size),
        chat_template=CHAT.replace("PICTURE", "<|vision_start|><|image_pad|><|vision_end|>"),
    )
    return tr.Qwen2_5_VLForConditionalGeneration(config), processor


def qwen3_vl(texts: Words) -> Made:
    """Qwen3-VL: patches of 32 pixels, and features that also enter deeper layers."""
    tokenizer = make_tokenizer(texts, QWEN)
    rope = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 2, 2], "mrope_interleaved": True}
    config = tr.Qwen3VLConfig(
        text_config=_text(tokenizer, head_dim=HIDDEN // 4, rope_parameters=rope),
        vision_config=_qwen_vision(patch_size=16, num_position_embeddings=64, deepstack_visual_indexes=[0]),
        **_qwen_tokens(tokenizer),
    )
    size = {"shortest_edge": 64 * 64, "longest_edge": 32 * 32 * 20}
    half = [0.5, 0.5, 0.5]
    processor = tr.Qwen3VLProcessor(
        tr.Qwen2VLImageProcessor(size=size, patch_size=16, image_mean=half, image_std=half),
        tokenizer,
        tr.Qwen3VLVideoProcessor(size=size, patch_size=16),
        chat_template=CHAT.replace("PICTURE", "<|vision_start|><|image_pad|><|vision_end|>"),
    )
    return tr.Qwen3VLForConditionalGeneration(config), processor


def llava_onevision(texts: Words) -> Made:
    """LLaVA-OneVision: the whole picture and tiles of it."""
    tokenizer = make_tokenizer(texts, ("<|im_start|>", "<image>", "<video>"))
    image, video = tokenizer.convert_tokens_to_ids(["<image>", "<video>"])
    square = {"height": SIDE // 2, "width": SIDE // 2}
    grids = [[SIDE // 2, SIDE], [SIDE, SIDE // 2], [SIDE, SIDE]]
    selection = {"vision_feature_select_strategy": "full"}
    config = tr.LlavaOnevisionConfig(
        text_config=_text(tokenizer, model_type="qwen2"),
        vision_config=_siglip(SIDE // 2),
        image_token_index=image,
        video_token_index=video,
        image_grid_pinpoints=grids,
        vision_feature_layer=-1,
        **selection,
    )
    processor = tr.LlavaOnevisionProcessor(
        tr.LlavaOnevisionImageProcessor(size=square, image_grid_pinpoints=grids),
        tokenizer,
        tr.LlavaOnevisionVideoProcessor(size=square),
        num_image_tokens=16,
        chat_template=CHAT.replace("PICTURE", "<image>\n"),
        **selection,
    )
    return tr.LlavaOnevisionForConditionalGeneration(config), processor


def llava(texts: Words) -> Made:
    """LLaVA: one square picture."""
    tokenizer = make_tokenizer(texts, ("<|im_start|>", "<image>"))
    tower = _vision(model_type="clip_vision_model", image_size=SIDE, patch_size=14, projection_dim=HIDDEN)
    config = tr.LlavaConfig(
        text_config=_text(tokenizer, model_type="llama"),
        vision_config=tower,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        image_seq_length=64,
    )
    processor = tr.LlavaProcessor(
        tr.CLIPImageProcessor(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}),
        tokenizer,
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=CHAT.replace("PICTURE", "<image>\n"),
    )
    return tr.LlavaForConditionalGeneration(config), processor


def internvl(texts: Words) -> Made:
    """InternVL in the form of transformers: tiles, and four patches of the tower for a token."""
    named = {
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    }
    tokenizer = make_tokenizer(texts, ("<|im_start|>",), named)
    square = {"height": SIDE, "width": SIDE}
    config = tr.InternVLConfig(
        text_config=_text(tokenizer, model_type="qwen2"),
        vision_config=_vision(image_size=[SIDE, SIDE], patch_size=[14, 14]),
        image_token_id=tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=16,
        downsample_ratio=0.5,
    )
    processor = tr.InternVLProcessor(
        tr.GotOcr2ImageProcessor(size=square, max_patches=2),
        tokenizer,
        tr.InternVLVideoProcessor(size=square),
        image_seq_length=16,
        chat_template=CHAT.replace("PICTURE", "<IMG_CONTEXT>\n"),
    )
    return tr.InternVLForConditionalGeneration(config), processor


def _idefics(texts: Words, config: type, model: type) -> Made:
    """A model of the Idefics3 kind, and its tokenizer."""
    rows = [f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)]
    special = ("<|im_start|>", "<fake_token_around_image>", "<image>", "<global-img>", *rows)
    tokenizer = make_tokenizer(texts, special, end="<end_of_utterance>")
    made = config(
        text_config=_text(tokenizer, model_type="llama"),
        vision_config=_vision(image_size=48, patch_size=8),
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        pad_token_id=tokenizer.pad_token_id,
        scale_factor=2,
    )
    return model(made), tokenizer


IDEFICS = {"size": {"longest_edge": 96}, "max_image_size": {"longest_edge": 48}}
"""Pictures of at most 96 pixels, in tiles of 48; each tile has (48 / 8)² / 2² = 9 tokens."""


def idefics3(texts: Words) -> Made:
    """Idefics3: tiles, and the whole picture."""
    model, tokenizer = _idefics(texts, tr.Idefics3Config, tr.Idefics3ForConditionalGeneration)
    template = SPOKEN.replace("PICTURE", "<image>")
    images = tr.Idefics3ImageProcessor(**IDEFICS)
    return model, tr.Idefics3Processor(images, tokenizer, image_seq_len=9, chat_template=template)


def smolvlm(texts: Words) -> Made:
    """SmolVLM: as Idefics3, and takes videos."""
    model, tokenizer = _idefics(texts, tr.SmolVLMConfig, tr.SmolVLMForConditionalGeneration)
    template = SPOKEN.replace("PICTURE", "<image>")
    images, videos = tr.SmolVLMImageProcessor(**IDEFICS), tr.SmolVLMVideoProcessor(**IDEFICS)
    return model, tr.SmolVLMProcessor(images, tokenizer, videos, image_seq_len=9, chat_template=template)


def gemma3(texts: Words) -> Made:
    """Gemma 3: one square picture, and layers that look at a window of the text alone."""
    named = {"image_token": "<image_soft_token>", "boi_token": "<start_of_image>", "eoi_token": "<end_of_image>"}
    tokenizer = make_tokenizer(texts, ("<|im_start|>",), named)
    config = tr.Gemma3Config(
        text_config=_text(tokenizer, head_dim=HIDDEN // 4, sliding_window=64, query_pre_attn_scalar=HIDDEN // 4),
        vision_config=_siglip(SIDE),
        mm_tokens_per_image=16,
        boi_token_index=tokenizer.boi_token_id,
        eoi_token_index=tokenizer.eoi_token_id,
        image_token_index=tokenizer.image_token_id,
    )
    processor = tr.Gemma3Processor(
        tr.Gemma3ImageProcessor(size={"height": SIDE, "width": SIDE}),
        tokenizer,
        image_seq_length=16,
        chat_template=CHAT.replace("PICTURE", "<start_of_image>"),
    )
    return tr.Gemma3ForConditionalGeneration(config), processor


FAMILIES: dict[str, Callable[[Words], Made]] = {
    maker.__name__: maker
    for maker in (qwen2_5_vl, qwen3_vl, llava_onevision, llava, internvl, smolvlm, idefics3, gemma3)
}


def build(family: str, folder: Path, texts: Words = ()) -> Path:
    """Write a checkpoint of this family into a new folder, and return the folder.

    Its tokenizer spells texts like `texts` briefly.
    """
    with torch.random.fork_rng():
        torch.manual_seed(len(family))
        model, processor = FAMILIES[family](texts)
        _enlarge(model)
    settings = model.generation_config
    settings.eos_token_id = processor.tokenizer.eos_token_id
    settings.pad_token_id = processor.tokenizer.pad_token_id
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


@torch.no_grad()
def _enlarge(model: Any) -> None:
    """Make the logits depend on the picture. Gemma 3's projection of pictures starts at zero: nothing would be seen."""
    for name, weights in model.named_parameters():
        if name.endswith("mm_input_projection_weight"):
            weights.normal_(0, 0.05)
        elif weights.dim() > 1:
            weights.mul_(GAIN)
