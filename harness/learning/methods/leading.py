"""The leading eigenvectors of a symmetric matrix, by LAPACK's dsyevr: torch finds all of them or none.

scipy brings LAPACK, but its own functions hold the interpreter's lock, so that no two matrices are decomposed at a
time. Its LAPACK is called through ctypes here, which lets go of the lock.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch import Tensor

from harness.errors import FederaBenchError

_ARGUMENTS = 21


def leading_eigenvectors(matrix: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The ``count`` largest eigenvalues [count], rising, and their eigenvectors [n, count], of a symmetric [n, n].

    ``matrix`` is float64, on the CPU and without gaps; its memory is worked in, and holds nothing of worth afterwards.
    Exact to float64's rounding: a reduction to tridiagonal form, and of that bisection and inverse iteration.

    Raises:
        FederaBenchError: LAPACK did not find them, as where not all of ``matrix`` is finite.
    """
    size = len(matrix)
    values, vectors = torch.empty(size, dtype=torch.float64), torch.empty(count, size, dtype=torch.float64)
    found, info, support = ctypes.c_int(), ctypes.c_int(), torch.empty(2 * count, dtype=torch.int32)

    def solve(work: Tensor, work_size: int, whole: Tensor, whole_size: int) -> None:
        # Arrays of Fortran's: its columns are our rows. A symmetric matrix is its own transpose: either half will do.
        _dsyevr()(
            b"V", b"I", b"L", _int(size), _at(matrix), _int(size), _real(0.0), _real(0.0),
            _int(size - count + 1), _int(size), _real(0.0), ctypes.byref(found), _at(values), _at(vectors), _int(size),
            _at(support), _at(work), _int(work_size), _at(whole), _int(whole_size), ctypes.byref(info),
        )  # fmt: skip

    sizes, whole_sizes = torch.empty(1, dtype=torch.float64), torch.empty(1, dtype=torch.int32)
    solve(sizes, -1, whole_sizes, -1)  # asks how much room it wants
    room, whole_room = int(sizes[0]), int(whole_sizes[0])
    solve(torch.empty(room, dtype=torch.float64), room, torch.empty(whole_room, dtype=torch.int32), whole_room)
    if info.value or found.value != count:
        raise FederaBenchError(
            f"LAPACK found {found.value} of {count} eigenvectors of a {size} x {size} matrix (info {info.value})"
        )
    return values[:count], vectors.T


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Keep LAPACK to the thread that calls it: its own threads wait for each other longer than they work."""
    from threadpoolctl import threadpool_limits

    _dsyevr()  # has its library loaded, so that it is found
    with threadpool_limits(1, user_api="blas"):
        yield


@cache
def _dsyevr() -> Any:
    """Where scipy's LAPACK has it, with 32-bit integers."""
    from scipy.linalg import cython_lapack

    capsule = cython_lapack.__pyx_capi__["dsyevr"]
    name_of = ctypes.pythonapi.PyCapsule_GetName
    name_of.restype, name_of.argtypes = ctypes.c_char_p, [ctypes.py_object]
    pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
    pointer_of.restype, pointer_of.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    signature = name_of(capsule)
    if signature.count(b"*") != _ARGUMENTS or signature.count(b" int *") != 11:
        raise FederaBenchError(f"scipy's LAPACK has another dsyevr than this was written for: {signature.decode()}")
    return ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * _ARGUMENTS)(pointer_of(capsule, signature))


def _at(array: Tensor) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.data_ptr())


def _int(value: int) -> Any:
    return ctypes.byref(ctypes.c_int(value))


def _real(value: float) -> Any:
    return ctypes.byref(ctypes.c_double(value))
