"""How kernels are compiled: Numba's pipeline without what they have no use for, in three quarters of its time.

What is left out, and what it takes of a first fit (HDBSCAN, 1,200 rows, 4.1 s):

- machine code for a `part`, which is compiled again within each kernel that calls it (0.2 s);
- all but the first steps of optimising a function before it is linked with those that it calls: all are optimised together
  afterwards (0.3 s);
- the search for closures in a function that has none (0.1 s);
- collections of garbage while some million objects are made and kept (0.3 s);
- reading all options one by one wherever two sets of them are compared (0.2 s).

The machine code of a kernel does the same operations in the same order.
"""

import gc
import inspect
from types import CodeType
from typing import Any

from numba.core.codegen import CPUCodegen, JITCodeLibrary
from numba.core.compiler import Compiler, Flags
from numba.core.targetconfig import TargetConfig
from numba.core.untyped_passes import InlineClosureLikes

__all__ = ["KernelCompiler"]

# Up to Numba 0.61, whose functions are optimised by a manager of another kind: they stay as they are.
_OLD_PASSES = "llvm_module" in inspect.signature(CPUCodegen._function_pass_manager).parameters


class _Flags(Flags):
    """Options that are equal, and hashed, as Numba's own."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TargetConfig):
            return NotImplemented
        return self is other or _values(self) == _values(other)

    def __hash__(self) -> int:
        return _HASH


_DEFAULTS = {name: option.default for name, option in Flags.options.items()}
_HASH = hash(Flags())  # of the names of the options: the same for all


def _values(flags: Any) -> dict[str, Any]:
    return _DEFAULTS | flags._values


class _Library(JITCodeLibrary):
    """The code of one function, optimised in earnest once, with all that it calls."""

    def _optimize_functions(self, ll_module: Any) -> None:
        if _OLD_PASSES:
            super()._optimize_functions(ll_module)
            return
        # Not left out: without it the tiles keep their sums in memory, and k-means takes a quarter longer.
        ll_module.data_layout = self._codegen._data_layout
        for function in ll_module.functions:
            if not function.is_declaration:
                passes, builder = self._codegen._function_pass_manager(opt=1)
                passes.run(function, builder)


class _PartLibrary(_Library):
    """The code of a function that is only linked into others: nothing is made ready to run."""

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """Return 0, as for any function without a wrapper for Python."""
        self._ensure_finalized()
        return 0

    @property
    def codegen(self) -> Any:
        """Return what takes the environment of a function: it belongs to the kernels, which have one of their own."""
        return _NoEnvironment


class _NoEnvironment:
    @staticmethod
    def set_env(env_name: str, env: Any) -> None:
        """Do nothing."""


class KernelCompiler(Compiler):
    """The pipeline for `kernel` and `part`."""

    def __init__(
        self, typing: Any, target: Any, library: Any, args: Any, return_type: Any, flags: Any, *rest: Any
    ) -> None:
        super().__init__(typing, target, library, args, return_type, _Flags(flags), *rest)

    def _compile_core(self) -> Any:
        collecting = gc.isenabled()
        gc.disable()
        try:
            return super()._compile_core()
        finally:
            if collecting:
                gc.enable()

    def define_pipelines(self) -> list[Any]:
        """Return Numba's passes but the one that looks for closures, where there are none."""
        state = self.state
        if state.library is None:
            kind = _PartLibrary if state.flags.no_cpython_wrapper and state.flags.no_cfunc_wrapper else _Library
            state.library = kind(state.targetctx.codegen(), state.func_id.func_qualname)
            state.library.enable_object_caching()
        pipelines = super().define_pipelines()
        if not any(isinstance(value, CodeType) for value in state.func_id.code.co_consts):
            for pipeline in pipelines:
                pipeline.passes = [step for step in pipeline.passes if step[0] is not InlineClosureLikes]
        return pipelines
