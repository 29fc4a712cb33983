"""Runs `transformers serve` on this machine: python serve.py FOLDER PORT

The server is the library's own. Only what a torchvision without its compiled part cannot do is replaced: it is imported
as the backend imports it, and pictures are decoded by Pillow.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from backends.local.operators import import_torchvision

TORCHVISION = import_torchvision()

import numpy as np  # noqa: E402
import torch  # noqa: E402
from transformers import image_processing_backends, image_utils  # noqa: E402
from transformers.cli.transformers import main  # noqa: E402


def load_with_pillow(image: Any, timeout: float | None = None) -> torch.Tensor:
    """A picture by its address or as base64, as a tensor of colour, row, column."""
    pixels = np.array(image_utils.load_image(image, timeout=timeout).convert("RGB"))
    return torch.from_numpy(pixels).permute(2, 0, 1)


if __name__ == "__main__":
    folder, port = sys.argv[1:]
    torch.set_num_threads(1)
    image_utils.load_image_as_tensor = image_processing_backends.load_image_as_tensor = load_with_pillow
    sys.argv = ["transformers", "serve", folder, "--host", "127.0.0.1", "--port", port, "--device", "cpu"]
    main()
