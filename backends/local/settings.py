"""How a model is loaded into this process, and how its requests are put together."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class LocalSettings(BaseModel):
    """Settings of an `hf:` backend. Backends of the same model with the same settings share one loaded model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dtype: Literal["auto", "float32", "float16", "bfloat16"] = "auto"
    """Number type of the weights; `auto` takes what the checkpoint was saved in, and float32 on a CPU."""
    device: str = Field(default="auto", pattern=r"^(auto|cpu|mps|cuda(:\d{1,3})?)$")
    """Where the model runs: `auto`, `cpu`, `mps`, `cuda` or `cuda:N`. `auto` takes CUDA before MPS before the CPU."""
    device_map: Literal["auto", "balanced", "balanced_low_0", "sequential"] | None = None
    """How the model is spread over several devices; None keeps it on `device`. Only with `device: auto`."""
    attention: Literal["eager", "sdpa", "flash_attention_2"] | None = None
    """Attention implementation; None leaves it to transformers."""
    quantization: Literal["int8", "int4"] | None = None
    """Weights in 8 or 4 bits, by bitsandbytes; needs CUDA."""
    revision: str | None = Field(default=None, min_length=1)
    """Branch, tag or commit of the repository; None takes its main branch. Folders have none."""
    adapter: str | None = Field(default=None, min_length=1)
    """Folder or repository of a PEFT adapter laid over the model."""
    adapter_revision: str | None = Field(default=None, min_length=1)
    """Branch, tag or commit of the adapter's repository; None takes its main branch."""
    max_batch: int = Field(default=8, ge=1, le=256)
    """Requests computed together at most."""
    vision_once: bool = True
    """Run the vision tower once for each picture, and keep what it gave for the requests that follow."""
    prefix_once: bool = True
    """Compute the beginning that several requests share once, where the family of the model allows it."""
    encodings: int = Field(default=16, ge=1, le=4096)
    """Pictures whose encodings are kept at most; the one used longest ago goes first."""
    threads: int | None = Field(default=None, ge=1, le=1024)
    """Threads that torch computes with on a CPU; None leaves it to torch. It counts for the whole process."""
    idle_seconds: float | None = Field(default=None, gt=0, le=86400)
    """Release the model after this long without a request, and load it again for the next one; None never does."""
