import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from backends.errors import ConfigError
from paradigms import exemplars as module
from paradigms.exemplars import Exemplar, choose_exemplars, load_exemplars
from paradigms.label import Label

OTHER = "0" * 64


def put(folder: Path, name: str, content: bytes | str = b"") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def known(label: Label, number: int) -> Exemplar:
    return Exemplar(label, reason=str(number), sha256=f"{label.value}{number}")


GENERATED = [known(Label.GENERATED, number) for number in range(3)]
REAL = [known(Label.REAL, number) for number in range(3)]


class TestFolders:
    @pytest.mark.parametrize("generated", ["generated", "ai", "fake", "1_fake", "AI"])
    @pytest.mark.parametrize("real", ["real", "photo", "nature", "0_real", "Real"])
    def test_labels_are_the_folders_names(self, tmp_path, generated, real):
        put(tmp_path, f"{generated}/a.png", b"one")
        put(tmp_path, f"{real}/b.JPG", b"two")
        put(tmp_path, "others/c.png", b"three")
        assert [item.label for item in load_exemplars(tmp_path)] == [Label.GENERATED, Label.REAL]

    def test_pictures_come_with_reason_and_digest(self, tmp_path):
        put(tmp_path, "real/b.webp", b"b")
        put(tmp_path, "real/a.png", b"a")
        put(tmp_path, "real/a.txt", "\ufeffThe grain is even.\n")
        put(tmp_path, "real/notes.md", b"ignored")
        put(tmp_path, "real/._a.png", b"ignored")
        put(tmp_path, "generated/z.jpeg", b"z")
        found = load_exemplars(tmp_path)
        assert [item.picture.name for item in found] == ["z.jpeg", "a.png", "b.webp"]
        assert [item.reason for item in found] == ["", "The grain is even.", ""]
        assert found[1].sha256 == hashlib.sha256(b"a").hexdigest()

    def test_a_manifest_in_the_folder_comes_first(self, tmp_path):
        put(tmp_path, "real/a.png", b"a")
        put(tmp_path, "manifest.csv", "picture,label,reason\nreal/a.png,real,told\n")
        assert [item.reason for item in load_exemplars(tmp_path)] == ["told"]

    def test_two_manifests_are_refused(self, tmp_path):
        put(tmp_path, "manifest.csv")
        put(tmp_path, "manifest.json")
        with pytest.raises(ConfigError, match="2 manifests"):
            load_exemplars(tmp_path)

    def test_a_link_out_of_the_folder_is_refused(self, tmp_path):
        outside = put(tmp_path, "outside.png", b"secret")
        link = tmp_path / "set" / "real" / "a.png"
        link.parent.mkdir(parents=True)
        link.symlink_to(outside)
        with pytest.raises(ConfigError, match="leads out of"):
            load_exemplars(tmp_path / "set")

    def test_an_empty_folder_says_what_to_do(self, tmp_path):
        with pytest.raises(ConfigError, match="put pictures into its folders 'generated' and 'real'"):
            load_exemplars(tmp_path)

    def test_a_reason_is_bounded(self, tmp_path):
        put(tmp_path, "real/a.png", b"a")
        put(tmp_path, "real/a.txt", "x" * 2001)
        with pytest.raises(ConfigError, match="shorten the reason"):
            load_exemplars(tmp_path)

    def test_the_number_is_bounded(self, tmp_path, monkeypatch):
        monkeypatch.setattr(module, "_MAX_EXEMPLARS", 2)
        for number in range(2):
            put(tmp_path, f"real/{number}.png", str(number))
        assert len(load_exemplars(tmp_path)) == 2
        put(tmp_path, "real/2.png", b"2")
        with pytest.raises(ConfigError, match="more than 2 exemplars"):
            load_exemplars(tmp_path)


ROWS = [
    {"picture": "x/a.png", "label": "ai", "reason": "Hair melts, into skin."},
    {"description": "A kettle on a stove.", "label": "photo", "reason": "The dust is uneven."},
]
MANIFESTS = {
    "m.csv": (
        "\ufeffpicture,label, reason,description\r\n"
        'x/a.png,ai,"Hair melts, into skin.",\r\n'
        ",photo,The dust is uneven.,A kettle on a stove.\r\n"
    ),
    "m.jsonl": "\n".join(json.dumps(row) for row in ROWS) + "\n\n",
    "m.json": json.dumps(ROWS),
    "m.yaml": "".join(
        f"- {{{', '.join(f'{key}: {json.dumps(value)}' for key, value in row.items())}}}\n" for row in ROWS
    ),
}


class TestManifests:
    @pytest.mark.parametrize("name", MANIFESTS)
    def test_every_kind_reads_the_same(self, tmp_path, name):
        picture = put(tmp_path, "x/a.png", b"a")
        assert load_exemplars(put(tmp_path, name, MANIFESTS[name])) == (
            Exemplar(
                Label.GENERATED,
                reason="Hair melts, into skin.",
                picture=picture.resolve(),
                sha256=hashlib.sha256(b"a").hexdigest(),
            ),
            Exemplar(Label.REAL, reason="The dust is uneven.", description="A kettle on a stove."),
        )

    @pytest.mark.parametrize(
        "picture",
        ["/etc/passwd", "../a.png", "x/../../a.png", "..\\a.png", "C:\\a.png", "C:a.png", "\\\\host\\share\\a.png"],
    )
    def test_a_picture_stays_inside_the_folder(self, tmp_path, picture):
        put(tmp_path, "a.png", b"a")
        path = put(tmp_path, "set/m.json", json.dumps([{"picture": picture, "label": "real"}]))
        with pytest.raises(ConfigError, match="must be relative"):
            load_exemplars(path)

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("m.json", "[{]", "not valid JSON"),
            ("m.json", "[" * 100_000, "not valid JSON"),
            ("m.json", "{}", "a manifest is a list"),
            ("m.json", '["a"]', "exemplar 1"),
            ("m.json", "[]", "no exemplars"),
            ("m.json", '[{"label": "real"}]', "give a picture, or a description"),
            ("m.json", '[{"label": "real", "picture": "none.png"}]', "there is no picture 'none.png'"),
            ("m.json", '[{"label": "real", "picture": "a\\u0000.png"}]', "file name"),
            ("m.json", '[{"label": "real", "description": "\\ud800"}]', "description"),
            ("m.json", '[{"label": "maybe", "description": "d"}]', "a label is 'generated' or 'real'"),
            ("m.json", '[{"label": 1, "description": "d"}]', "a label is 'generated' or 'real'"),
            ("m.json", '[{"lable": "real", "description": "d"}]', "Did you mean 'label'"),
            ("m.json", json.dumps([{"label": "real", "description": "d" * 2001}]), "2000"),
            ("m.jsonl", '{"label": "real", "description": "d"}\nx\n', "line 2: not valid JSON"),
            ("m.csv", "label,reason\nreal,a,b,c\n", "more fields than the header"),
            ("m.csv", 'label,description\nreal,"open\n', "not valid CSV"),
            ("m.yaml", "- [", "not valid YAML"),
            ("m.csv", b"\xff\xfe\x00", "not UTF-8"),
            ("m.csv", b"x" * 1_000_001, "larger than"),
            ("m.toml", "", "not a folder, nor a manifest"),
        ],
    )
    def test_every_mistake_is_one_line(self, tmp_path, name, content, message):
        path = put(tmp_path, name, content)
        with pytest.raises(ConfigError, match=message) as caught:
            load_exemplars(path)
        assert "\n" not in str(caught.value)
        assert str(path) in str(caught.value)

    @pytest.mark.parametrize("name", ["none", "none.csv", "none/m.json"])
    def test_what_is_not_there_is_named(self, tmp_path, name):
        with pytest.raises(ConfigError, match="none"):
            load_exemplars(tmp_path / name)

    def test_a_circle_of_links_is_refused(self, tmp_path):
        (tmp_path / "a.png").symlink_to(tmp_path / "b.png")
        (tmp_path / "b.png").symlink_to(tmp_path / "a.png")
        with pytest.raises(ConfigError, match=r"a\.png"):
            load_exemplars(put(tmp_path, "m.json", '[{"label": "real", "picture": "a.png"}]'))

    def test_an_endless_name_is_refused(self, tmp_path):
        path = put(tmp_path, "m.json", json.dumps([{"label": "real", "picture": "a" * 400}]))
        with pytest.raises(ConfigError, match="too long"):
            load_exemplars(path)


class TestChoice:
    @pytest.mark.parametrize("given", [GENERATED + REAL, REAL + GENERATED])
    def test_labels_alternate_generated_first(self, given):
        assert choose_exemplars(given, OTHER) == (GENERATED[0], REAL[0])
        assert choose_exemplars(given, OTHER, 5) == (
            GENERATED[0],
            REAL[0],
            GENERATED[1],
            REAL[1],
            GENERATED[2],
        )

    def test_the_judged_file_is_never_shown(self):
        given = GENERATED + REAL
        assert choose_exemplars(given, GENERATED[0].sha256) == (GENERATED[1], REAL[0])
        assert choose_exemplars(given, REAL[0].sha256) == (GENERATED[0], REAL[1])

    def test_the_digest_may_be_written_in_capitals(self):
        given = [Exemplar(Label.GENERATED, sha256="ab" * 32), *GENERATED, *REAL]
        assert choose_exemplars(given, "AB" * 32)[0] == GENERATED[0]

    def test_exemplars_of_text_are_always_apart(self):
        texts = [Exemplar(Label.GENERATED, description="d"), Exemplar(Label.REAL, description="d")]
        assert choose_exemplars(texts, OTHER) == tuple(texts)

    @pytest.mark.parametrize(
        ("given", "judged", "label"),
        [
            (GENERATED, OTHER, "real"),
            (REAL, OTHER, "generated"),
            (GENERATED[:1] + REAL, GENERATED[0].sha256, "generated"),
            ([], OTHER, "generated"),
        ],
    )
    def test_a_missing_side_is_named(self, given, judged, label):
        with pytest.raises(ConfigError, match=f"labelled '{label}' besides the judged picture; there are 0"):
            choose_exemplars(given, judged)

    def test_too_few_of_a_side_are_counted(self):
        with pytest.raises(ConfigError, match=r"8 exemplars need 4 labelled 'generated' .*there are 3"):
            choose_exemplars(GENERATED + REAL, OTHER, 8)

    @pytest.mark.parametrize("count", [1, 0, -2])
    def test_one_label_alone_is_never_shown(self, count):
        with pytest.raises(ConfigError, match="at least 2"):
            choose_exemplars(GENERATED + REAL, OTHER, count)


class TestLikeness:
    def test_a_copy_of_an_exemplar_is_not_shown_beside_it(self) -> None:
        bits = int("5a" * 16, 16)
        first, second = (replace(item, likeness=bits ^ n) for item, n in zip(GENERATED, (0, 2**64 - 1), strict=False))
        given = [first, second, REAL[0]]
        assert choose_exemplars(given, OTHER, judged_likeness=bits ^ 0b111)[0] == second
        assert choose_exemplars(given, OTHER, judged_likeness=None)[0] == first
