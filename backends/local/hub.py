"""Whether the Hugging Face hub can be asked, found out before anything is fetched."""

from __future__ import annotations

import httpx2
import huggingface_hub
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

from backends.local.conversation import first_line

PATIENCE = 10.0
"""The longest, in seconds, to wait for the hub's answer."""
_BUSY = 429


def hub_away(repository: str, revision: str | None, file: str) -> str | None:
    """Why the hub cannot be asked now, in one line; None when it can. Then only what was fetched before is of use.

    Asked once here, since the libraries that fetch find it out anew for every file, and wait for minutes in all.

    Args:
        repository: as ORGANISATION/NAME.
        revision: branch, tag or commit; None for the main branch.
        file: a file that the repository must have.

    Raises:
        OSError: the hub says that there is no such repository, revision or file, or no right to it.
        ValueError: there can be no repository of this name.
    """
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
