"""What kind of file some bytes are, by how they begin. Names and media types are not asked: they lie."""

from __future__ import annotations

from backends.errors import ImageError

READ = "JPEG, PNG, WebP, GIF, TIFF, BMP, AVIF or HEIC"
"""The formats that are read, in words."""

_HEAD = 4096

_READABLE: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II\x2a\x00", "TIFF"),
    (b"MM\x00\x2a", "TIFF"),
    (b"II\x2b\x00", "TIFF"),
    (b"MM\x00\x2b", "TIFF"),
    (b"BM", "BMP"),
)

_REFUSED: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a zip archive or an office document"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a Windows program"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"8BPS", "a Photoshop document"),
    (b"%!PS", "a PostScript file"),
    (b"\xc5\xd0\xd3\xc6", "a PostScript file"),
    (b"\xd7\xcd\xc6\x9a", "a Windows metafile"),
    (b"SIMPLE  =", "a FITS file"),
    (b"\x00\x00\x01\x00", "an icon file"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"qoif", "a QOI picture"),
    (b"DDS ", "a DDS texture"),
    (b"gimp xcf", "a GIMP document"),
    (b"\x1aE\xdf\xa3", "a video"),
    (b"RIFF", "a sound or video file"),
    (b"OggS", "a sound or video file"),
    (b"ID3", "a sound file"),
    (b"SQLite format 3", "a database"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x89HDF", "an HDF5 file"),
    (b"FUJIFILMCCD-RAW", "a camera raw file"),
    (b"II\x2a\x00\x10\x00\x00\x00CR", "a camera raw file"),
)

_TEXTS: tuple[tuple[bytes, str], ...] = (
    (b"<!doctype html", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"<svg", "an SVG drawing"),
    (b"<?xml", "an XML or SVG file"),
    (b"{", "a JSON file"),
    (b"[", "a JSON file"),
)

_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})


def identify(data: bytes) -> str:
    """Return the name of the readable format that the bytes begin like, for example `JPEG`.

    Raises:
        ImageError: the bytes are empty or begin like something else; the message says like what.

    """
    if not data:
        raise ImageError("the file is empty")
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp":
        return _identify_by_brand(data)
    for magic, words in _REFUSED:
        if data.startswith(magic):
            raise ImageError(f"this is {words}; give a {READ} picture")
    for magic, name in _READABLE:
        if data.startswith(magic):
            return name
    raise ImageError(f"this is {_describe(data)}; give a {READ} picture")


def _identify_by_brand(data: bytes) -> str:
    """AVIF, HEIC and MP4 share one container; the brands in its first box tell them apart."""
    size = min(int.from_bytes(data[:4]), 256, len(data))
    brands = {data[8:12]} | {data[at : at + 4] for at in range(16, size, 4)}
    if brands & _AVIF_BRANDS:
        return "AVIF"
    if brands & _HEIF_BRANDS:
        return "HEIF"
    raise ImageError(f"this is a video or a camera raw file; give a {READ} picture")


def _describe(data: bytes) -> str:
    head = data[:_HEAD].removeprefix(b"\xef\xbb\xbf").lstrip()
    for start, words in _TEXTS:
        if head[: len(start)].lower() == start:
            return words
    if not data.strip(b"\x00"):
        return "a file of zeros"
    return "a text file" if _is_text(head) else "no picture that can be read here"


def _is_text(head: bytes) -> bool:
    if b"\x00" in head:
        return False
    # The head may end in the middle of a character of up to four bytes.
    for cut in range(4):
        try:
            head[: len(head) - cut].decode()
        except UnicodeDecodeError:
            continue
        return True
    return False
