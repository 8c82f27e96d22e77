"""The short pipeline compiles what Numba's own does, and leaves Numba as it is for everybody else."""

import gc

import numba
import numpy as np
import pytest
from numba.core.compiler import Flags

from coterie.primitives._numba.compiler import KernelCompiler, _Flags
from coterie.primitives._numba.jit import kernel, part


@part
def twice(x):
    return 2 * x


@kernel(cache=False)
def sum_twice(values):
    total = 0.0
    for value in values:
        total += twice(value)
    return total


def test_a_kernel_gives_what_numba_alone_would():
    values = np.random.default_rng(0).normal(size=1000)
    part_alone = numba.njit(twice.py_func)

    @numba.njit(nogil=True, error_model="numpy")
    def plain(values):
        total = 0.0
        for value in values:
            total += part_alone(value)
        return total

    assert sum_twice(values) == plain(values)


def test_a_kernel_with_a_closure_compiles():
    @kernel(cache=False)
    def squares(n):
        return [i * i for i in range(n)]

    assert squares(4) == [0, 1, 4, 9]


def test_a_part_that_fails_raises_from_its_kernel():
    @part
    def refuse(x):
        if x > 1:
            raise ValueError("too large")
        return x

    @kernel(cache=False)
    def ask(x):
        return refuse(x)

    assert ask(1) == 1
    with pytest.raises(ValueError, match="too large"):
        ask(2)


@pytest.mark.parametrize("enabled", [True, False])
def test_garbage_is_collected_afterwards_as_before(enabled):
    was = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        kernel(cache=False)(lambda x: x + 1)(1)
        with pytest.raises(numba.TypingError):
            kernel(cache=False)(lambda x: x.nothing)(1)
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if was else gc.disable)()


def test_options_are_equal_where_those_of_numba_are():
    plain, other = Flags(), Flags()
    other.nrt = True
    assert _Flags(plain) == plain
    assert plain == _Flags(plain)
    assert hash(_Flags(other)) == hash(other)
    assert _Flags(plain) != other
    explicit = Flags()
    explicit.nrt = False  # the default
    assert _Flags(explicit) == plain


def test_functions_of_others_keep_numbas_compiler():
    assert numba.njit(lambda x: x)._compiler.pipeline_class is not KernelCompiler
