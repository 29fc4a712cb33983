import pytest

from backends.errors import ConfigError
from backends.providers.address import parse_address, split_model


@pytest.mark.parametrize(
    ("rest", "model", "url"),
    [
        ("qwen@http://127.0.0.1:8000/v1", "qwen", "http://127.0.0.1:8000/v1"),
        ("@http://127.0.0.1:8000", "", "http://127.0.0.1:8000"),
        ("http://127.0.0.1:8000", "", "http://127.0.0.1:8000"),
        ("/models/tiny@main@https://host/v1", "/models/tiny@main", "https://host/v1"),
        ("qwen2.5vl:7b", "qwen2.5vl:7b", None),
    ],
)
def test_model_and_address_are_told_apart(rest, model, url):
    assert split_model(rest) == (model, url)


@pytest.mark.parametrize(
    ("url", "normal", "host", "loopback"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/v1", "127.0.0.1:8000", True),
        ("http://localhost:1234/v1/", "http://localhost:1234/v1", "localhost:1234", True),
        ("http://[::1]:8000/api", "http://[::1]:8000/api", "[::1]:8000", True),
        ("http://127.9.9.9", "http://127.9.9.9/v1", "127.9.9.9", True),
        ("https://Example.org/openai", "https://example.org/openai", "example.org", False),
        ("http://192.168.1.7:8000", "http://192.168.1.7:8000/v1", "192.168.1.7:8000", False),
        ("http://localhost.example.org", "http://localhost.example.org/v1", "localhost.example.org", False),
        ("https://example.org:443/v1", "https://example.org/v1", "example.org", False),
        ("http://127.0.0.1:80", "http://127.0.0.1/v1", "127.0.0.1", True),
        ("http://example.org:443", "http://example.org:443/v1", "example.org:443", False),
        ("http://0.0.0.0:8000", "http://0.0.0.0:8000/v1", "0.0.0.0:8000", False),
    ],
)
def test_an_address_is_normalised_and_knows_this_machine(url, normal, host, loopback):
    address = parse_address(url, default_path="/v1")
    assert (address.url, address.host, address.loopback) == (normal, host, loopback)
    assert address.destination.endswith("(this machine)") is loopback


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/v1",
        "file:///etc/passwd",
        "http://",
        "http://:8000",
        "http://host:port",
        "http://host:99999",
        "http://[::1",
        "http://ho st/v1",
        "http://host/\nv1",
        "http://host/v1?key=1",
        "http://host/v1#x",
    ],
)
def test_a_malformed_address_is_one_clear_line(url):
    with pytest.raises(ConfigError) as caught:
        parse_address(url)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://user:hunter2@host/v1", "https://hunter2@host", "http://:hunter2@host"])
def test_user_and_password_are_refused_and_not_repeated(url):
    with pytest.raises(ConfigError) as caught:
        parse_address(url)
    assert "hunter2" not in str(caught.value)


def test_another_scheme_is_refused_without_repeating_a_password():
    with pytest.raises(ConfigError) as caught:
        split_model("m@ftp://user:hunter2@host")
    assert "hunter2" not in str(caught.value)
