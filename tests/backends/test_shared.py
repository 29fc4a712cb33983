from __future__ import annotations

from backends.shared import Shared


class Item:
    def __init__(self) -> None:
        self.closed = 0

    async def aclose(self) -> None:
        self.closed += 1


async def test_one_item_for_one_key_closed_with_the_last_lease() -> None:
    shared = Shared()
    first, second, other = shared.take("a", Item), shared.take("a", Item), shared.take("b", Item)
    item = first.item
    assert second.item is item
    assert other.item is not item
    await first.aclose()
    await first.aclose()
    assert item.closed == 0
    await second.aclose()
    assert (item.closed, other.item.closed) == (1, 0)


async def test_a_closed_item_is_not_handed_out_again() -> None:
    shared = Shared()
    first = shared.take("a", Item)
    await first.aclose()
    assert shared.take("a", Item).item is not first.item


class Other(Item):
    pass


async def test_what_is_held_is_found_by_its_kind_while_it_is_held() -> None:
    shared = Shared()
    first, second, other = shared.take("a", Item), shared.take("b", Other), shared.take("c", Other)
    assert shared.held(Item) == [first.item, second.item, other.item]
    assert shared.held(Other) == [second.item, other.item]
    await second.aclose()
    assert shared.held(Other) == [other.item]
