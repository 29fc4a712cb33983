"""`sixlens serve`: the page, the API and the review queue, until somebody stops it."""

from __future__ import annotations

import asyncio
import os
import threading
import webbrowser
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path

from backends.errors import MissingExtraError
from orchestrator.config import Overrides
from sixlens.cli.logs import logs_on_stderr
from sixlens.cli.terminal import say
from sixlens.traces import exported_traces

INTERRUPTED = 130
_NEEDED = ("fastapi", "uvicorn", "prometheus_client", "python_multipart")


@dataclass(frozen=True, slots=True)
class ServeCall:
    """What the command line asks for; see `sixlens.server.settings.ServerSettings`."""

    host: str = "127.0.0.1"
    port: int = 8080
    ensembles: tuple[str, ...] = ()
    overrides: Overrides = field(default_factory=Overrides)
    data_dir: Path | None = None
    token_file: Path | None = None
    allowed_hosts: tuple[str, ...] = ()
    allow_urls: bool = False
    concurrency: int = 4
    queue: int = 64
    max_bytes: int = 50 * 1024 * 1024
    max_pixels: int = 100_000_000
    keep_pictures: bool = False
    retention_days: float = 200.0
    review_share: float = 0.02
    grace_s: float = 30.0
    cache: bool = True
    traces: bool = False
    open_page: bool = False
    verbose: bool = False


def run_serve(call: ServeCall) -> int:
    """Serve until a signal comes; the exit code.

    Raises:
        MissingExtraError: the extra `serve` is not installed.
        ConfigError: a setting, an ensemble, the address or the data folder is wrong, or traces cannot be sent.
        MissingKeyError: a backend needs a key that is not set.
    """
    if any(find_spec(name) is None for name in _NEEDED):
        raise MissingExtraError("sixlens serve", "serve")
    from sixlens.server.application import create_app
    from sixlens.server.judges import load_ensembles
    from sixlens.server.run import bind, run_server
    from sixlens.server.service import Service
    from sixlens.server.settings import ServerSettings, default_data_dir, read_token

    settings = ServerSettings(
        data_dir=call.data_dir or default_data_dir(),
        host=call.host,
        port=call.port,
        ensembles=call.ensembles,
        overrides=call.overrides,
        cache=call.cache,
        token=read_token(call.token_file, os.environ),
        allowed_hosts=call.allowed_hosts,
        allow_urls=call.allow_urls,
        concurrency=call.concurrency,
        queue=call.queue,
        max_bytes=call.max_bytes,
        max_pixels=call.max_pixels,
        keep_pictures=call.keep_pictures,
        retention_days=call.retention_days,
        review_share=call.review_share,
        grace_s=call.grace_s,
    )

    def started(service: Service) -> None:
        say(f"Serving {', '.join(service.judges.names)} on {settings.address} (Ctrl-C stops it)")
        say(f"Judgments are kept for {settings.retention_days:g} days in {settings.data_dir}")
        for line in service.judges.destinations():
            say(line)
        if call.open_page:
            # A browser may take its time to start; requests are served meanwhile.
            threading.Thread(target=webbrowser.open, args=(settings.address,), daemon=True).start()

    with logs_on_stderr(verbose=call.verbose), exported_traces(wanted=call.traces) as tracer_provider:
        ensembles = load_ensembles(settings, os.environ)
        with bind(settings) as listener:
            settings = replace(settings, port=listener.getsockname()[1])
            app = create_app(settings, ensembles, tracer_provider=tracer_provider)
            interrupted = asyncio.run(run_server(app, listener, started))
    return INTERRUPTED if interrupted else 0
