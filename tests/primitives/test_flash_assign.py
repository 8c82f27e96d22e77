"""Steps of K-means in half precision by flash-kmeans: a stand-in with its kernel's arguments, as the package needs a GPU."""

import sys
from types import ModuleType

import numpy as np
import pytest

from coterie import KMeans
from coterie.errors import InputError, MissingExtraError, UnsupportedError
from coterie.primitives.assign import lloyd_end, lloyd_start, lloyd_step

torch = pytest.importorskip("torch", reason="about the torch engine")


def euclid_assign_triton(x, centroids, x_sq):
    """Do what the kernel does, one program after the other."""
    assert x.dtype == centroids.dtype == torch.float16
    assert x_sq.dtype == torch.float32
    products = x.float() @ centroids.float().mT
    return (x_sq[..., None] + centroids.float().square().sum(-1)[:, None] - 2 * products).argmin(-1).int()


@pytest.fixture
def rows_on_gpu(monkeypatch):
    """Rows that say they lie on a GPU, and the package that wants them there."""
    module = ModuleType("flash_kmeans.assign_euclid_triton")
    module.euclid_assign_triton = euclid_assign_triton
    monkeypatch.setitem(sys.modules, "flash_kmeans", ModuleType("flash_kmeans"))
    monkeypatch.setitem(sys.modules, "flash_kmeans.assign_euclid_triton", module)

    class OnGpu(torch.Tensor):
        is_cuda = True

    return lambda X: torch.as_tensor(X).as_subclass(OnGpu)


def groups(dtype=np.float32):
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(center, 0.1, (100, 5)) for center in (-1.0, 0.0, 1.0)]).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_steps_are_close_and_the_end_is_exact(rows_on_gpu, monkeypatch, dtype):
    # The kernel of Triton for float32 is not to be had either: rows of the last step go the way of other devices.
    monkeypatch.setattr("coterie.primitives._torch.assign._kernels_for", lambda X: None)
    X = groups(dtype)
    centers = X[[0, 120, 250]].astype(np.float64)
    rough, exact = lloyd_start(rows_on_gpu(X), half=True), lloyd_start(X)
    for _ in range(3):
        one, other = lloyd_step(rough, centers), lloyd_step(exact, centers)
        # Groups are far apart: no row is so near to two centers that half precision could not tell.
        np.testing.assert_array_equal(one.counts, other.counts)
        np.testing.assert_allclose(one.sums, other.sums, rtol=1e-10, atol=1e-10)  # the sums are of the rows themselves
        centers = one.sums / one.weights[:, None]
    for found, expected in zip(lloyd_end(rough, centers), lloyd_end(exact, centers), strict=True):
        np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-12)


def test_values_beyond_half_precision_are_cut_off_in_steps_alone(rows_on_gpu, monkeypatch):
    monkeypatch.setattr("coterie.primitives._torch.assign._kernels_for", lambda X: None)
    X = groups()
    X[0] = 1e6
    step = lloyd_step(lloyd_start(rows_on_gpu(X), half=True), np.vstack([X[1], X[0]]).astype(float))
    assert step.counts.tolist() == [len(X) - 1, 1]
    assert np.isfinite(step.sums).all()


@pytest.mark.parametrize("rows", [groups(), torch.from_numpy(groups())], ids=["array", "tensor"])
def test_rows_that_are_not_on_a_gpu_are_refused_in_one_sentence(rows):
    with pytest.raises(UnsupportedError, match=r"algorithm='flash' .* CUDA.*; pass device='cuda'"):
        KMeans(3, algorithm="flash", random_state=0).fit(rows)


def test_bounds_on_sizes_are_refused_beside_it():
    with pytest.raises(InputError, match="keeps no bounds on sizes"):
        KMeans(3, algorithm="flash", min_cluster_size=20, random_state=0).fit(groups())


def test_without_the_package_one_sentence_says_what_to_install(rows_on_gpu, monkeypatch):
    monkeypatch.setitem(sys.modules, "flash_kmeans.assign_euclid_triton", None)
    with pytest.raises(MissingExtraError, match="pip install flash-kmeans, or take algorithm='auto'"):
        lloyd_start(rows_on_gpu(groups()), half=True)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch sees no CUDA device here")
def test_the_package_itself_on_a_gpu():
    pytest.importorskip("flash_kmeans", reason="flash-kmeans is not installed")
    X = torch.from_numpy(groups()).to("cuda")
    model = KMeans(3, algorithm="flash", random_state=0).fit(X)
    np.testing.assert_array_equal(model.labels_.cpu().numpy(), KMeans(3, random_state=0).fit(groups()).labels_)
