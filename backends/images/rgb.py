"""Every kind of pixel Pillow can load, as 8-bit RGB, and colour profiles as sRGB."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
import PIL.Image
from PIL import ImageCms, JpegImagePlugin, TiffImagePlugin

_MOST_PROFILE_BYTES = 4 * 1024 * 1024


def to_rgb(image: PIL.Image.Image, deep: bool, notes: list[str]) -> tuple[PIL.Image.Image, bytes | None]:
    """Convert a loaded image to RGB, without turning it.

    Args:
        image: the image, loaded.
        deep: the file has more than 8 bits a sample, also where Pillow has cut them to 8.
        notes: what was done is appended here, in plain sentences.

    Returns:
        The image as RGB (a new one, except for an RGB JPEG), and the RGB colour profile that its pixels still need to
        be shown rightly, or None.

    """
    if deep:
        notes.append("16-bit scaled to 8-bit")
    if image.mode.startswith("I;16"):
        return PIL.Image.fromarray(_from_16_bits(image)).convert("RGB"), None
    if image.mode in ("I", "F"):
        return PIL.Image.fromarray(_from_wide_values(image)).convert("RGB"), None
    profile = _usable_profile(image, notes)
    if image.mode == "CMYK":
        notes.append("CMYK converted")
        return (to_srgb(image, profile) if profile else image.convert("RGB")), None
    if image.has_transparency_data:
        return _flatten(image, deep, notes), profile
    if image.mode == "RGB" and isinstance(image, JpegImagePlugin.JpegImageFile):
        # Photographs are mostly this, and a copy takes half as long as decoding. Other plug-ins hold more than pixels.
        image.app.clear()
        image.applist.clear()
        return image, profile
    return image.convert("RGB"), profile


def to_srgb(pixels: PIL.Image.Image, profile: bytes) -> PIL.Image.Image:
    """Convert RGB or CMYK pixels from their colour profile to RGB in sRGB.

    Raises:
        ImageCms.PyCMSError: the profile is not one for such pixels, or cannot be used.

    """
    source, target = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(source, target, pixels.mode, "RGB").apply(pixels)


def _usable_profile(image: PIL.Image.Image, notes: list[str]) -> bytes | None:
    """Return the embedded colour profile if it is one for these pixels and works."""
    profile = image.info.get("icc_profile")
    if not profile:
        return None
    try:
        if len(profile) > _MOST_PROFILE_BYTES:
            raise ValueError("profile too large")
        space = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space.strip()
        if space == "GRAY":
            return None  # it could only bend the tones of a grey picture a little
        to_srgb(PIL.Image.new("CMYK" if image.mode == "CMYK" else "RGB", (1, 1)), profile)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, AttributeError):
        notes.append("colour profile cannot be used and was left out")
        return None
    notes.append("colour profile converted to sRGB for models")
    return bytes(profile)


def _from_16_bits(image: PIL.Image.Image) -> npt.NDArray[np.uint8]:
    values = np.asarray(image).astype(np.uint16)
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        if image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE) == (12,):
            values = values * np.uint16(16) + values // np.uint16(256)
        if image.tag_v2.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == 0:
            values = np.uint16(65535) - values  # white is zero, which Pillow minds only up to 8 bits
    # The nearest of 0…255 to value / 257, without leaving 16 bits.
    return ((values - (values >> 8) + 128) >> 8).astype(np.uint8)


def _from_wide_values(image: PIL.Image.Image) -> npt.NDArray[np.uint8]:
    """Bring whole or floating-point values to 0…255, by the range that they use.

    The file does not say what white is: 1.0, 255, 65535, or something physical, for which the range is stretched.
    """
    values = np.asarray(image).astype(np.float32)
    finite = np.isfinite(values)
    low, high = (float(values[finite].min()), float(values[finite].max())) if finite.any() else (0.0, 0.0)
    whites = (1.0, 255.0) if image.mode == "F" else (255.0, 65535.0)
    white = next((white for white in whites if low >= 0 and high <= white), None)
    if white is not None:
        low, high = 0.0, white
    values = np.nan_to_num(values, nan=low, posinf=high, neginf=low)
    scale = 255.0 / (high - low) if high > low else 0.0
    with np.errstate(over="ignore"):  # the range itself may be more than 32 bits can hold
        scaled: npt.NDArray[np.float32] = np.clip((values - low) * scale + 0.5, 0, 255)
    return scaled.astype(np.uint8)


def _flatten(image: PIL.Image.Image, deep: bool, notes: list[str]) -> PIL.Image.Image:
    """Lay an image with transparency on white."""
    key = image.info.get("transparency")
    if deep and isinstance(key, tuple):
        # Pillow cuts the samples to 8 bits, but not the colour that is to be transparent.
        image.info["transparency"] = tuple(value >> 8 for value in key)
    rgba = (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
    alpha, rgb = rgba.getchannel("A"), rgba.convert("RGB")
    lowest, _ = alpha.getextrema()
    if lowest == 255:
        return rgb
    notes.append("alpha flattened on white")
    canvas = PIL.Image.new("RGB", image.size, "white")
    canvas.paste(rgb, mask=alpha)
    return canvas
