from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from backends.errors import BackendError  # noqa: E402
from backends.local.engine import OutOfMemoryError  # noqa: E402
from backends.local.memory import memory_told  # noqa: E402


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."),
        RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    ],
)
def test_lack_of_memory_is_told_however_torch_says_it(error: RuntimeError) -> None:
    with pytest.raises(OutOfMemoryError), memory_told():
        raise error


def test_other_failures_are_one_line() -> None:
    with (
        pytest.raises(BackendError, match=r"^The model failed to compute: CUBLAS_STATUS_NOT_INITIALIZED$"),
        memory_told(),
    ):
        raise RuntimeError("CUBLAS_STATUS_NOT_INITIALIZED\nmore")
