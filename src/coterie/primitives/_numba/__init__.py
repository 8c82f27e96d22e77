"""The CPU engine: kernels compiled by Numba, run over fixed blocks on a pool of threads."""
