"""The texts that all paradigms share, as they are written in `prompts/common.yaml`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from paradigms.paradigm import Prompt


class CommonPrompts(BaseModel):
    """What is said around the paradigms' own questions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str = Field(min_length=1, max_length=40)
    system: str
    """The system text of every question about a picture in the layout `shared`."""
    text_system: str
    """The system text of questions without a picture in the layout `shared`."""
    form: str
    """How to answer a question for a verdict in the layout `shared`; stands after `system`, before the picture."""
    reminder: str
    """Ends a question for a verdict in the layout `shared`."""
    closing: str
    """How to end an answer in the layout `paper`."""
    follow_up: str
    """The one further question after an answer from which no label can be read."""
    subject: Prompt
    """Asks for the main subject and the medium, once a case and backend."""
    panel: Prompt
    """Asks for the panel's verdict from the six answers and the picture."""
