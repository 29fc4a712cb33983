from __future__ import annotations

import pytest

from backends.request import Message, Request, Role, Text

P, T = "picture", "text"


@pytest.mark.parametrize(
    ("turns", "end"),
    [
        ([("system", T), ("user", T)], None),
        ([("system", T), ("user", P, T)], (1, 0)),
        # Cut-outs follow the picture; they are no other question's.
        ([("system", T), ("user", P, P, P, T)], (1, 0)),
        # A further question about the same picture.
        ([("system", T), ("user", P, P, T), ("assistant", T), ("user", T)], (1, 0)),
        # Two exemplars, which stay the same from case to case, before the picture.
        ([("system", T), ("user", P, T), ("assistant", T), ("user", P, T), ("assistant", T), ("user", P, T)], (3, 0)),
    ],
)
def test_where_the_shared_beginning_ends(picture, turns: list[tuple[Role, *tuple[str, ...]]], end) -> None:
    parts = {P: picture, T: Text("x")}
    messages = tuple(Message(role, tuple(parts[kind] for kind in kinds)) for role, *kinds in turns)
    assert Request(messages).prefix_end == end
