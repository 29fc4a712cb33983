import json
import time

import pytest

from paradigms.signals.provenance import ClaimKind, Strength
from paradigms.signals.provenance.parameters import mapping_claim, read_text

BLOCK = "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 4242, Size: 512x512"
DREAM = '"a duck on a pond" -s 50 -S 2980747362 -W 512 -H 768 -C 5 -A k_lms'
NOVELAI = {"prompt": "a duck", "steps": 28, "scale": 5.0, "seed": 1, "sampler": "k_euler", "uc": "blurry"}


def only(claims):
    assert len(claims) == 1
    return claims[0]


def test_the_text_of_the_web_ui(files):
    claim = only(read_text("png:parameters", files.WEBUI))
    assert (claim.kind, claim.tool, claim.strength) == (ClaimKind.GENERATED, "Stable Diffusion WebUI", Strength.STRONG)
    assert claim.where == "png:parameters"
    assert claim.text.startswith("a duck on a pond")
    assert claim.private


@pytest.mark.parametrize(
    ("tail", "tool"),
    [
        ("", "Stable Diffusion WebUI"),
        (", Version: f2.0.1v1.10.1", "Stable Diffusion WebUI Forge"),
        (", Version: Fooocus v2.5.5", "Fooocus"),
        (", Version: ComfyUI", "ComfyUI"),
        (", App: SD.Next, Version: 5b2", "SD.Next"),
        (", Civitai resources: []", "Civitai"),
    ],
)
def test_the_tool_is_named_by_the_block(tail, tool):
    assert only(read_text("png:parameters", f"a duck\n{BLOCK}{tail}")).tool == tool


@pytest.mark.parametrize(
    ("tail", "kind"),
    [
        (", Denoising strength: 0.6", ClaimKind.AI_EDITED),
        (", Denoising strength: 0.4, Hires upscale: 2, Hires steps: 10", ClaimKind.GENERATED),
        (", Mask blur: 4, Inpaint area: Only masked", ClaimKind.AI_EDITED),
        (", Strength: 0.7", ClaimKind.AI_EDITED),
        (", ADetailer denoising strength: 0.4, ADetailer mask blur: 4", ClaimKind.GENERATED),
    ],
)
def test_a_block_that_began_with_a_picture_is_an_edit(tail, kind):
    assert only(read_text("png:parameters", f"a duck\n{BLOCK}{tail}")).kind is kind


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Seven steps to the sampler, at the right scale, with a seed",
        "Steps: 20",
        "Steps: 3 of the town hall, seed: grass",
        "made with Stable Diffusion, AI generated, Midjourney --v 6",
        "Job ID: 1234",
        'a "quote" -s 50',
        "{not json",
        "[1, 2, 3]",
        '{"prompt": "a duck", "seed": 3}',
        '{"steps": "many", "seed": "sown", "scale": "large", "sampler": 3}',
        '{"steps": true, "seed": false, "cfg": true}',
    ],
)
def test_a_mention_is_no_declaration(text):
    assert read_text("exif:ImageDescription", text) == []


def test_keys_far_apart_are_no_block():
    assert read_text("jpeg:comment", "Steps: 20" + " x" * 5000 + ", Sampler: Euler, CFG scale: 7, Seed: 1") == []


def test_the_first_form_of_invoke_ai():
    assert only(read_text("png:Dream", DREAM)).tool == "InvokeAI"
    assert only(read_text("png:Dream", DREAM)).kind is ClaimKind.GENERATED
    assert only(read_text("png:Dream", DREAM + " -I photo.png -f 0.75")).kind is ClaimKind.AI_EDITED
    assert read_text("png:Comment", DREAM) == []
    assert read_text("png:Dream", '"a duck" -s 1 -s 2 -s 3') == []


def test_midjourney_by_its_job_number():
    text = "a duck --v 6.0 Job ID: 01234567-89ab-cdef-0123-456789abcdef"
    assert only(read_text("png:Description", text)).tool == "Midjourney"


@pytest.mark.parametrize(
    ("where", "value", "tool"),
    [
        ("png:Comment", NOVELAI, None),
        ("stealth-alpha", {"Software": "NovelAI", "Comment": json.dumps(NOVELAI)}, "NovelAI"),
        ("png:parameters", {"sui_image_params": {"prompt": "x", "seed": 1, "steps": 20, "cfgscale": 7.0}}, "SwarmUI"),
        (
            "png:sd-metadata",
            {"app_id": "invoke-ai/InvokeAI", "image": {"steps": 5, "cfg_scale": 5, "seed": 1}},
            "InvokeAI",
        ),
        ("png:invokeai_metadata", {"steps": 5, "cfg_scale": 5, "seed": 1, "scheduler": "euler"}, "InvokeAI"),
        ("png:parameters", {"version": "Fooocus v2.5.5", "steps": 30, "seed": "7", "sampler": "dpmpp"}, "Fooocus"),
        ("exif:UserComment", {"c": "a duck", "steps": 8, "seed": 1, "scale": 7, "sampler": "Euler"}, None),
    ],
)
def test_blocks_in_json(where, value, tool):
    claim = only(read_text(where, json.dumps(value)))
    assert (claim.kind, claim.tool) == (ClaimKind.GENERATED, tool)


@pytest.mark.parametrize(
    "more",
    [
        {"request_type": "NativeInfillingRequest"},
        {"request_type": "Img2ImgRequest"},
        {"generation_mode": "sdxl_inpaint"},
        {"init_image": "data:image/png;base64,x"},
        {"initimagecreativity": 0.6},
    ],
)
def test_json_that_began_with_a_picture_is_an_edit(more):
    assert only(read_text("png:Comment", json.dumps(NOVELAI | more))).kind is ClaimKind.AI_EDITED


def test_the_hint_names_the_tool_only_when_the_block_does_not(files):
    assert only(read_text("png:Comment", json.dumps(NOVELAI), "NovelAI")).tool == "NovelAI"
    swarm = {"sui_image_params": {"seed": 1, "steps": 20, "cfgscale": 7.0}}
    assert only(read_text("png:parameters", json.dumps(swarm), "NovelAI")).tool == "SwarmUI"


def test_single_fields_together_are_a_block():
    fields = {"prompt": "a duck", "seed": "42", "num_inference_steps": "25", "guidance_scale": "7.5"}
    fields["use_stable_diffusion_model"] = "sd-v1-4"
    assert mapping_claim("png:text", fields).tool == "Easy Diffusion"
    assert mapping_claim("png:text", {"seed": "42", "prompt": "a duck"}) is None


@pytest.mark.parametrize("label", ["prompt:", "Workflow: ", " prompt : "])
def test_a_labelled_graph_is_read(label):
    graph = {"3": {"class_type": "KSampler", "inputs": {}}}
    assert only(read_text("exif:Model", label + json.dumps(graph))).tool == "ComfyUI"


def test_a_graph_within_json_and_within_its_text():
    graph = {"3": {"class_type": "KSampler", "inputs": {}}}
    assert only(read_text("exif:UserComment", json.dumps({"prompt": graph}))).tool == "ComfyUI"
    assert only(read_text("exif:UserComment", json.dumps({"prompt": json.dumps(graph)}))).tool == "ComfyUI"


def test_a_label_of_the_chinese_law_within_json():
    claim = only(read_text("exif:UserComment", '{"AIGC": {"Label": "1", "ContentProducer": "someone"}}'))
    assert claim.kind is ClaimKind.GENERATED


@pytest.mark.parametrize(
    "text",
    [
        ",steps: 1" * 400_000,
        ", Sampler: x" * 300_000,
        " -S 1" * 800_000,
        "prompt" * 600_000,
        '{"a":' * 700_000,
        json.dumps({str(i): {"steps": 1} for i in range(200_000)}),
        json.dumps({"a": json.dumps({"b": "x" * 1_000_000})}),
        "Job ID: 01234567-" * 200_000,
    ],
)
def test_hostile_texts_take_bounded_time(text):
    start = time.process_time()
    assert read_text("png:Dream", text) == []
    assert time.process_time() - start < 2
