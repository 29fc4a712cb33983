import json
import random
import time

import pytest

from paradigms.signals.provenance import ClaimKind, Declaration, Provenance, container, read_provenance

AT = "http://cv.iptc.org/newscodes/digitalsourcetype/"
GRAPH = {"3": {"class_type": "KSampler", "inputs": {}}}


def test_one_declaration_in_every_container(files):
    exif = files.exif(detail={0x9286: b"UNICODE\0" + files.WEBUI.encode("utf-16-be")})
    pictures = {
        "jpeg": files.jpeg(exif=exif),
        "png": files.png(files.chunk(b"eXIf", exif)),
        "webp": files.picture("WEBP", exif=b"Exif\0\0" + exif),
        "avif": files.picture("AVIF", exif=b"Exif\0\0" + exif),
        "tiff": exif,
    }
    for name, data in pictures.items():
        said = read_provenance(data)
        assert (name, said.declaration, said.where) == (name, Declaration.DECLARES_GENERATED, "exif:UserComment")


@pytest.mark.parametrize(
    ("keywords", "declaration", "tool"),
    [
        ({"prompt": json.dumps(GRAPH), "workflow": "{}"}, Declaration.DECLARES_GENERATED, "ComfyUI"),
        (
            {"Software": "NovelAI", "Comment": json.dumps({"steps": 28, "scale": 5, "seed": 1, "sampler": "x"})},
            Declaration.DECLARES_GENERATED,
            "NovelAI",
        ),
        (
            {"fooocus_scheme": "fooocus", "parameters": json.dumps({"steps": 30, "seed": 1, "guidance_scale": 4})},
            Declaration.DECLARES_GENERATED,
            "Fooocus",
        ),
        (
            {"prompt": "a duck", "seed": "1", "num_inference_steps": "25", "guidance_scale": "7.5"},
            Declaration.DECLARES_GENERATED,
            None,
        ),
        ({"Software": "NovelAI"}, Declaration.NONE, None),
        ({"Comment": "Created with GIMP"}, Declaration.NONE, None),
        ({"Title": "AI generated", "Description": "Midjourney"}, Declaration.NONE, None),
        ({"AIGC": '{"Label": "1", "ContentProducer": "x"}'}, Declaration.DECLARES_GENERATED, None),
    ],
)
def test_text_chunks(files, keywords, declaration, tool):
    said = read_provenance(files.png(*(files.text(key, text) for key, text in keywords.items())))
    assert (said.declaration, said.tool) == (declaration, tool)


def test_camera_data_beside_an_unsigned_declaration(files):
    xmp = files.segment(
        0xE1, files.XMP_HEAD + files.xmp(f'Iptc4xmpExt:DigitalSourceType="{AT}trainedAlgorithmicMedia"')
    )
    said = read_provenance(files.jpeg(xmp, exif=files.camera_exif()))
    assert (said.declaration, said.camera, said.signed) == (Declaration.DECLARES_GENERATED, True, False)


def test_a_camera_file_and_what_undoes_it(files):
    plain = files.jpeg(exif=files.camera_exif({0x0131: "Ver.1.0"}))
    assert read_provenance(plain).declaration is Declaration.CAMERA_FILE
    edited = files.jpeg(exif=files.camera_exif({0x0131: "GIMP 2.10"}))
    commented = files.jpeg(files.segment(0xFE, b"Created with GIMP"), exif=files.camera_exif())
    history = files.xmp('xmp:CreatorTool="Adobe Photoshop Lightroom"')
    written = files.jpeg(files.segment(0xE1, files.XMP_HEAD + history), exif=files.camera_exif())
    assert {read_provenance(data).declaration for data in (edited, commented, written)} == {Declaration.NONE}


def test_iptc_in_photoshop_blocks(files):
    record = b"\x1c\x02\x6e\x00\x13Made with Google AI"
    block = b"8BIM\x04\x04\0\0\0\0\0" + bytes([len(record)]) + record
    said = read_provenance(files.jpeg(files.segment(0xED, b"Photoshop 3.0\0" + block)))
    assert (said.declaration, said.where) == (Declaration.DECLARES_GENERATED, "iptc:Credit")


def test_prompts_are_marked_private_and_authors_are_not_repeated(files):
    said = read_provenance(files.png(files.text("parameters", files.WEBUI), files.text("Author", "Zelda Q")))
    assert all(claim.private for claim in said.claims)
    assert said.private_fields.owner_name
    assert "Zelda" not in said.model_dump_json()


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM" + bytes(60), b"%PDF-1.7"]
)
def test_what_is_no_picture_says_nothing(data):
    assert read_provenance(data) == Provenance()


def test_the_first_bytes_count_not_the_name_or_what_follows(files):
    jpeg = files.jpeg(files.segment(0xFE, files.WEBUI.encode()))
    assert read_provenance(jpeg + files.png()).where == "jpeg:comment"
    assert read_provenance(files.png() + jpeg).declaration is Declaration.NONE


def test_hidden_words_that_are_no_parameters_are_only_information(files, monkeypatch):
    field = container.TextField("stealth-alpha", "stealth_pnginfo", "hello")
    monkeypatch.setattr("paradigms.signals.provenance.read.read_stealth", lambda *_: field)
    said = read_provenance(files.png())
    assert said.declaration is Declaration.NONE
    assert [(claim.kind, claim.private) for claim in said.claims] == [(ClaimKind.INFO, True)]


def test_too_much_metadata_is_noted(files):
    assert container.TOO_MUCH in read_provenance(files.png(*[files.text("Comment", "x")] * 100)).notes


@pytest.fixture(scope="module")
def seeds(files, sign):
    """One file of each kind, full of metadata."""
    exif = files.camera_exif({0x010E: "workflow:" + json.dumps(GRAPH), 0x013B: "x"})
    xmp = files.xmp(f'Iptc4xmpExt:DigitalSourceType="{AT}trainedAlgorithmicMedia"', "<dc:creator>x</dc:creator>")
    block = b"8BIM\x04\x04\0\0\0\0\0\x18\x1c\x02\x6e\x00\x13Made with Google AI"
    segments = [files.segment(0xE1, files.XMP_HEAD + xmp), files.segment(0xED, b"Photoshop 3.0\0" + block)]
    jpeg = files.jpeg(*segments, files.segment(0xFE, files.WEBUI.encode()), exif=exif)
    png = files.png(
        files.chunk(b"eXIf", exif),
        files.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp),
        files.text("parameters", files.WEBUI),
        files.text("prompt", json.dumps(GRAPH)),
        size=(20, 130),
    )
    return [
        jpeg,
        png,
        sign(jpeg, files.manifest({"action": "c2pa.created", "digitalSourceType": "trainedAlgorithmicMedia"})),
        files.picture("WEBP", "RGBA", (16, 16), lossless=True, exif=b"Exif\0\0" + exif, xmp=xmp),
        files.picture("GIF", "P", comment=b"a comment"),
        files.picture("AVIF", exif=b"Exif\0\0" + exif, xmp=xmp),
        files.picture("TIFF"),
        exif,
    ]


def damaged(data, chance):
    data = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 8, 40))):
        at = chance.randrange(len(data))
        match chance.randrange(4):
            case 0:
                data[at] ^= 1 << chance.randrange(8)
            case 1:
                data[at : at + 4] = chance.choice((b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\1"))
            case 2:
                del data[at : at + chance.randrange(1, 40)]
            case 3:
                data[at:at] = data[max(0, at - 40) : at]
        data = data or bytearray(b"x")
    return bytes(data[: chance.randrange(len(data))] if chance.random() < 0.2 else data)


def test_damaged_files_are_survived_quickly(seeds):
    chance = random.Random(20)
    slowest = 0.0
    for turn in range(1200):
        data = damaged(seeds[turn % len(seeds)], chance)
        start = time.process_time()
        assert isinstance(read_provenance(data), Provenance)
        slowest = max(slowest, time.process_time() - start)
    assert slowest < 1


def test_every_truncation_is_survived(seeds):
    for data in seeds:
        for end in range(0, len(data), 1 + len(data) // 60):
            assert isinstance(read_provenance(data[:end]), Provenance)
