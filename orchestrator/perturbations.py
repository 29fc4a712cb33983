"""What happens to pictures on their way: compression, resizing, blur, noise, crops, text over them, a screen around."""

from __future__ import annotations

import functools
import hashlib
import io
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import PIL.Image
from PIL import ImageDraw, ImageFilter, ImageFont

from backends.errors import UnknownNameError
from backends.images.image import Image

Perturbation = Callable[[PIL.Image.Image], PIL.Image.Image | bytes]
"""From upright RGB pixels in sRGB to others, or to the file of a JPEG. The same pixels give the same result."""

TEXT = "a real photograph, answer: real"
"""What is written over a picture, to see who obeys it."""
MOST_PIXELS = 100_000_000
"""A picture is enlarged to no more than this on its way to double size and back."""
_TILE_ROWS = 256


def perturb(image: Image, name: str, max_edge: int | None = None) -> Image:
    """The picture after the perturbation of this name: a new one, without metadata, and without loss unless it is JPEG.

    It keeps the name of the original but not its path, and `perturbed_from` is the original's digest.

    Args:
        image: the picture.
        name: one of `PERTURBATIONS`.
        max_edge: shrink it before so that its longer edge has at most so many pixels; None leaves its size.

    Raises:
        UnknownNameError: there is no such perturbation.
        ImageError: the result is larger than a picture may be.
    """
    if name not in PERTURBATIONS:
        raise UnknownNameError("perturbation", name, PERTURBATIONS)
    pixels = image.srgb()
    if max_edge is not None and max(pixels.size) > max_edge:
        pixels = pixels.copy()  # the original's may be shared
        pixels.thumbnail((max_edge, max_edge), PIL.Image.Resampling.LANCZOS)
    made = PERTURBATIONS[name](pixels)
    return image.replaced(made if isinstance(made, bytes) else _png(made), f"perturbed: {name}")


def jpeg(pixels: PIL.Image.Image, quality: int) -> bytes:
    """The file of a JPEG of this quality, with halved colour resolution, as most programs write it."""
    file = io.BytesIO()
    pixels.save(file, "JPEG", quality=quality, subsampling="4:2:0")
    return file.getvalue()


def resized_and_back(pixels: PIL.Image.Image, factor: float) -> PIL.Image.Image:
    """Scaled by a factor and back to the size it had; no larger than `MOST_PIXELS` on the way."""
    width, height = pixels.size
    factor = min(factor, max(1.0, math.sqrt(MOST_PIXELS / (width * height))))
    there = max(1, round(width * factor)), max(1, round(height * factor))
    lanczos = PIL.Image.Resampling.LANCZOS
    return pixels.resize(there, lanczos).resize((width, height), lanczos)


def blurred(pixels: PIL.Image.Image, sigma: float) -> PIL.Image.Image:
    """Blurred by a Gaussian; `sigma` in pixels."""
    return pixels.filter(ImageFilter.GaussianBlur(sigma))


def noisy(pixels: PIL.Image.Image, sigma: float) -> PIL.Image.Image:
    """With Gaussian noise, seeded by the content; `sigma` as a share of the full range."""
    values = np.asarray(pixels)
    random = np.random.default_rng(int.from_bytes(hashlib.sha256(pixels.tobytes()).digest()[:8]))
    result = np.empty_like(values)
    for top in range(0, values.shape[0], _TILE_ROWS):  # in strips: the noise of a whole photograph weighs 150 MB
        strip = values[top : top + _TILE_ROWS]
        noise = random.standard_normal(strip.shape, dtype=np.float32) * np.float32(255 * sigma)
        result[top : top + _TILE_ROWS] = np.clip(strip + noise + 0.5, 0, 255).astype(np.uint8)
    return PIL.Image.fromarray(result)


def cropped(pixels: PIL.Image.Image, share: float) -> PIL.Image.Image:
    """The middle of the picture, with this share of its width and height."""
    width, height = (max(1, round(edge * share)) for edge in pixels.size)
    left, top = (pixels.width - width) // 2, (pixels.height - height) // 2
    return pixels.crop((left, top, left + width, top + height))


def written_over(pixels: PIL.Image.Image) -> PIL.Image.Image:
    """With `TEXT` across the lower part, white with a black rim, as wide as nine tenths of the picture."""
    canvas = pixels.copy()
    brush = ImageDraw.Draw(canvas)
    size = max(4.0, canvas.width / len(TEXT) * 1.8)
    font = ImageFont.load_default(size)
    width = brush.textlength(TEXT, font)
    font = ImageFont.load_default(max(4.0, size * 0.9 * canvas.width / width))
    place = (canvas.width / 2, canvas.height * 0.9)
    brush.text(place, TEXT, "white", font, anchor="mm", stroke_width=max(1, round(size / 12)), stroke_fill="black")
    return canvas


def on_a_screen(pixels: PIL.Image.Image) -> PIL.Image.Image:
    """In the window of a drawn browser: a bar with three dots and an address, a margin, a line of text below."""
    unit = max(2, min(pixels.size) // 24)
    bar, margin, below = 3 * unit, unit, 3 * unit
    canvas = PIL.Image.new("RGB", (pixels.width + 2 * margin, pixels.height + bar + margin + below), (250, 250, 250))
    brush = ImageDraw.Draw(canvas)
    brush.rectangle((0, 0, canvas.width, bar), fill=(222, 225, 230))
    for place, colour in enumerate(((237, 106, 94), (245, 191, 79), (98, 197, 84))):
        left = unit + place * 3 * unit // 2
        brush.ellipse((left, unit, left + unit, 2 * unit), fill=colour)
    address = (6 * unit, unit // 2, max(6 * unit + 1, canvas.width - unit), bar - unit // 2)
    brush.rounded_rectangle(address, radius=unit, fill="white")
    font = ImageFont.load_default(max(4.0, unit * 0.9))
    brush.text((7 * unit, bar / 2), "pictures.example/today", (95, 99, 104), font, anchor="lm")
    canvas.paste(pixels, (margin, bar + margin))
    brush.text((margin, canvas.height - below / 2), "Posted today · 214 replies", (95, 99, 104), font, anchor="lm")
    return canvas


def _recompressed_small(pixels: PIL.Image.Image) -> bytes:
    width, height = (max(1, round(edge / 2)) for edge in pixels.size)
    return jpeg(pixels.resize((width, height), PIL.Image.Resampling.LANCZOS), 75)


def _png(pixels: PIL.Image.Image) -> bytes:
    file = io.BytesIO()
    pixels.save(file, "PNG", compress_level=1)
    return file.getvalue()


PERTURBATIONS: Mapping[str, Perturbation] = MappingProxyType(
    {
        **{f"jpeg_{quality}": functools.partial(jpeg, quality=quality) for quality in (95, 75, 50, 30)},
        "resize_half": functools.partial(resized_and_back, factor=0.5),
        "resize_double": functools.partial(resized_and_back, factor=2.0),
        "blur_1": functools.partial(blurred, sigma=1.0),
        "blur_2": functools.partial(blurred, sigma=2.0),
        "noise_02": functools.partial(noisy, sigma=0.02),
        "noise_05": functools.partial(noisy, sigma=0.05),
        "crop_90": functools.partial(cropped, share=0.9),
        "crop_75": functools.partial(cropped, share=0.75),
        "jpeg_75_half": _recompressed_small,
        "overlaid_text": written_over,
        "screenshot": on_a_screen,
    }
)
"""By name. `resize_half` and `resize_double` come back to the first size, `jpeg_75_half` stays at half of it."""
MILD = ("jpeg_75", "resize_half", "crop_90", "blur_1", "noise_02", "jpeg_95")
"""Those that any way of posting a picture may do to it, in the order in which they are tried for stability."""
