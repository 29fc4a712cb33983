"""Every kind of bad input gives exactly one error, in one line, quickly, and nothing else appears anywhere."""

from __future__ import annotations

import base64
import contextlib
import http.server
import io
import json
import os
import socket
import struct
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from backends.errors import ImageError
from backends.images.fetch import Fetcher
from backends.images.image import ImageLimits
from backends.images.source import load_image

RESAMPLE = PIL.Image.Resampling.BICUBIC


@dataclass
class Bench:
    """What a builder works with. What it puts into `options` is given to `load_image`."""

    folder: Path
    server: Server
    monkeypatch: pytest.MonkeyPatch
    options: dict[str, Any] = field(default_factory=dict)

    def file(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(data)
        return path

    def web(self, path: str, **limits: Any) -> str:
        here = Fetcher(resolve=lambda host, port: ["127.0.0.1"], allowed=lambda address: True)
        self.options |= {"allow_urls": True, "fetcher": here, "limits": ImageLimits(**limits)}
        return f"http://pictures.example:{self.server.server_port}{path}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        with contextlib.suppress(OSError):
            getattr(self, f"answer_{self.path.strip('/').replace('.', '_')}")()

    def reply(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def answer_page_jpg(self) -> None:
        self.reply(200, b"<!DOCTYPE html><title>Please sign in</title>")

    def answer_gone(self) -> None:
        self.reply(404)

    def answer_loop(self) -> None:
        self.reply(302, Location="/loop")

    def answer_inwards(self) -> None:
        self.reply(302, Location="http://169.254.169.254/latest/meta-data/")

    def answer_to_file(self) -> None:
        self.reply(302, Location="file:///etc/passwd")

    def answer_drip(self) -> None:
        self.send_response(200)
        self.end_headers()
        for _ in range(100):
            self.wfile.write(b"x")
            time.sleep(0.02)

    def answer_endless(self) -> None:
        self.send_response(200)
        self.end_headers()
        while True:
            self.wfile.write(bytes(65536))

    def answer_packed(self) -> None:
        self.reply(200, b"x", **{"Content-Encoding": "gzip"})

    def answer_half(self) -> None:
        self.reply(200, b"x", **{"Content-Length": "100"})

    def log_message(self, *_: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield Bench(tmp_path, server, monkeypatch)
        server.shutdown()
        thread.join()


def picture(width: int = 96, height: int = 64) -> PIL.Image.Image:
    noise = np.random.default_rng(1).integers(0, 255, (8, 12, 3), dtype=np.uint8)
    return PIL.Image.fromarray(noise).resize((width, height), RESAMPLE)


def encoded(name: str, image: PIL.Image.Image | None = None, **options: Any) -> bytes:
    stream = io.BytesIO()
    (image or picture()).save(stream, name, **options)
    return stream.getvalue()


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *chunks: bytes, bits: int = 8, colour: int = 2) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IEND")


def png_with(extra: bytes) -> bytes:
    return png(1, 1, extra, chunk(b"IDAT", zlib.compress(bytes(4))))


def text_bomb() -> bytes:
    return zlib.compress(bytes(20_000_000), 9)


def bmp(width: int, height: int, rows: bytes = b"", bits: int = 24, packing: int = 0, colours: int = 0) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, packing, len(rows), 0, 0, colours, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(rows), 0, 0, 54) + header + rows


def gif(width: int, height: int, blocks: bytes = b";") -> bytes:
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\x00\x00\x00\xff\x00\x00" + blocks


def tiff(*tags: tuple[int, int, int, int], rest: bytes = b"") -> bytes:
    packed = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + packed + bytes(4) + rest


def grey_tiff(width: int, height: int, *more: tuple[int, int, int, int], rest: bytes = b"") -> bytes:
    tags = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (278, 3, 1, 1)]
    return tiff(*sorted([*tags, *more]), rest=rest)


def progressive_bomb() -> bytes:
    whole = encoded("JPEG", PIL.Image.new("L", (3000, 3000)), progressive=True)
    last_scan = whole[whole.rfind(b"\xff\xc4") : -2]
    return whole[:-2] + last_scan * 1000 + whole[-2:]


def exif_flood() -> bytes:
    whole = encoded("JPEG")
    return whole[:2] + (b"\xff\xe1\x00\x0aExif\x00\x00xx") * 100 + whole[2:]


def zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.txt", "text")
    return stream.getvalue()


def box_file(brand: bytes) -> bytes:
    return struct.pack(">I4s4sI4s", 20, b"ftyp", brand, 0, brand) + bytes(100)


def broken_webp() -> bytes:
    whole = encoded("WEBP", picture().convert("RGBA"), save_all=True, append_images=[picture().convert("RGBA")])
    at = whole.index(b"VP8 ") + 8
    return whole[:at] + bytes(60) + whole[at + 60 :]


def broken_gif() -> bytes:
    whole = encoded("GIF", save_all=True, append_images=[picture().rotate(20)])
    return whole[: whole.index(b",") + 40]


def broken_apng() -> bytes:
    whole = encoded("PNG", save_all=True, append_images=[picture().rotate(20)])
    at = whole.index(b"fcTL") + 4
    return whole[:at] + struct.pack(">I", 7) + whole[at + 4 :]


def as_file(name: str, data: Callable[[], bytes]) -> Callable[[Bench], object]:
    return lambda bench: bench.file(name, data())


def as_bytes(data: Callable[[], bytes]) -> Callable[[Bench], object]:
    return lambda bench: data()


def limited(data: bytes, **limits: Any) -> Callable[[Bench], object]:
    def build(bench: Bench) -> object:
        bench.options["limits"] = ImageLimits(**limits)
        return data

    return build


def pipe(bench: Bench) -> object:
    os.mkfifo(bench.folder / "pipe.jpg")
    return bench.folder / "pipe.jpg"


def unix_socket(bench: Bench) -> object:
    bench.monkeypatch.chdir(bench.folder)  # the name of a socket may have 108 characters
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket.jpg")
    return "socket.jpg"


def locked(bench: Bench) -> object:
    path = bench.file("locked.jpg", encoded("JPEG"))
    opened = os.open

    def refuse(name: Any, *arguments: Any, **options: Any) -> int:
        if name == path:
            raise PermissionError(13, "Permission denied")
        return opened(name, *arguments, **options)

    bench.monkeypatch.setattr(os, "open", refuse)  # the administrator may read everything, so permissions do not do
    return path


def circle(bench: Bench) -> object:
    (bench.folder / "a.jpg").symlink_to(bench.folder / "b.jpg")
    (bench.folder / "b.jpg").symlink_to(bench.folder / "a.jpg")
    return bench.folder / "a.jpg"


def dangling(bench: Bench) -> object:
    (bench.folder / "a.jpg").symlink_to(bench.folder / "gone.jpg")
    return bench.folder / "a.jpg"


def standard_input(stream: Callable[[], object]) -> Callable[[Bench], object]:
    def build(bench: Bench) -> object:
        bench.options["stdin"] = stream()
        return "-"

    return build


class Terminal(io.BytesIO):
    def isatty(self) -> bool:
        return True


class Endless(io.RawIOBase):
    def read(self, size: int = -1) -> bytes:
        return bytes(size)


def closed_stream() -> io.BytesIO:
    stream = io.BytesIO(b"x")
    stream.close()
    return stream


def web(path: str, **limits: Any) -> Callable[[Bench], object]:
    return lambda bench: bench.web(path, **limits)


def allowed(url: str) -> Callable[[Bench], object]:
    def build(bench: Bench) -> object:
        bench.options |= {"allow_urls": True, "fetcher": Fetcher(resolve=lambda host, port: [host])}
        return url

    return build


def redirect_inwards(bench: Bench) -> object:
    url = bench.web("/inwards")
    names = {"pictures.example": "127.0.0.1"}
    bench.options["fetcher"] = Fetcher(
        resolve=lambda host, port: [names.get(host, host)], allowed=lambda address: address == "127.0.0.1"
    )
    return url


def closed_picture() -> PIL.Image.Image:
    image = PIL.Image.open(io.BytesIO(encoded("PNG")))
    image.close()
    return image


CUT = "cut off"
DAMAGED = "damaged"
LARGE = "larger than"
BOMB = "million allowed"
FLOOD = "too many small parts"
UNPACKS = "unpacks to an unsafe size"

TABLE: dict[str, tuple[Callable[[Bench], object], str]] = {
    # files that are none
    "empty file": (as_file("a.jpg", bytes), "empty"),
    "missing file": (lambda bench: bench.folder / "gone.jpg", "no such file"),
    "empty name": (lambda bench: "", "the name is empty"),
    "file as a folder": (lambda bench: bench.file("a.jpg", b"x") / "b.jpg", "not a folder"),
    "folder": (lambda bench: bench.folder, "folder"),
    "no permission": (locked, "permissions"),
    "pipe": (pipe, "a pipe"),
    "device": (lambda bench: "/dev/zero", "a device"),
    "socket": (unix_socket, "a socket"),
    "links in a circle": (circle, "leads in a circle"),
    "dangling link": (dangling, "no such file"),
    "endless name": (lambda bench: "x" * 5000, "name of the file is too long"),
    "zero byte in a name": (lambda bench: "a\x00.jpg", "no file can have such a name"),
    "broken Unicode in a name": (lambda bench: "\ud800.jpg", "no file can have such a name"),
    "file too large": (
        lambda bench: limited(b"", max_bytes=9)(bench) or bench.file("a.jpg", bytes(10)),
        LARGE,
    ),
    "kernel file that blocks": (lambda bench: "/proc/self/mem", "cannot be read"),
    # names made to fool the reader
    "line break in a name": (as_file("a\nerror: all is well.jpg", bytes), "aerror: all is well.jpg: the file is empty"),
    "escape sequence in a name": (as_file("a\x1b[2J\x1b]0;x\x07.jpg", bytes), "a[2J]0;x.jpg: the file is empty"),
    "bidi override in a name": (as_file("a\u202egpj.exe", bytes), "agpj.exe: the file is empty"),
    "invisible letters in a name": (as_file("\u200b\u2066\ufeff\U000e0041", bytes), "unnamed picture: the file"),
    # files that are something else
    "text": (as_file("a.jpg", lambda: "Grüße, ich bin ein Text.\n".encode() * 400), "a text file"),
    "web page": (as_file("a.jpg", lambda: b"\n<!DOCTYPE HTML><html>"), "an HTML page"),
    "SVG": (as_file("a.png", lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "an SVG drawing"),
    "XML": (as_file("a.png", lambda: b"\xef\xbb\xbf<?xml version='1.0'?>"), "an XML or SVG file"),
    "JSON": (as_file("a.png", lambda: json.dumps({"error": "no"}).encode()), "a JSON file"),
    "PDF": (as_file("a.jpg", lambda: b"%PDF-1.7\n" + bytes(100)), "a PDF document"),
    "zip": (as_file("a.jpg", zipped), "a zip archive"),
    "ELF": (as_file("a.jpg", lambda: b"\x7fELF\x02\x01\x01" + bytes(100)), "a program"),
    "Windows program": (as_file("a.jpg", lambda: b"MZ\x90\x00" + bytes(100)), "a Windows program"),
    "gzip": (as_file("a.jpg", lambda: b"\x1f\x8b\x08" + bytes(100)), "a gzip archive"),
    "Photoshop document": (as_file("a.jpg", lambda: b"8BPS\x00\x01" + bytes(100)), "a Photoshop document"),
    "PostScript": (as_file("a.jpg", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n"), "a PostScript file"),
    "Windows metafile": (as_file("a.jpg", lambda: b"\xd7\xcd\xc6\x9a" + bytes(100)), "a Windows metafile"),
    "FITS": (as_file("a.jpg", lambda: b"SIMPLE  =" + b" " * 100), "a FITS file"),
    "icon": (as_file("a.png", lambda: b"\x00\x00\x01\x00\x01\x00" + bytes(100)), "an icon"),
    "JPEG 2000": (as_file("a.jpg", lambda: b"\x00\x00\x00\x0cjP  \r\n\x87\n"), "a JPEG 2000 picture"),
    "video": (as_file("a.jpg", lambda: box_file(b"isom")), "a video"),
    "sound": (as_file("a.webp", lambda: b"RIFF\x24\x00\x00\x00WAVEfmt "), "a sound or video file"),
    "HEIC without its plug-in": (as_file("a.heic", lambda: box_file(b"heic")), "pillow-heif"),
    "camera raw (DNG)": (as_file("a.dng", lambda: grey_tiff(1, 1, (50706, 1, 4, 1))), "a camera raw file"),
    "camera raw (preview first)": (as_file("a.nef", lambda: grey_tiff(1, 1, (254, 4, 1, 1))), "a camera raw file"),
    "zeros": (as_file("a.jpg", lambda: bytes(1000)), "a file of zeros"),
    "noise": (as_file("a.jpg", lambda: np.random.default_rng(0).bytes(5000)), "no picture that can be read"),
    # pictures that are cut
    "JPEG cut": (as_file("a.jpg", lambda: half(encoded("JPEG"))), CUT),
    "JPEG of three bytes": (as_file("a.jpg", lambda: b"\xff\xd8\xff"), DAMAGED),
    "PNG cut": (as_file("a.png", lambda: half(encoded("PNG"))), CUT),
    "PNG cut in its header": (as_file("a.png", lambda: encoded("PNG")[:20]), CUT),
    "WebP cut": (as_file("a.webp", lambda: half(encoded("WEBP"))), DAMAGED),
    "GIF cut": (as_file("a.gif", lambda: half(encoded("GIF"))), CUT),
    "TIFF cut": (as_file("a.tif", lambda: half(encoded("TIFF", compression="tiff_lzw"))), DAMAGED),
    "raw TIFF cut": (as_file("a.tif", lambda: grey_tiff(9, 9, (273, 4, 1, 99999))), CUT),
    "BMP cut": (as_file("a.bmp", lambda: half(encoded("BMP"))), CUT),
    "AVIF cut": (as_file("a.avif", lambda: half(encoded("AVIF"))), DAMAGED),
    # pictures that are broken
    "PNG with a wrong checksum": (as_file("a.png", lambda: encoded("PNG").replace(b"IHDR", b"IHDS", 1)), DAMAGED),
    "PNG without pixels": (as_file("a.png", lambda: png(9, 9)), DAMAGED),
    "PNG with noise for pixels": (as_file("a.png", lambda: png(9, 9, chunk(b"IDAT", b"noise" * 9))), DAMAGED),
    "PNG of no size": (as_file("a.png", lambda: png(0, 5, chunk(b"IDAT", zlib.compress(b"")))), DAMAGED),
    "PNG of an unknown kind": (as_file("a.png", lambda: png(1, 1, chunk(b"IDAT", b"x"), bits=3)), DAMAGED),
    "PNG with half a transparency": (
        as_bytes(lambda: png_with(chunk(b"tRNS", b"\x00"))),
        CUT,
    ),
    "APNG out of order": (as_file("a.png", broken_apng), DAMAGED),
    "animated WebP with a broken frame": (as_file("a.webp", broken_webp), DAMAGED),
    "animated GIF with a broken frame": (as_file("a.gif", broken_gif), CUT),
    "GIF of no size": (as_file("a.gif", lambda: gif(0, 0)), DAMAGED),
    "GIF without frames": (as_file("a.gif", lambda: gif(4, 4)), DAMAGED),
    "BMP of no width": (as_file("a.bmp", lambda: bmp(0, 5)), DAMAGED),
    "BMP with an absurd palette": (as_file("a.bmp", lambda: bmp(2, 2, bytes(64), 8, colours=10**8)), DAMAGED),
    "BMP in an unknown packing": (as_file("a.bmp", lambda: bmp(2, 2, bytes(64), packing=77)), DAMAGED),
    "TIFF without a directory": (as_file("a.tif", lambda: b"II*\x00\xff\xff\xff\x7f"), DAMAGED),
    "TIFF in an unknown packing": (as_file("a.tif", lambda: tiff((256, 3, 1, 1), (259, 3, 1, 4711))), DAMAGED),
    # little files that ask for much
    "PNG bomb": (as_file("a.png", lambda: png(100_000, 100_000, chunk(b"IDAT", zlib.compress(bytes(99))))), "pixels"),
    "PNG bomb below Pillow's limit": (as_bytes(lambda: png(10_001, 10_000, chunk(b"IDAT", b"x"))), BOMB),
    "JPEG bomb": (as_bytes(lambda: encoded("JPEG").replace(b"\x00\x40\x00\x60", b"\xff\xdc\xff\xdc", 1)), "pixels"),
    "GIF bomb": (
        as_bytes(lambda: gif(65535, 65535, b"," + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0) + b"\x02\x00;")),
        "pixels",
    ),
    "BMP bomb": (as_bytes(lambda: bmp(60_000, 60_000, bytes(9))), "pixels"),
    "TIFF bomb": (as_bytes(lambda: grey_tiff(60_000, 60_000, (273, 4, 1, 8))), "pixels"),
    "WebP bomb": (
        as_bytes(lambda: b"RIFF\x1e\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00" + bytes(4) + b"\xff" * 6 + bytes(8)),
        "pixels",
    ),
    "too long an edge": (as_bytes(lambda: png(70_000, 1, chunk(b"IDAT", zlib.compress(bytes(210_001))))), "one edge"),
    "more pixels than asked for": (limited(encoded("PNG"), max_pixels=6143), "96 × 64 pixels"),
    "iTXt bomb": (as_bytes(lambda: png_with(chunk(b"iTXt", b"k\x00\x01\x00\x00\x00" + text_bomb()))), UNPACKS),
    "zTXt bomb": (as_bytes(lambda: png_with(chunk(b"zTXt", b"k\x00\x00" + text_bomb()))), UNPACKS),
    "colour profile bomb": (as_bytes(lambda: png_with(chunk(b"iCCP", b"k\x00\x00" + text_bomb()))), UNPACKS),
    "million chunks": (as_bytes(lambda: png_with(chunk(b"prIv") * 500_000)), FLOOD),
    "million comments": (
        as_bytes(lambda: encoded("JPEG")[:2] + b"\xff\xfe\x00\x02" * 500_000 + encoded("JPEG")[2:]),
        FLOOD,
    ),
    "million comment blocks": (as_bytes(lambda: gif(4, 4, b"!\xfe" + b"\x01x" * 500_000 + b"\x00")), FLOOD),
    "hundred EXIF blocks": (as_bytes(exif_flood), FLOOD),
    "thousand scans": (as_bytes(progressive_bomb), FLOOD),
    "million strips": (as_bytes(lambda: grey_tiff(1, 2, (273, 1, 500_000, 90), rest=bytes(500_000))), "absurdly long"),
    "million bits": (as_bytes(lambda: tiff((258, 3, 2_000_000, 90), rest=bytes(4_000_000))), "absurdly long"),
    "million run lengths": (
        as_bytes(lambda: bmp(5000, 3000, b"\x01\x00" * 500_000, 8, packing=1, colours=1)),
        FLOOD,
    ),
    "large run-length BMP": (as_bytes(lambda: bmp(9000, 9000, bytes(9), 8, packing=1, colours=1)), "run-length"),
    # bytes, standard input, data URIs
    "no bytes": (as_bytes(bytes), "empty"),
    "too many bytes": (limited(bytes(1000), max_bytes=999), LARGE),
    "nothing on standard input": (standard_input(io.BytesIO), "standard input: the file is empty"),
    "terminal for standard input": (standard_input(Terminal), "pipe a picture"),
    "endless standard input": (standard_input(Endless), LARGE),
    "closed standard input": (standard_input(closed_stream), "standard input cannot be read"),
    "data URI without data": (lambda bench: "data:image/png;base64", "no comma"),
    "data URI of nothing": (lambda bench: "data:,", "empty"),
    "data URI in bad base64": (lambda bench: "data:image/png;base64,!!!", "not valid base64"),
    "data URI of text": (lambda bench: "data:text/plain,hello%20there", "a text file"),
    "data URI of a cut picture": (
        lambda bench: "data:image/jpeg;base64," + base64.b64encode(half(encoded("JPEG"))).decode(),
        CUT,
    ),
    "data URI too large": (
        lambda bench: limited(b"", max_bytes=999)(bench) or "data:image/png;base64," + "AAAA" * 334,
        LARGE,
    ),
    # addresses
    "address that was not allowed": (lambda bench: "https://pictures.example/a?key=secret", "--allow-urls"),
    "file address": (lambda bench: "file:///etc/passwd", "only http(s) addresses and plain paths"),
    "address of another scheme": (allowed("ftp://pictures.example/a"), "only http(s) addresses and plain paths"),
    "address of this machine": (allowed("http://127.0.0.1/a"), "not a public address"),
    "address of a private host": (allowed("http://192.168.1.1/a"), "not a public address"),
    "address of cloud metadata": (allowed("http://169.254.169.254/a"), "not a public address"),
    "private address in IPv6": (allowed("http://[::ffff:10.0.0.1]/a"), "not a public address"),
    "address with a password": (allowed("https://me:secret@pictures.example/a"), "user name or password"),
    "address that is none": (allowed("http://[::1/a"), "not a valid web address"),
    "redirect inwards": (redirect_inwards, "not a public address"),
    "redirect to a file": (web("/to_file"), "not http or https"),
    "redirect in a circle": (web("/loop"), "redirects more than 3 times"),
    "picture that is gone": (web("/gone"), "status 404"),
    "sign-in page for a picture": (web("/page.jpg"), "an HTML page"),
    "server that drips": (web("/drip", fetch_seconds=0.2), "longer than 0.2 seconds"),
    "server that never ends": (web("/endless", max_bytes=200_000), LARGE),
    "server that breaks off": (web("/half"), "dropped the connection"),
    "answer that is compressed": (web("/packed"), "compressed"),
    # Python objects
    "PIL image of no size": (lambda bench: PIL.Image.new("RGB", (0, 0)), "no pixels"),
    "PIL image that is closed": (lambda bench: closed_picture(), "cannot be loaded"),
    "PIL image of a cut file": (lambda bench: PIL.Image.open(io.BytesIO(half(encoded("JPEG")))), "cannot be loaded"),
    "PIL image too large": (
        lambda bench: limited(b"", max_pixels=99)(bench) or PIL.Image.new("L", (10, 10)),
        "10 × 10 pixels",
    ),
    "nothing": (lambda bench: None, "of type NoneType is no picture"),
    "number": (lambda bench: 42, "of type int is no picture"),
}


@pytest.mark.parametrize(("build", "expected"), TABLE.values(), ids=TABLE.keys())
def test_bad_input_gives_one_clear_line(build, expected, bench, capfd):
    source = build(bench)
    start = time.process_time()
    with pytest.raises(ImageError) as caught:
        load_image(source, **bench.options)
    seconds = time.process_time() - start
    message = str(caught.value)
    assert expected in message
    assert message.isprintable()
    assert len(message) <= 300
    assert "secret" not in message
    assert str(bench.folder) not in message
    assert capfd.readouterr() == ("", "")
    assert seconds < 10
    assert caught.value.exit_code == 2
