"""Repositories on the Hugging Face hub, whose commit is found out before anything large is fetched."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import httpx2
import huggingface_hub
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

from backends.local.conversation import first_line

PATIENCE = 10.0
"""The longest, in seconds, to wait for the hub's answer."""
_BUSY = 429


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A repository at one commit."""

    commit: str | None
    """None when the hub cannot be asked, and the repository was not fetched before."""
    away: str | None = None
    """Why the hub cannot be asked now, in one line; None when it can. Then only what was fetched before is of use."""


def snapshot_of(repository: str, revision: str | None, file: str) -> Snapshot:
    """The repository as it is now; without the hub, as it was when it was fetched last.

    The hub is asked once here, since the libraries that fetch find out anew for every file that it is away, and wait
    for minutes in all.

    Args:
        repository: as ORGANISATION/NAME.
        revision: branch, tag or commit; None for the main branch.
        file: a small file that the repository must have. It is fetched, unless it is here.

    Raises:
        OSError: the hub says that there is no such repository, revision or file, or no right to it.
        ValueError: there can be no repository of this name.
    """
    away = _away(repository, revision, file)
    if away is None:
        # By its branch and not by the commit, so that the branch is found again without a network.
        return Snapshot(Path(huggingface_hub.hf_hub_download(repository, file, revision=revision)).parent.name)
    here = huggingface_hub.try_to_load_from_cache(repository, file, revision=revision)
    return Snapshot(Path(here).parent.name if isinstance(here, str) else None, away)


def _away(repository: str, revision: str | None, file: str) -> str | None:
    url = huggingface_hub.hf_hub_url(repository, file, revision=revision)
    try:
        huggingface_hub.get_hf_file_metadata(url, timeout=PATIENCE)
    except (OfflineModeIsEnabled, httpx2.TransportError) as error:
        return first_line(error)
    except HfHubHTTPError as error:
        if error.response.status_code < 500 and error.response.status_code != _BUSY:
            raise
        return first_line(error)
    return None
