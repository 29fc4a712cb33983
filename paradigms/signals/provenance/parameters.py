"""Blocks of generation parameters, as the generators write them.

A block counts only when several of its keys stand together with values of the right kind: a caption that mentions a
sampler or a seed declares nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from paradigms.signals.provenance.aigc import aigc_claim
from paradigms.signals.provenance.comfyui import Graph, graph_claim, read_graph
from paradigms.signals.provenance.result import Claim, ClaimKind, Strength
from paradigms.signals.provenance.software import generator_named
from paradigms.signals.provenance.text import load_json, word

_TAIL = 64 * 1024
"""A block stands at the end of its text; only so many characters are searched for it."""
_BLOCK = 8_000
_CANDIDATES = 16
_NEEDED = 3

_STEPS = re.compile(r"(?:^|[\n,;|] ?)steps: ?\d", re.IGNORECASE)
_KEYS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (r"\bsampler: ?\w", r"\b(?:cfg|guidance) scale: ?\d", r"\bseed: ?-?\d", r"\bmodel(?: hash)?: ?\w")
)
_REPAIRS = re.compile(r"[,\n] ?(?:mask blur|masked content|inpaint area|inpaint mode|inpainting fill):", re.IGNORECASE)
_FROM_PICTURE = re.compile(r"[,\n] ?(?:denoising )?strength: ?0?\.\d", re.IGNORECASE)
_SECOND_PASS = re.compile(r"[,\n] ?(?:hires |first pass size)", re.IGNORECASE)
_JOB = re.compile(r"\bJob ID: ?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_DREAM = re.compile(r" -([sSWHCA]) ?-?\w")
_DREAM_PICTURE = re.compile(r" -(?:I|M|-init_img|-init_mask|f 0?\.\d)\b")
_LABELLED_GRAPH = re.compile(r"\s*(?:prompt|workflow)\s*:\s*(?=\{)", re.IGNORECASE)

_STEPS_KEYS = ("steps", "num_inference_steps", "sampling_steps")
_SEED_KEYS = ("seed", "noise_seed", "seeds")
_SCALE_KEYS = ("cfg_scale", "cfgscale", "guidance_scale", "cfg", "scale", "guidance")
_SAMPLER_KEYS = ("sampler", "sampler_name", "samplername", "scheduler", "sample_method")
_PROMPT_KEYS = ("prompt", "positive_prompt", "c", "full_prompt", "description")
_MODE_KEYS = ("generation_mode", "request_type", "type", "mode", "task")
_MODE_EDITS = re.compile(r"img2img|image2image|in-?paint|out-?paint|infill", re.IGNORECASE)
_PICTURE_KEYS = re.compile(r"(?:init|source|input)_?(?:image|img)|mask_?image", re.IGNORECASE)
_MAX_NESTED = 64


def read_text(where: str, text: str, hint: str | None = None) -> list[Claim]:
    """What a text claims, in any of the known forms; empty when it is no block of parameters.

    Args:
        where: where the text stands.
        text: untrusted text of any length.
        hint: the tool that other fields of the same file name, used when the block names none.

    """
    labelled = _LABELLED_GRAPH.match(text)
    body = text[labelled.end() :] if labelled else text.strip()
    if body.startswith("{"):
        return _of_json(where, load_json(body), hint)
    claim = _web_ui(where, body, hint) or _dream(where, body) or _midjourney(where, body)
    return [claim] if claim else []


def _web_ui(where: str, text: str, hint: str | None) -> Claim | None:
    """Stable Diffusion WebUI's text, which many tools write: `Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1`."""
    tail = text[-_TAIL:]
    for match in list(_STEPS.finditer(tail))[-_CANDIDATES:]:
        block = tail[match.start() : match.start() + _BLOCK]
        if sum(bool(key.search(block)) for key in _KEYS) + 1 >= _NEEDED:
            break
    else:
        return None
    edited = _REPAIRS.search(block) or (_FROM_PICTURE.search(block) and not _SECOND_PASS.search(block))
    return _claim(where, _web_ui_tool(block) or hint or "Stable Diffusion WebUI", text, edited=bool(edited))


def _web_ui_tool(block: str) -> str | None:
    named = re.search(r"\b(?:Version|App): ?([^,\n]{1,60})", block)
    name = named[1] if named else ""
    if "civitai resources:" in block.lower():
        return "Civitai"
    if re.match(r"f\d|forge|neo", name):
        return "Stable Diffusion WebUI Forge"
    if "sd.next" in name.lower():
        return "SD.Next"
    return generator_named(name)


def _dream(where: str, text: str) -> Claim | None:
    """InvokeAI's first form: the prompt in quotes, then flags as on a command line."""
    tail = text[-_TAIL:]
    if not where.endswith(":Dream") or len(set(_DREAM.findall(tail))) < _NEEDED:
        return None
    return _claim(where, "InvokeAI", text, edited=bool(_DREAM_PICTURE.search(tail)))


def _midjourney(where: str, text: str) -> Claim | None:
    return _claim(where, "Midjourney", text) if _JOB.search(text[-_TAIL:]) else None


def _of_json(where: str, value: object, hint: str | None) -> list[Claim]:
    if not isinstance(value, dict):
        return []
    graph = _graph_within(value)
    if graph:
        return [graph_claim(where, graph)]
    label = aigc_claim(where, value.get("AIGC", value))
    if label:
        return [label]
    claim = mapping_claim(where, value, hint)
    return [claim] if claim else []


def _graph_within(value: Mapping[str, object]) -> Graph | None:
    """A graph, by itself or as the member `prompt` or `workflow`; what ran goes before what lay on the canvas."""
    graph = read_graph(value)
    for key in ("prompt", "workflow"):
        inner = value.get(key)
        graph = graph or read_graph(load_json(inner) if isinstance(inner, str) and inner[:1] == "{" else inner)
    return graph


def mapping_claim(where: str, value: Mapping[str, object], hint: str | None = None) -> Claim | None:
    """What keys and values claim, at the top or one level below; None when they are no block of parameters."""
    for block in (value, *_nested(value)):
        low = {str(key).lower().replace(" ", "_"): inner for key, inner in list(block.items())[:1000]}
        if _is_block(low):
            break
    else:
        return None
    modes = " ".join(word(low.get(key)) for key in _MODE_KEYS)
    edited = bool(_MODE_EDITS.search(modes)) or any(low[key] for key in low if _PICTURE_KEYS.match(key[:100]))
    prompt = next((low[key] for key in _PROMPT_KEYS if isinstance(low.get(key), str)), "")
    return _claim(where, _json_tool(where, value, low) or hint, str(prompt) or "generation parameters", edited=edited)


def _nested(value: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    for inner in list(value.values())[:_MAX_NESTED]:
        parsed = load_json(inner) if isinstance(inner, str) and inner[:1] == "{" else inner
        if isinstance(parsed, dict):
            yield parsed


def _is_block(low: Mapping[str, object]) -> bool:
    numbers = sum(any(_is_number(low.get(key)) for key in keys) for keys in (_STEPS_KEYS, _SEED_KEYS, _SCALE_KEYS))
    sampler = any(isinstance(low.get(key), str) and low[key] for key in _SAMPLER_KEYS)
    return numbers + sampler >= _NEEDED


def _is_number(value: object) -> bool:
    if isinstance(value, str):
        return re.fullmatch(r"-?\d{1,30}(?:\.\d{1,30})?", value.strip()[:64]) is not None
    return isinstance(value, int | float) and not isinstance(value, bool)


def _json_tool(where: str, value: Mapping[str, object], low: Mapping[str, object]) -> str | None:
    if "sui_image_params" in value:
        return "SwarmUI"
    if "invokeai" in where or "invoke" in word(value.get("app_id")).lower():
        return "InvokeAI"
    if "use_stable_diffusion_model" in low:
        return "Easy Diffusion"
    named = (value.get("Software"), low.get("version"), low.get("software"), low.get("created_by"))
    return next((tool for name in named if isinstance(name, str) and (tool := generator_named(name))), None)


def _claim(where: str, tool: str | None, text: str, *, edited: bool = False) -> Claim:
    kind = ClaimKind.AI_EDITED if edited else ClaimKind.GENERATED
    return Claim(kind=kind, where=where, tool=tool, text=text, private=True, strength=Strength.STRONG)
