from __future__ import annotations

import numpy
import pytest

from backends.local.row import Row, Span

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from backends.local.operators import import_torchvision  # noqa: E402

import_torchvision()

from transformers import LlamaConfig  # noqa: E402

from backends.local import prefix as module  # noqa: E402
from backends.local.prefix import Prefix, PrefixStore, groups, laid_out, room_of, shared_length  # noqa: E402

CONFIG = LlamaConfig(num_hidden_layers=2, num_attention_heads=1, hidden_size=4, intermediate_size=4, vocab_size=8)


def row(tokens: list[int], key: str | None = None) -> Row:
    """A row whose picture, if it shows one, lies at the tokens 9."""
    places = [place for place, token in enumerate(tokens) if token == 9]
    spans = () if key is None else (Span(places[0], places[-1] + 1, key, len(places)),)
    return Row(numpy.array(tokens), numpy.zeros(len(tokens), dtype=numpy.int64), spans)


def read(tokens: list[int], key: str | None = None) -> Prefix:
    """A beginning whose keys are its tokens."""
    numbers = torch.tensor(tokens, dtype=torch.float32).view(1, 1, -1, 1).expand(1, 1, -1, 4)
    return Prefix(row(tokens, key), ((numbers, -numbers), (numbers * 10, numbers)))


def test_rows_go_together_by_words_and_first_picture() -> None:
    rows = [row([1, 9, 9, 2], "a"), row([1, 2]), row([1, 9, 9, 3, 4], "a"), row([1, 9, 9, 2], "b"), row([1, 4])]
    assert groups(rows) == [[0, 2], [1, 4], [3]]
    assert shared_length([rows[0], rows[2]]) == 3
    assert shared_length([rows[0], rows[0]]) == 3
    assert shared_length([rows[3]]) == 3
    assert shared_length([row([5]), row([6])]) == 0
    assert shared_length([row([1, 9, 9], "a")]) == 1


def test_a_batch_is_laid_out_flush_right() -> None:
    cache = laid_out(CONFIG, [read([1, 2, 3]), None, read([4, 5, 6])], [3, 0, 1])
    assert cache.get_seq_length() == 3
    assert cache.layers[0].keys[:, 0, :, 0].tolist() == [[1, 2, 3], [0, 0, 0], [0, 0, 4]]
    assert cache.layers[1].keys[0, 0, :, 0].tolist() == [10, 20, 30]
    assert cache.layers[0].values[0, 0, :, 0].tolist() == [-1, -2, -3]
    assert laid_out(CONFIG, [None], [0]).get_seq_length() == 0


def test_the_longest_beginning_is_found() -> None:
    store = PrefixStore()
    assert store.longest(row([1, 2])) == (None, 0)
    short, long = read([1, 2, 3]), read([1, 2, 4, 5])
    store.keep(short)
    store.keep(long)
    assert store.longest(row([1, 2, 4, 6])) == (long, 3)
    assert store.longest(row([1, 2, 3, 4])) == (short, 3)
    store.clear()
    assert store.longest(row([1, 2])) == (None, 0)


def test_another_picture_is_not_taken_for_the_one_kept() -> None:
    store = PrefixStore()
    store.keep(read([1, 9, 9, 2], "a"))
    assert store.longest(row([1, 9, 9, 2], "a"))[1] == 4
    assert store.longest(row([1, 9, 9, 2], "b"))[1] == 1


def test_memory_is_bounded_and_the_oldest_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = read([1, 2]), read([3, 4]), read([5, 6])
    monkeypatch.setattr(module, "KEPT_BYTES", 2 * first.bytes)
    store = PrefixStore()
    store.keep(first)
    store.keep(second)
    store.touch(first)
    store.keep(third)
    assert store.longest(row([1, 2]))[1] == 2
    assert store.longest(row([3, 4]))[1] == 0
    assert store.longest(row([5, 6]))[1] == 2
    store.keep(read(list(range(10, 30))))
    assert store.longest(row([10, 11]))[1] == 0


def test_a_longer_beginning_takes_the_place_of_its_own_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_BYTES", 5 * read([1]).bytes)
    store = PrefixStore()
    store.keep(read([7, 8]))
    store.keep(read([1, 2]))
    store.keep(read([1, 2, 3]))
    assert store.longest(row([7, 8]))[1] == 2
    assert store.longest(row([1, 2, 3]))[1] == 3


def test_families_say_how_much_can_be_shared() -> None:
    from transformers import Gemma3TextConfig

    assert room_of(CONFIG) is None
    assert room_of(Gemma3TextConfig(num_hidden_layers=6, sliding_window=48)) == 48
