from __future__ import annotations

from pathlib import Path

import pytest

from backends.errors import ConfigError, UnknownNameError
from orchestrator.config import Overrides, ensemble_names, load_ensemble
from paradigms.library import SIX

SPEC = "scripted:answers.yaml"


def write(folder: Path, text: str, name: str = "mine.yaml") -> str:
    path = folder / name
    path.write_text(text, "utf-8")
    return str(path)


def test_without_a_backend_the_default_only_measures() -> None:
    ensemble = load_ensemble()
    assert (ensemble.name, ensemble.ask, tuple(ensemble.paradigms)) == ("measured", False, SIX)
    assert ensemble.panel_backend is None


@pytest.mark.parametrize(
    ("overrides", "environment"),
    [
        (Overrides(backend=SPEC), {}),
        (Overrides(), {"SIXLENS_BACKEND": SPEC}),
        (Overrides(settings=(f"backend={SPEC}",)), {}),
    ],
)
def test_a_named_backend_makes_the_default_ask(overrides: Overrides, environment: dict[str, str]) -> None:
    ensemble = load_ensemble(None, overrides, environment)
    assert (ensemble.name, ensemble.backend_of("structural")) == ("six", SPEC)


def test_other_variables_of_the_environment_are_not_read() -> None:
    assert load_ensemble(None, environment={"OPENAI_API_KEY": "sk-secret"}).name == "measured"


def test_the_shipped_defaults() -> None:
    six = load_ensemble("six")
    assert six.layout == "shared"
    assert six.sampling.temperature == 0
    assert (six.fusion.strategy, six.fusion.quorum, six.fusion.generated_share) == ("vote", 4, 0.8)
    assert six.provenance == "decide"
    assert six.fusion.backend is None


@pytest.mark.parametrize("name", ensemble_names())
def test_every_shipped_ensemble_loads_under_its_own_name(name: str) -> None:
    assert load_ensemble(name).name == name


def test_a_file_extends_six_and_merges_paradigms_by_name(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
backend: scripted:a.yaml
fusion: {quorum: 3}
paradigms:
  reflections: {file: more/reflections.yaml}
  structural: {backend: "scripted:b.yaml"}
  few_shot: null
""",
    )
    ensemble = load_ensemble(path)
    assert ensemble.name == "mine"
    assert tuple(ensemble.paradigms) == (*(name for name in SIX if name != "few_shot"), "reflections")
    assert ensemble.paradigms["reflections"].file == str(tmp_path / "more/reflections.yaml")
    assert ensemble.backend_of("structural") == "scripted:b.yaml"
    assert ensemble.backend_of("reflections") == "scripted:a.yaml"
    assert (ensemble.fusion.quorum, ensemble.fusion.generated_share) == (3, 0.8)


def test_a_list_of_paradigms_replaces_them_all(tmp_path: Path) -> None:
    ensemble = load_ensemble(write(tmp_path, "paradigms: [direct, ./mirror.yaml]\n"))
    assert tuple(ensemble.paradigms) == ("direct", "mirror")


def test_a_file_may_extend_another_file(tmp_path: Path) -> None:
    write(tmp_path, "fusion: {quorum: 2}\nlayout: paper\n", "base.yaml")
    ensemble = load_ensemble(write(tmp_path, "extends: base.yaml\nfusion: {strategy: tally}\n"))
    assert (ensemble.layout, ensemble.fusion.quorum, ensemble.fusion.strategy) == ("paper", 2, "tally")


def test_the_order_of_precedence(tmp_path: Path) -> None:
    path = write(tmp_path, "backend: scripted:file\nlayout: paper\n")
    assert load_ensemble(path).backend == "scripted:file"
    environment = {"SIXLENS_BACKEND": "scripted:environment"}
    assert load_ensemble(path, environment=environment).backend == "scripted:environment"
    flags = Overrides(backend="scripted:flag", settings=("layout=shared",))
    ensemble = load_ensemble(path, flags, environment)
    assert (ensemble.backend, ensemble.layout) == ("scripted:flag", "shared")


def test_the_flag_replaces_every_backend_but_a_setting_can_swap_one_again(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "backend: scripted:a\nfallback: ['scripted:z']\nfusion: {backend: 'scripted:p'}\n"
        "paradigms: {structural: {backend: 'scripted:b'}}\n",
    )
    only = load_ensemble(path, Overrides(backend="scripted:c"))
    assert {only.backend_of(name) for name in only.paradigms} == {"scripted:c"}
    assert (only.panel_backend, only.fallback) == ("scripted:c", ())
    swapped = load_ensemble(
        path, Overrides(backend="scripted:c", settings=("paradigms.structural.backend=scripted:d",))
    )
    assert swapped.backend_of("structural") == "scripted:d"
    assert swapped.backend_of("stereotype") == "scripted:c"


def test_limits_of_single_backends_lie_over_those_of_all_and_go_with_the_backend(tmp_path: Path) -> None:
    text = "backend: scripted:a\nlimits: {rpm: 60, backends: {'scripted:a': {ceiling: 2}, 'scripted:b': {rpm: 5}}}\n"
    limits = load_ensemble(write(tmp_path, text)).limits
    assert (limits.of("scripted:a").ceiling, limits.of("scripted:a").rpm) == (2, 60)
    assert (limits.of("scripted:b").ceiling, limits.of("scripted:b").rpm) == (64, 5)
    assert limits.of("scripted:c").rpm == 60
    only = load_ensemble(str(tmp_path / "mine.yaml"), Overrides(backend="scripted:b")).limits
    assert set(only.backends) == {"scripted:b"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fusoin: {quorum: 3}", "Did you mean 'fusion'"),
        ("extends: six\nparagidms: {stereotype: null}", "Did you mean 'paradigms'"),
        ("extends: six\nparadigms: {stereotyp: null}", "Did you mean 'stereotype'"),
        ("fusion: {quroum: 3}", "Did you mean 'quorum'"),
        ("fusion: {quorum: none}", "fusion.quorum"),
        ("layout: papyrus", "layout"),
        ("- six", "mapping"),
        ("layout: [shared", "line"),
        ("layout: shared\nlayout: paper", "given twice"),
        ("extends: sixx", "Did you mean 'six'"),
        ("paradigms: {Structural: {}}", "no paradigm name"),
        ("paradigms: {prepare: {}}", "no paradigm name"),
        ("deadlines: {case: 10, fusion: 10}", "less than"),
        ("stages: [[structural]]", "exactly once"),
        ("name: mine\nsteps: []", "this is a paradigm"),
        ("name: mine\ndata: {path: x}", "this is an experiment"),
        ("rules: [{text: x}]", "this is a script of answers"),
    ],
)
def test_a_mistake_is_one_line_that_says_where(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        load_ensemble(write(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_file_that_extends_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="deep"):
        load_ensemble(write(tmp_path, "extends: mine.yaml\n"))


def test_an_unknown_ensemble_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'measured'"):
        load_ensemble("mesured")


def test_measured_refuses_a_backend_rather_than_ignoring_it() -> None:
    with pytest.raises(ConfigError, match="--ensemble six"):
        load_ensemble("measured", Overrides(backend=SPEC))
    assert load_ensemble("measured", environment={"SIXLENS_BACKEND": SPEC}).backend is None


@pytest.mark.parametrize("setting", ["fusion.quorum", "=3", ".a=1", ""])
def test_a_setting_needs_a_key_and_a_value(setting: str) -> None:
    with pytest.raises(ConfigError, match="KEY=VALUE"):
        load_ensemble("six", Overrides(settings=(setting,)))
