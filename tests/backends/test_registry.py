from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from backends import registry
from backends.backend import Provider
from backends.errors import ConfigError, MissingExtraError, UnknownNameError
from backends.providers.scripted import Rule, Script, ScriptedBackend
from backends.registry import BackendSettings, describe, open_backend, provider_names

KEY = "sixlens-test-key-0123456789"


def open_mine(rest: str, settings: BackendSettings) -> ScriptedBackend:
    return ScriptedBackend(Script(rules=(Rule(text=rest),)), f"mine:{rest}", "1", settings)


def open_wrong(rest: str, settings: BackendSettings) -> object:
    return object()


@pytest.fixture
def third_party(monkeypatch):
    """Registers functions of this module under names."""

    def register(**functions: str) -> None:
        entries = [EntryPoint(name, f"{__name__}:{value}", registry.GROUP) for name, value in functions.items()]
        monkeypatch.setattr(registry, "entry_points", lambda group: entries)
        monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or _this_module())

    return register


def _this_module():
    import types

    module = types.ModuleType(__name__)
    vars(module).update(globals())
    return module


def test_the_names():
    assert provider_names() == ("anthropic", "compatible", "hf", "ollama", "openai", "scripted")


def test_local_settings_of_a_server_are_refused():
    settings = BackendSettings.model_validate({"local": {"dtype": "float16"}})
    with pytest.raises(ConfigError, match=r"compatible:m@http://127\.0\.0\.1: `local` is for models in this process"):
        open_backend("compatible:m@http://127.0.0.1", settings)


def test_every_provider_is_described():
    rows = {info.name: info for info in describe()}
    assert set(rows) == set(provider_names())
    assert all(info.what and info.spec.startswith(info.name + ":") for info in rows.values())
    assert [name for name, info in rows.items() if info.hosted] == ["openai", "anthropic"]
    assert [name for name, info in rows.items() if info.extra] == ["hf"]
    assert all(info.available for info in rows.values() if not info.extra)
    assert rows["openai"].key == "OPENAI_API_KEY"


@pytest.mark.parametrize(
    ("spec", "destination", "hosted"),
    [
        ("openai:gpt-4o", "api.openai.com", True),
        ("anthropic:claude-opus-5", "api.anthropic.com", True),
        ("anthropic:m@http://127.0.0.1:8000/v1", "127.0.0.1:8000 (this machine)", False),
        ("compatible:qwen@http://127.0.0.1:8000/v1", "127.0.0.1:8000 (this machine)", False),
        ("compatible:@http://localhost:8000", "localhost:8000 (this machine)", False),
        ("compatible:https://models.example.org", "models.example.org", True),
        ("ollama:qwen2.5vl:7b", "127.0.0.1:11434 (this machine)", False),
        ("ollama:qwen3-vl:235b-cloud", "ollama.com (through 127.0.0.1:11434)", True),
        ("ollama:llava@http://192.168.1.9:11434", "192.168.1.9:11434", True),
    ],
)
async def test_every_spec_says_where_pictures_go(spec, destination, hosted):
    backend = open_backend(spec)
    assert isinstance(backend, Provider)
    assert (backend.capabilities.destination, backend.capabilities.hosted) == (destination, hosted)
    assert open_backend(backend.spec).identity == backend.identity
    await backend.aclose()
    await backend.aclose()


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("gpt-4o", "PROVIDER:MODEL"),
        ("openai:", "names no model"),
        ("openai:gpt-4o@https://elsewhere.example", "compatible:MODEL@URL"),
        ("anthropic:", "names no model"),
        ("compatible:qwen", "names no server"),
        ("compatible:qwen@127.0.0.1:8000", "names no server"),
        ("compatible:qwen@ftp://host", "http://"),
        ("compatible:qwen@http://user:hunter2@host", "user or a password"),
        ("compatible:qwen@http://host/v1?key=hunter2", "must end before"),
        ("ollama:", "names no model"),
        ("ollama:@http://127.0.0.1:1", "names no model"),
    ],
)
def test_a_wrong_spec_is_one_clear_line(spec, says):
    with pytest.raises(ConfigError, match=says) as caught:
        open_backend(spec)
    assert "\n" not in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_an_unknown_provider_with_the_nearest_name():
    with pytest.raises(UnknownNameError, match="Did you mean 'openai'"):
        open_backend("opnai:gpt-4o")


def test_a_missing_extra_names_its_install_line(monkeypatch):
    what = "a model run in this process"
    info = registry.ProviderInfo("big", what, "big:MODEL", extra="local", modules=("no_such_module",))
    monkeypatch.setattr("backends.registry._BUILT_IN", (registry._BuiltIn(info, "nowhere", "open_big"),))
    with pytest.raises(MissingExtraError, match=r"pip install -c constraints.txt -e '\.\[local\]' in the clone"):
        open_backend("big:Qwen/Qwen2.5-VL-3B-Instruct")


@pytest.mark.parametrize(
    ("spec", "variable"),
    [
        ("openai:gpt-4o", "OPENAI_API_KEY"),
        ("anthropic:claude-opus-5", "ANTHROPIC_API_KEY"),
        ("compatible:m@http://127.0.0.1:8000", "SIXLENS_COMPATIBLE_API_KEY"),
        ("anthropic:m@http://127.0.0.1:8000", "SIXLENS_COMPATIBLE_API_KEY"),
        ("ollama:m@http://10.0.0.1:11434", "OLLAMA_API_KEY"),
    ],
)
def test_the_key_tells_accounts_apart_and_is_shown_nowhere(monkeypatch, spec, variable):
    without = open_backend(spec)
    monkeypatch.setenv(variable, KEY)
    backend = open_backend(spec)
    monkeypatch.setenv(variable, KEY + "x")
    assert without.account == ""
    assert backend.account
    assert backend.account != open_backend(spec).account
    shown = [repr(backend), backend.spec, backend.identity, backend.account, str(backend.capabilities)]
    shown += [repr(value) for value in vars(backend).values()]
    assert not any(KEY in text for text in shown)
    assert backend.identity == without.identity


def test_identity_changes_with_settings_that_change_answers():
    spec = "compatible:m@http://127.0.0.1:8000"
    plain = open_backend(spec).identity
    assert open_backend(spec, BackendSettings(attempt_seconds=5)).identity == plain
    assert open_backend(spec, BackendSettings(extra={"top_k": 1})).identity != plain
    assert open_backend(spec, BackendSettings(capabilities={"json_schema": False})).identity != plain


async def test_third_parties_register_by_entry_point(third_party, request_of):
    third_party(mine="open_mine")
    assert "mine" in provider_names()
    assert describe()[-1].name == "mine"
    assert (await open_backend("mine:hello").complete(request_of())).text == "hello"


def test_a_third_party_cannot_take_one_of_our_names(third_party):
    third_party(scripted="open_mine")
    assert provider_names().count("scripted") == 1
    with pytest.raises(ConfigError, match="nowhere"):
        open_backend("scripted:nowhere.yaml")


@pytest.mark.parametrize(("function", "says"), [("open_wrong", "lacks a part"), ("missing", "cannot be loaded")])
def test_a_third_party_that_is_no_backend_is_one_clear_line(third_party, function, says):
    third_party(mine=function)
    with pytest.raises(ConfigError, match=says):
        open_backend("mine:x")


def test_nothing_of_a_provider_is_imported_before_it_is_opened(tmp_path):
    script = tmp_path / "s.yaml"
    script.write_text("rules: [{text: x}]")
    code = f"""
import sys
import backends.registry as registry
registry.describe(), registry.provider_names()
for wrong in ("opnai:x", "nothing"):
    try: registry.open_backend(wrong)
    except registry.ConfigError: pass
registry.open_backend("scripted:{script}")
print([name for name in ("openai", "anthropic", "httpx2", "httpx", "torch", "transformers") if name in sys.modules])
registry.open_backend("compatible:m@http://127.0.0.1:1")
print("openai" in sys.modules, "anthropic" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split("\n")[:2] == ["[]", "True False"]
