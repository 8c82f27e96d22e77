"""The Triton kernel under Triton's interpreter, which runs it on the CPU; and that it stays out of the way elsewhere."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest

torch = pytest.importorskip("torch", reason="the kernel is of the torch engine")
needs_triton = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="Triton is not installed: pip install triton, on Linux"
)

# Rows, centers, features: tiles that are full and not, one chunk of features and several, a single one of each.
SHAPES = [
    (1, 1, 1), (1000, 37, 32), (257, 130, 3), (77, 200, 17), (300, 9, 64), (129, 65, 65), (100, 3, 129), (64, 64, 128),
    (50, 33, 300), (40, 20, 512), (70, 70, 513), (30, 5, 700),
]  # fmt: skip

SCRIPT = """
import json, sys
import numpy as np, torch
torch.set_num_threads(1)
from coterie.primitives._numba import assign as cpu
from coterie.primitives._torch._triton_assign import nearest_labels, own_distances2

def compare(X, centers):
    X, centers = torch.as_tensor(X), torch.as_tensor(centers, dtype=torch.float64)
    labels = nearest_labels(X, centers)
    expected, distances2 = cpu.nearest_center(np.ascontiguousarray(X.numpy()), centers.numpy())
    own = own_distances2(X, centers, labels)
    assert labels.dtype == torch.int32 and own.dtype == torch.float64
    return [int((labels.numpy() != expected).sum()), int((own.numpy() != distances2).sum())]

random, found = np.random.default_rng(0), {}
for n, k, d in json.loads(sys.argv[1]):
    X = random.standard_normal((n, d), np.float32)
    found[f"{n} x {d}, {k} centers"] = compare(X, random.standard_normal((k, d)))
    # Whole numbers: the products are exact, many distances are equal, and each center comes twice.
    X, centers = random.integers(-2, 3, (n, d)).astype(np.float32), random.integers(-2, 3, (k, d)).astype(float)
    found[f"{n} x {d}, {k} centers, ties"] = compare(X, np.concatenate([centers, centers]))
whole = torch.randn(60, 40, generator=torch.Generator().manual_seed(0))
centers = random.standard_normal((11, 20))
found["every second column"] = compare(whole[:, ::2], centers)
found["transposed"] = compare(whole[:40].T.contiguous().T[:, :20], centers)
found["no rows"] = [len(nearest_labels(whole[:0, :20], torch.as_tensor(centers))), 0]
print(json.dumps(found))
"""


def run(script, *arguments, **environment):
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs_triton
def test_the_kernel_gives_every_row_the_label_and_the_distance_of_the_cpu_engine():
    found = json.loads(run(SCRIPT, json.dumps(SHAPES), TRITON_INTERPRET="1"))
    assert len(found) == 2 * len(SHAPES) + 3
    assert found == {key: [0, 0] for key in found}


# Compiling needs no GPU: what does not fit the smallest one that Triton supports is seen here.
COMPILE = """
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from coterie.primitives._torch import _triton_assign as assign

def build(kernel, types, constants, **options):
    source = ASTSource(kernel, types | dict.fromkeys(constants, "constexpr"), constants)
    return triton.compile(source, target=GPUTarget("cuda", 80, 32), options=options).metadata.shared

sizes = {name: "i32" for name in ("n", "k", "d", "row_stride", "feature_stride")}
arrays = {"X": "*fp32", "doubled": "*fp32", "norms": "*fp32", "labels": "*i32"}
shared = []
for d, tile in {**assign._TILES, 700: assign._WIDER}.items():
    constants = {"ROWS": tile.rows, "CENTERS": tile.centers, "FEATURES": tile.features, "WHOLE": d <= tile.features}
    shared.append(build(
        assign._nearest, arrays | sizes, constants, num_warps=tile.warps, num_stages=tile.stages, enable_fp_fusion=True
    ))
arrays = {"X": "*fp32", "centers": "*fp64", "labels": "*i32", "distances2": "*fp64"}
del sizes["k"]
build(assign._own, arrays | sizes, {"ROWS": 128}, enable_fp_fusion=False)
print(max(shared))
"""


@needs_triton
@pytest.mark.slow
def test_the_kernels_compile_for_a_gpu_and_fit_its_shared_memory(tmp_path):
    assert int(run(COMPILE, TRITON_CACHE_DIR=str(tmp_path)).split()[-1]) <= 65536


def test_neither_the_package_nor_a_fit_on_the_cpu_imports_triton():
    script = (
        "import sys, torch, coterie\n"
        "X = torch.randn(60, 2)\n"
        "coterie.KMeans(2, random_state=0).fit(X).predict(X)\n"
        "print('coterie.primitives._torch._triton_assign' in sys.modules)"
    )
    assert run(script).split() == ["False"]


@pytest.fixture
def triton_of():
    """Return what asks for the kernels, having forgotten what it found before."""
    from coterie.primitives._torch import assign

    assign._triton.cache_clear()
    yield assign._triton
    assign._triton.cache_clear()


def test_where_there_is_no_triton_matrix_products_are_taken_in_silence(monkeypatch, triton_of):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert triton_of(torch.device("cpu")) is None


def test_a_kernel_that_cannot_be_built_is_told_and_replaced(monkeypatch, triton_of):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    monkeypatch.setitem(sys.modules, "coterie.primitives._torch._triton_assign", None)
    with pytest.warns(RuntimeWarning, match="Triton cannot compile for cpu .*; nearest centers come from matrix"):
        assert triton_of(torch.device("cpu")) is None


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch sees no CUDA device here")
@needs_triton
def test_on_a_gpu_the_kernel_gives_the_labels_and_distances_of_the_cpu_engine(triton_of):
    from coterie.primitives.assign import nearest_center

    assert triton_of(torch.device("cuda")) is not None
    for n, k, d in SHAPES:
        X = torch.randn(n, d, generator=torch.Generator().manual_seed(n))
        centers = X[:: max(1, n // k)].double()
        expected = nearest_center(X.numpy(), centers.numpy())
        for given, right in zip(nearest_center(X.cuda(), centers.cuda()), expected, strict=True):
            assert (given.cpu().numpy() == right).all()
