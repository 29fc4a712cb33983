"""Opening the members of `kind: score` of an ensemble."""

from __future__ import annotations

import asyncio
import hashlib
from concurrent.futures import Executor
from contextlib import AsyncExitStack
from pathlib import Path

from backends.errors import ConfigError
from backends.providers.address import parse_address
from orchestrator.ensemble import Ensemble
from paradigms.scores.scorer import Scorer
from paradigms.scores.service import ScoreService
from paradigms.scores.table import read_score_table


async def open_scorers(ensemble: Ensemble, executor: Executor, stack: AsyncExitStack) -> dict[str, Scorer]:
    """Every scorer by its member's name; `stack` closes them. Nothing is sent.

    Raises:
        ConfigError: a file of scores cannot be used.
    """
    scorers: dict[str, Scorer] = {}
    for name, choice in ensemble.scores.items():
        if choice.file is not None:
            loop = asyncio.get_running_loop()
            scorers[name] = await loop.run_in_executor(executor, read_score_table, Path(choice.file))
        elif choice.url is not None:
            service = ScoreService(parse_address(choice.url), seconds=choice.seconds)
            stack.push_async_callback(service.aclose)
            scorers[name] = service
    return scorers


def score_digests(ensemble: Ensemble) -> dict[str, str]:
    """The SHA-256 of each file of scores, hexadecimal, by its member's name.

    Raises:
        ConfigError: a file cannot be read.
    """
    digests: dict[str, str] = {}
    for name, choice in ensemble.scores.items():
        if choice.file is not None:
            try:
                with Path(choice.file).open("rb") as file:
                    digests[name] = hashlib.file_digest(file, "sha256").hexdigest()
            except (OSError, ValueError) as error:
                why = getattr(error, "strerror", None) or "cannot be read"
                raise ConfigError(f"{choice.file}: {why}.") from error
    return digests
