import json

import pytest

from paradigms.signals.provenance import ClaimKind, Strength
from paradigms.signals.provenance.comfyui import MAX_NODES, graph_claim, read_graph


def ran(**nodes):
    """A graph as it ran: each node by name, as its kind and the nodes that feed it."""
    return {
        name: {"class_type": kind, "inputs": {f"in{i}": [source, 0] for i, source in enumerate(sources)} | {"seed": 1}}
        for name, (kind, *sources) in nodes.items()
    }


def kind_of(value):
    return graph_claim("png:prompt", read_graph(value)).kind


PLAIN = {
    "model": ("CheckpointLoaderSimple",),
    "empty": ("EmptyLatentImage",),
    "text": ("CLIPTextEncode", "model"),
    "sample": ("KSampler", "model", "text", "empty"),
    "decode": ("VAEDecode", "sample", "model"),
    "save": ("SaveImage", "decode"),
}
LOADED = {"load": ("LoadImage",)}


def test_a_picture_from_nothing_is_generated():
    claim = graph_claim("png:prompt", read_graph(ran(**PLAIN)))
    assert (claim.kind, claim.tool, claim.strength) == (ClaimKind.GENERATED, "ComfyUI", Strength.STRONG)
    assert "KSampler" in claim.text
    assert not claim.private


@pytest.mark.parametrize(
    "nodes",
    [
        {**LOADED, "encode": ("VAEEncode", "load"), "sample": ("KSampler", "encode")},
        {**LOADED, "encode": ("VAEEncodeForInpaint", "load"), "sample": ("KSampler", "encode")},
        {**LOADED, "scale": ("ImageScale", "load"), "encode": ("VAEEncode", "scale"), "sample": ("KSampler", "encode")},
        {**PLAIN, **LOADED, "mask": ("SetLatentNoiseMask", "load", "empty")},
        {**PLAIN, **LOADED, "face": ("ReActorFaceSwap", "decode", "load")},
        {**LOADED, "fix": ("FaceDetailer", "load")},
    ],
)
def test_a_loaded_picture_that_is_encoded_or_repaired_is_an_edit(nodes):
    assert kind_of(ran(**nodes)) is ClaimKind.AI_EDITED


@pytest.mark.parametrize(
    "guide",
    [
        {"net": ("ControlNetApply", "text", "load"), "sample": ("KSampler", "net", "empty")},
        {"see": ("CLIPVisionEncode", "load"), "sample": ("KSampler", "see", "empty")},
        {
            "adapt": ("IPAdapterApply", "model", "load"),
            "sample": ("KSampler", "adapt", "empty"),
            "again": ("VAEEncode", "decode"),
        },
    ],
)
def test_a_loaded_picture_that_only_guides_leaves_it_generated(guide):
    assert kind_of(ran(**(PLAIN | LOADED | guide))) is ClaimKind.GENERATED


def test_an_image_model_is_no_picture():
    nodes = {"m": ("ImageOnlyCheckpointLoader",), "e": ("VAEEncode", "m"), "sample": ("KSampler", "e")}
    assert kind_of(ran(**nodes)) is ClaimKind.GENERATED


def test_without_a_sampler_nothing_is_declared():
    assert kind_of(ran(load=("LoadImage",), up=("ImageUpscaleWithModel", "load"))) is ClaimKind.INFO
    assert kind_of(ran(choose=("KSamplerSelect",))) is ClaimKind.INFO


def canvas(mode=0, objects=False):
    nodes = [
        {"id": 1, "type": "LoadImage", "mode": mode},
        {"id": 2, "type": "VAEEncode"},
        {"id": 3, "type": "KSampler"},
    ]
    links = [[1, 1, 0, 2, 0, "IMAGE"], [2, 2, 0, 3, 0, "LATENT"]]
    if objects:
        links = [{"id": i, "origin_id": a, "target_id": b} for i, a, _, b, *_ in links]
    return {"nodes": nodes, "links": links}


@pytest.mark.parametrize("objects", [False, True])
def test_a_canvas_is_read_too_and_counts_less(objects):
    claim = graph_claim("png:workflow", read_graph(canvas(objects=objects)))
    assert (claim.kind, claim.strength) == (ClaimKind.AI_EDITED, Strength.MEDIUM)


@pytest.mark.parametrize("mode", [2, 4])
def test_nodes_that_are_off_do_not_count(mode):
    assert kind_of(canvas(mode)) is ClaimKind.GENERATED


def test_graphs_within_a_canvas():
    inner = canvas() | {"id": "part"}
    outer = {"nodes": [{"id": 9, "type": "part"}], "links": [], "definitions": {"subgraphs": [inner]}}
    assert kind_of(outer) is ClaimKind.AI_EDITED


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"nodes": []},
        {"nodes": [1, None, {"type": 3}]},
        {"a": 1},
        {"a": {"class_type": 3}},
        {str(i): {"class_type": "KSampler"} for i in range(MAX_NODES + 1)},
    ],
)
def test_what_is_no_graph(value):
    assert read_graph(value) is None


def test_odd_links_are_survived_and_rings_end():
    value = ran(a=("LoadImage", "b"), b=("ImageScale", "a"))
    value["a"]["inputs"] |= {"x": [[], {}], "y": [None, 0], "z": ["nowhere", 0]}
    value["c"] = {"class_type": "PreviewImage", "inputs": []}
    assert kind_of(value) is ClaimKind.INFO
    assert read_graph({"nodes": canvas()["nodes"], "links": [1, [], {"origin_id": []}], "definitions": []})
    assert json.dumps(value)
