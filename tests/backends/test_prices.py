import datetime
from pathlib import Path

import pytest

from backends.completion import TokenUsage
from backends.errors import ConfigError
from backends.prices import Price, Prices, PriceTable

DAY = datetime.date(2026, 1, 31)


def price(**fields: float) -> Price:
    return Price(**{"input": 2.0, "output": 8.0, **fields}, date=DAY, source="a test")


def test_kinds_of_tokens_cost_apart() -> None:
    full = price(cached_input=0.2, cache_write=2.5, image=4.0)
    usage = TokenUsage(
        input_tokens=1_000_000,
        cached_tokens=400_000,
        cache_written_tokens=200_000,
        image_tokens=100_000,
        output_tokens=50_000,
    )
    assert full.cost(usage) == pytest.approx(0.4 * 0.2 + 0.2 * 2.5 + 0.1 * 4.0 + 0.3 * 2.0 + 0.05 * 8.0)


def test_kinds_that_are_left_out_cost_as_input() -> None:
    usage = TokenUsage(input_tokens=1_000_000, cached_tokens=900_000, image_tokens=50_000, output_tokens=0)
    assert price().cost(usage) == pytest.approx(2.0)


def test_pictures_out_of_the_cache_are_not_paid_twice() -> None:
    usage = TokenUsage(input_tokens=1_000_000, cached_tokens=1_000_000, image_tokens=900_000, output_tokens=0)
    assert price(cached_input=0.2, image=4.0).cost(usage) == pytest.approx(0.2)


def test_more_cached_tokens_than_input_give_no_negative_cost() -> None:
    usage = TokenUsage(input_tokens=10, cached_tokens=1_000, output_tokens=0)
    assert price(cached_input=0.0).cost(usage) == 0.0


@pytest.mark.parametrize("usage", [TokenUsage(), TokenUsage(input_tokens=5), TokenUsage(output_tokens=5)])
def test_uncounted_tokens_have_no_known_cost(usage: TokenUsage) -> None:
    assert price().cost(usage) is None


def test_an_unknown_price_is_none_and_a_price_of_zero_is_zero() -> None:
    prices = Prices(PriceTable(models={"hf:*": price(input=0, output=0)}))
    usage = TokenUsage(input_tokens=5, output_tokens=5)
    assert prices.cost("hf:tiny", usage) == 0.0
    assert prices.cost("openai:x", usage) is None
    assert prices.estimate("openai:x", 5, 5) is None


def test_an_estimate_is_the_dearest_case() -> None:
    prices = Prices(PriceTable(models={"a:b": price(cache_write=2.5, cached_input=0.2)}))
    assert prices.estimate("a:b", 1_000_000, 1_000_000) == pytest.approx(2.5 + 8.0)


def test_the_exact_name_counts_then_the_longest_pattern_then_the_next_table() -> None:
    users = PriceTable(models={"a:*": price(input=1), "a:big-*": price(input=2), "a:big-one": price(input=3)})
    prices = Prices(users, PriceTable(models={"a:big-one": price(input=9), "b:*": price(input=4)}))
    found = [prices.find(spec) for spec in ("a:small", "a:big-two", "a:big-one", "b:x", "c:x")]
    assert [one and one.input for one in found] == [1, 2, 3, 4, None]


def test_the_table_that_ships_claims_no_price() -> None:
    for spec in ("openai:gpt-5", "anthropic:claude", "ollama:llava", "hf:tiny"):
        assert Prices.load().find(spec) is None


def test_the_example_in_the_table_that_ships_is_a_valid_table(tmp_path: Path) -> None:
    lines = (Path(__file__).parents[2] / "prompts/prices.yaml").read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("# models:"))
    example = tmp_path / "prices.yaml"
    example.write_text("\n".join(line.removeprefix("# ") for line in lines[start:-1]))
    prices = Prices.load(example)
    assert prices.find("openai:some-model") is not None
    assert prices.estimate("compatible:any@http://localhost:8000/v1", 10, 10) == 0.0


def test_an_empty_file_of_the_user_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("# nothing yet\n")
    assert Prices.load(tmp_path / "p.yaml").find("openai:x") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("models: {a:b: {input: -1, output: 1, date: 2026-01-31, source: s}}", "greater than or equal to 0"),
        ("models: {a:b: {input: .nan, output: 1, date: 2026-01-31, source: s}}", "finite"),
        ("models: {a:b: {input: 1, output: 1, source: s}}", "date"),
        ("models: {a:b: {input: 1, outptu: 1, date: 2026-01-31, source: s}}", "Did you mean 'output'"),
        ("[1, 2]", "p.yaml: "),
    ],
)
def test_a_wrong_table_is_one_clear_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(ConfigError, match=message) as raised:
        Prices.load(tmp_path / "p.yaml")
    assert "\n" not in str(raised.value)
