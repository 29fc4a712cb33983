"""The Ray instance that a run uses: one of its own on this machine, or a cluster that runs already."""

from __future__ import annotations

import logging
import math
import os
import secrets
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from backends.errors import ConfigError, ConnectError, MissingExtraError
from evals.experiment import RaySettings

MEMORY = 100 * 1024**2
"""Bytes of the object store of a local instance: what passes through it is small."""
_QUIET: Mapping[str, str] = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
    # Nothing may start an instance by itself, with settings that nobody chose.
    "RAY_ENABLE_AUTO_CONNECT": "0",
    # Otherwise it tells on the terminal what need not worry anybody.
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
_LOCAL: Mapping[str, str] = {
    **_QUIET,
    # Every part of Ray listens on the loopback address alone; read when ray is imported.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
}
_LOOPBACK = "127.0.0.1"


class Cluster:
    """The right to use an instance of Ray.

    Args:
        ray: the package.
        ours: whether it ends with this; an instance that somebody else opened in this process stays.
        folder: of the files of a local instance.
    """

    def __init__(self, ray: Any, *, ours: bool, folder: tempfile.TemporaryDirectory[str] | None = None) -> None:
        self._ray = ray
        self._ours = ours
        self._folder = folder

    async def aclose(self) -> None:
        """Stop the local instance, or leave the cluster."""
        if self._ours:
            self._ray.shutdown()
        if self._folder is not None:
            self._folder.cleanup()


def open_cluster(settings: RaySettings) -> Cluster:
    """Start an instance on this machine, or connect to the cluster at `settings.address`. Blocks for some seconds.

    The environment is as before afterwards.

    Raises:
        MissingExtraError: ray is not installed.
        ConfigError: the address cannot be used, or a local instance would listen on the network.
        ConnectError: the cluster cannot be reached.
    """
    local = settings.address is None
    with _environment(_LOCAL if local else _QUIET):
        ray = import_ray()
        if ray.is_initialized():
            return Cluster(ray, ours=False)
        options: dict[str, Any] = {"logging_level": logging.CRITICAL, "log_to_driver": False}
        if settings.address is None:
            return _start(ray, settings, options)
        _connect(ray, settings.address, options)
        return Cluster(ray, ours=True)


def import_ray() -> Any:
    """The package `ray`, with `ray.data`, `ray.exceptions` and `ray.util`. Before the first time, open a cluster.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        ray = import_module("ray")
        import_module("ray.data")
    except ImportError as error:
        raise MissingExtraError("engine: ray", "ray") from error
    return ray


def _start(ray: Any, settings: RaySettings, options: dict[str, Any]) -> Cluster:
    # Sockets lie in it, whose paths must be short; nobody else on the machine may look into it.
    place = "/tmp" if os.name == "posix" else None
    folder = tempfile.TemporaryDirectory(prefix="sixlens-", dir=place, ignore_cleanup_errors=True)
    _forget_token()
    # With a token of its own the instance takes orders from this process alone, and Ray writes none into the home.
    with _environment({"RAY_AUTH_TOKEN": secrets.token_hex()}), _silent():
        ray.init(
            address="local",
            num_cpus=math.ceil(settings.workers * settings.cpus) + 1,
            num_gpus=math.ceil(settings.workers * settings.gpus) or None,
            include_dashboard=False,
            object_store_memory=MEMORY,
            _temp_dir=folder.name,
            **options,
        )
    if ray.util.get_node_ip_address() != _LOOPBACK:
        ray.shutdown()
        raise ConfigError(
            "engine: ray would listen on the network, since ray was imported before with other settings; set "
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER=0 in the environment, or start the run from a process of its own."
        )
    return Cluster(ray, ours=True, folder=folder)


def _forget_token() -> None:
    """Ray keeps the token of the instance before for as long as the process lives."""
    try:
        import_module("ray._raylet").AuthenticationTokenLoader.instance().reset_cache()
    except (ImportError, AttributeError):
        return  # a version of ray that has no tokens


def _connect(ray: Any, address: str, options: dict[str, Any]) -> None:
    if "://" in address:
        raise ConfigError(
            f"ray.address: {address!r} goes through a Ray client, which cannot own a run. Start the run on a machine "
            "of the cluster, with its address as HOST:PORT, or 'auto'."
        )
    try:
        ray.init(address=address, **options)
    except (ConnectionError, TimeoutError) as error:
        raise ConnectError(f"ray.address: no Ray cluster answers at {address}; is `ray start` done there?") from error
    except (RuntimeError, ValueError, ray.exceptions.RayError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise ConfigError(f"ray.address: the cluster at {address} cannot be used: {reason}") from error


@contextmanager
def _environment(changes: Mapping[str, str]) -> Iterator[None]:
    """Variables as Ray is to find them; all are put back afterwards."""
    before = dict(os.environ)
    os.environ.update(changes)
    try:
        yield
    finally:
        for name in set(os.environ) - set(before):
            del os.environ[name]
        os.environ.update(before)


@contextmanager
def _silent() -> Iterator[None]:
    """Without what Ray's own libraries write to standard error as they start; what goes wrong is raised."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
