"""How a person gives the ensemble `measured` eyes."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from paradigms.signals.provenance.text import plain
from sixlens.cli.local_models import Found

MOST_FLAGS = 4
_EXAMPLES = (
    "--backend ollama:qwen2.5vl:7b",
    "--backend compatible:MODEL@http://127.0.0.1:8000/v1",
    "--backend openai:MODEL",
)


def eyes_text(found: Sequence[Found], image: str) -> RenderableType:
    """The last lines after measuring: which flag attaches a vision model, and that nothing has left the machine."""
    flags = [flag for item in found for flag in item.flags][:MOST_FLAGS]
    where = ", ".join(item.server.name for item in found if item.specs)
    if flags:
        lead = f"No model has looked. A vision model runs on this machine ({where}) and was not used; to let it look:"
    else:
        lead = "No model has looked. To give it eyes, name a vision model, on this machine or hosted, for example:"
    name = shlex.quote(image) if len(image) <= 60 and plain(image, 60) == image else "IMAGE"
    commands = [Text(f"sixlens judge {name} {flag}", overflow="fold") for flag in flags or _EXAMPLES]
    last = Text("Nothing leaves this machine until you name a model elsewhere.")
    return Group(Text(), Text(lead), Padding(Group(*commands), (0, 0, 0, 2)), *_blind(found), last)


def _blind(found: Sequence[Found]) -> list[Text]:
    """Servers that answer, but have no model that sees."""
    names = [item.server.name for item in found if not item.specs]
    return [Text(f"{', '.join(names)} answers on this machine, but lists no model that seems to see.")] if names else []
