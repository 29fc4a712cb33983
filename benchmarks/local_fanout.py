"""Several questions about one picture to a local model: what running the tower and the common beginning once is worth.

    python benchmarks/local_fanout.py [CHECKPOINT] [--random qwen2.5-vl-3b] [--prompts short|six] [--tokens 12]
        [--rounds 3] [--cases 2] [--side 504] [--dtype float32] [--device auto] [--threads 1]

Without a checkpoint it builds a toy: a tower of 12 layers before a language model of 4. `--random` builds an
architecture at its real size with random weights, as float32 on a CPU and bfloat16 on a GPU unless `--dtype` says
otherwise. `--prompts short` asks eight short questions, as many as a case has with its picture: one for the subject,
six examinations, the panel. `--prompts six` asks the six examinations as the ensemble `six` words them, cut-outs and
all. The answers are as long as they may be, and taken as one batch.

The ways take turns, `--rounds` times, each turn in a process of its own: one case to warm up, then `--cases` that
count, with a new picture for every case. Shown is the median. Memory is the most that torch allocated on a GPU, or the
largest resident size of the process on a CPU.

The floor is what the device cannot go below. At two operations for each weight and token, and the speed of a large
matrix product: the tower once for every picture, the common beginning once, the rest of every question. Then all the
language model's weights, read once for each token of an answer, at the speed of a large sum. Attention, the cache,
sampling and the preparation of pictures count nothing.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import io
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy
import PIL.Image

from backends.completion import Completion
from backends.providers.function import FunctionBackend
from backends.request import Message, Picture, Request, Sampling, Text
from orchestrator import event_loop

WAYS = {
    "one by one": {"vision_once": False, "prefix_once": False},
    "plain batch": {"vision_once": False, "prefix_once": False},
    "vision once": {"vision_once": True, "prefix_once": False},
    "vision and prefix once": {"vision_once": True, "prefix_once": True},
}
SYSTEM = "You look closely at one picture."
SHORT = (
    "What is the main subject of the picture?",
    "Which known defects does it show?",
    "Do the details hold up when they are looked at closely?",
    "Do light and shadow agree?",
    "Is it like the first of the examples, or like the second?",
    "Are all parts of the subject in their place?",
    "Which patterns that recur in generated pictures does it show?",
    "Is it a photograph or was it generated, all in all?",
)
SPEC = "function:recorder"
REAL = (
    '{"reasoning": "A lamp.\\nsubject: lamp\\nmedium: photograph", "observations": [], "label": "real", "certainty": 9}'
)


def noise(side: int, case: int) -> bytes:
    """A picture of coarse noise as PNG."""
    coarse = numpy.random.default_rng(case).integers(0, 255, (24, 24, 3), dtype=numpy.uint8)
    stream = io.BytesIO()
    PIL.Image.fromarray(coarse).resize((side, side), PIL.Image.Resampling.BICUBIC).save(stream, "PNG")
    return stream.getvalue()


def questions(prompts: str, side: int, case: int, tokens: int) -> list[Request]:
    """What is asked about the picture of one case."""
    data = noise(side, case)
    if prompts == "six":
        asked = event_loop.run(examinations(data))
    else:
        picture = Picture(data, "image/png", hashlib.sha256(data).hexdigest(), side, side)
        system = Message("system", (Text(SYSTEM),))
        asked = [Request((system, Message("user", (picture, Text(question))))) for question in SHORT]
    return [dataclasses.replace(request, sampling=Sampling(0.0, tokens), schema=None) for request in asked]


async def examinations(data: bytes) -> list[Request]:
    """The six examinations of a picture, as the ensemble `six` asks for them."""
    from orchestrator.config import Overrides, load_ensemble
    from orchestrator.judge import Judge

    asked: list[Request] = []

    async def record(request: Request) -> Completion | str:
        if request.origin.purpose == "verdict" and request.origin.paradigm != "panel":
            asked.append(request)
        return REAL

    ensemble = load_ensemble("six", Overrides(backend=SPEC, settings=("cache=false",)))
    async with Judge(ensemble, backends={SPEC: FunctionBackend(record, SPEC)}) as judge:
        await judge.judge(data)
    return asked


def measure(checkpoint: str, way: str, options: argparse.Namespace) -> dict[str, Any]:
    """Seconds a case, tokens of the answers, memory and the answers themselves, of one way in this process."""
    import torch

    from backends.local.load import survey
    from backends.local.quiet import no_chatter
    from backends.local.settings import LocalSettings

    no_chatter()
    engine = survey(checkpoint, LocalSettings(**settings(options), **WAYS[way])).load()
    seconds, texts, counts = [], [], []
    for case in range(options.cases + 1):
        asked = questions(options.prompts, options.side, case, options.tokens)
        batches = [[request] for request in asked] if way == "one by one" else [asked]
        began = time.perf_counter()
        written = [answer for batch in batches for answer in engine.write(batch)]
        seconds.append(time.perf_counter() - began)
        texts.append([answer.text for answer in written])
        counts.append(sum(answer.usage.output_tokens or 0 for answer in written))
    engine.close()
    cuda = torch.cuda.is_available() and options.device != "cpu"
    peak = torch.cuda.max_memory_allocated() if cuda else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"seconds": seconds[1:], "texts": texts, "tokens": counts[-1], "peak": peak}


def settings(options: argparse.Namespace) -> dict[str, Any]:
    """The settings that all ways share."""
    return {"dtype": options.dtype, "device": options.device, "max_batch": 64, "threads": options.threads}


def floor(checkpoint: str, options: argparse.Namespace) -> dict[str, Any]:
    """The least time that a case can take on this device, in seconds, and what it is made of."""
    import torch

    from backends.local.operators import import_torchvision

    keep = import_torchvision()
    import transformers

    transformers.logging.disable_progress_bar()
    torch.set_num_threads(options.threads or torch.get_num_threads())
    processor = transformers.AutoProcessor.from_pretrained(checkpoint)
    config = transformers.AutoConfig.from_pretrained(checkpoint)
    with torch.device("meta"):
        model = transformers.AutoModelForImageTextToText.from_config(config)
    dtype = getattr(torch, options.dtype) if options.dtype != "auto" else config.dtype
    device = "cuda" if torch.cuda.is_available() and options.device != "cpu" else "cpu"
    tower, language = weights(model, config)
    asked = questions(options.prompts, options.side, 0, options.tokens)
    pictures, patches = encoded_size(processor, config, asked)
    rows = [tokens_of(processor, request) for request in asked]
    common = len(list(takewhile(lambda tokens: len(set(tokens)) == 1, zip(*rows, strict=False))))
    prefilled = common + sum(len(row) - common for row in rows)
    speed, bandwidth = operations_a_second(torch, dtype, device), bytes_a_second(torch, dtype, device)
    parts = {
        "tower": 2 * tower * patches / speed,
        "prefill": 2 * language * prefilled / speed,
        "decode": options.tokens * language * dtype.itemsize / bandwidth,
    }
    del keep
    what = f"{pictures} picture(s), {patches} patches, {prefilled} tokens; {speed / 1e9:.0f} GFLOP/s, "
    what += f"{bandwidth / 1e9:.1f} GB/s; weights {tower / 1e6:.1f} M tower, {language / 1e6:.1f} M language"
    return {"seconds": sum(parts.values()), "parts": parts, "what": what}


def weights(model: Any, config: Any) -> tuple[int, int]:
    """How many weights the tower and the language model have. Embeddings are looked up, and count as head alone."""
    tower = language = 0
    for name, weight in model.named_parameters():
        if "visual" in name or "vision" in name:
            tower += weight.numel()
        elif "embed_tokens" not in name:
            language += weight.numel()
    if config.get_text_config().tie_word_embeddings:
        language += model.get_input_embeddings().weight.numel()
    return tower, language


def encoded_size(processor: Any, config: Any, asked: Sequence[Request]) -> tuple[int, int]:
    """How many different pictures are shown, and how many patches the tower makes of them."""
    shown = {picture.sha256: picture.data for request in asked for picture in request.pictures}
    patches = 0
    for data in shown.values():
        pixels = processor.image_processor(PIL.Image.open(io.BytesIO(data)).convert("RGB"), return_tensors="pt")
        values = pixels["pixel_values"]
        side = config.vision_config.patch_size
        side = side if isinstance(side, int) else side[0]
        tiles = values.shape[:-3].numel() if values.dim() > 2 else 0
        patches += tiles * (values.shape[-1] // side) * (values.shape[-2] // side) or values.shape[0]
    return len(shown), patches


def tokens_of(processor: Any, request: Request) -> tuple[int, ...]:
    """The prompt of a request in tokens."""
    turns = []
    for message in request.messages:
        parts = [
            {"type": "text", "text": part.text} if isinstance(part, Text) else {"type": "image", "image": opened(part)}
            for part in message.parts
        ]
        turns.append({"role": message.role, "content": parts})
    options = {"add_generation_prompt": True, "tokenize": True, "return_dict": True, "return_tensors": "pt"}
    return tuple(processor.apply_chat_template(turns, **options)["input_ids"][0].tolist())


def opened(picture: Picture) -> PIL.Image.Image:
    """The picture, decoded."""
    return PIL.Image.open(io.BytesIO(picture.data)).convert("RGB")


def operations_a_second(torch: Any, dtype: Any, device: str) -> float:
    """Floating-point operations a second of a large matrix product."""
    side = 8192 if device == "cuda" else 1024
    left, right = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    return 2 * side**3 / best(torch, lambda: left @ right)


def bytes_a_second(torch: Any, dtype: Any, device: str) -> float:
    """Bytes a second that are read by a large sum."""
    numbers = torch.ones((4 if device == "cuda" else 1) * 2**28 // dtype.itemsize, device=device, dtype=dtype)
    return numbers.numel() * dtype.itemsize / best(torch, numbers.sum)


def best(torch: Any, call: Callable[[], Any], times: int = 7) -> float:
    """The shortest of several times, in seconds."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        found.append(time.perf_counter() - began)
    return min(found)


def in_a_process(checkpoint: str, what: str) -> dict[str, Any]:
    """What this program prints when it does one thing only, with the same options."""
    arguments = [argument for argument in sys.argv[1:] if argument != checkpoint]
    command = [sys.executable, __file__, checkpoint, *arguments, "--only", what]
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


def report(checkpoint: str, options: argparse.Namespace) -> None:
    """Measure every way and print the table."""
    least = in_a_process(checkpoint, "floor")
    found: dict[str, dict[str, Any]] = {}
    for _ in range(options.rounds):
        for way in WAYS:
            ran = in_a_process(checkpoint, way)
            ran["seconds"] += found.get(way, ran | {"seconds": []})["seconds"]
            found[way] = ran
    alone = found["one by one"]
    print(f"{'':24}{'s a case':>10}{'tokens/s':>10}{'peak MiB':>10}{'faster':>8}{'of floor':>10}  same answers")
    for way, ran in found.items():
        seconds = statistics.median(ran["seconds"])
        faster = statistics.median(alone["seconds"]) / seconds
        same = "yes" if ran["texts"] == alone["texts"] else "no"
        row = f"{way:24}{seconds:10.2f}{ran['tokens'] / seconds:10.1f}{ran['peak'] / 2**20:10.0f}{faster:7.1f}x"
        print(f"{row}{seconds / least['seconds']:10.1f}  {same}")
    parts = ", ".join(f"{name} {seconds:.3f}" for name, seconds in least["parts"].items())
    print(f"{'floor':24}{least['seconds']:10.2f}  {parts}")
    print(f"{'':24}{least['what']}")


def main() -> None:
    """Measure all ways, or (in a process of its own) one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", nargs="?", help="a folder; a toy is built without it")
    parser.add_argument("--random", default="toy", help="qwen2.5-vl-3b, qwen2.5-vl-7b, qwen3-vl-4b, qwen3-vl-8b or toy")
    parser.add_argument("--prompts", choices=("short", "six"), default="short")
    parser.add_argument("--tokens", type=int, default=12, help="tokens of every answer")
    parser.add_argument("--rounds", type=int, default=3, help="turns of every way")
    parser.add_argument("--cases", type=int, default=2, help="cases in a turn, after one to warm up")
    parser.add_argument("--side", type=int, default=504, help="pixels of the picture's sides")
    parser.add_argument("--dtype", choices=("auto", "float32", "bfloat16", "float16"), default="auto")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=None, help="of torch on a CPU")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    if options.only:
        made = floor if options.only == "floor" else lambda folder, rest: measure(folder, options.only, rest)
        print(json.dumps(made(options.checkpoint, options)))
    elif options.checkpoint:
        report(options.checkpoint, options)
    else:
        with tempfile.TemporaryDirectory() as folder:
            build(options, Path(folder))
            report(folder, options)


def build(options: argparse.Namespace, folder: Path) -> None:
    """Write the checkpoint with random weights that is asked for."""
    import torch

    from backends.local.operators import import_torchvision

    keep = import_torchvision()
    from random_model import write_checkpoint

    from backends.local.quiet import no_chatter

    no_chatter()
    texts = [message.text for request in questions(options.prompts, 64, 0, 1) for message in request.messages]
    usual = "bfloat16" if torch.cuda.is_available() else "float32"
    write_checkpoint(options.random, folder, texts, getattr(torch, usual if options.dtype == "auto" else options.dtype))
    del keep


if __name__ == "__main__":
    main()
