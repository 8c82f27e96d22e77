"""A cluster behind TLS: certificates come from the settings of Dask, and who has none is told so."""

import shutil
import subprocess

import numpy as np
import pytest

import coterie

distributed = pytest.importorskip("distributed", reason="rows in blocks need the extra distributed")
pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Make a certificate that is its own authority."""
    if shutil.which("openssl") is None:
        pytest.skip("certificates are made by openssl, which is not installed")
    folder = tmp_path_factory.mktemp("tls")
    made = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=coterie",
         "-out", made[0], "-keyout", made[1]],
        check=True, capture_output=True,
    )  # fmt: skip
    return tuple(map(str, made))


@pytest.fixture(scope="module")
def scheduler(certificate):
    """Return the address of a scheduler that speaks to nobody without the certificate."""
    known, key = certificate
    sides = {
        f"tls_{side}_{what}": path
        for side in ("client", "scheduler", "worker")
        for what, path in (("cert", known), ("key", key))
    }
    security = distributed.Security(tls_ca_file=known, require_encryption=True, **sides)
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, host="127.0.0.1", protocol="tls://", security=security,
        dashboard_address=None,
    ) as cluster:  # fmt: skip
        yield cluster.scheduler_address


@pytest.fixture
def file(tmp_path):
    X = np.random.default_rng(0).normal(size=(3000, 2)) + np.repeat([[0.0, 0], [9, 9], [0, 9]], 1000, axis=0)
    pq.write_table(pa.table({"a": X[:, 0], "b": X[:, 1]}), tmp_path / "rows.parquet", row_group_size=700)
    return tmp_path / "rows.parquet"


def test_who_has_the_certificate_is_served(process, scheduler, certificate, file, tmp_path):
    known, key = certificate
    tls = {"CA_FILE": known, "CLIENT__CERT": known, "CLIENT__KEY": key}
    settings = {f"DASK_DISTRIBUTED__COMM__TLS__{name}": value for name, value in tls.items()}
    ended = process("run", file, "-k", 3, "--cluster", scheduler, "-o", "out", **settings)
    assert ended.code == 0, ended.err
    assert scheduler.startswith("tls://")
    assert scheduler in ended.err
    assert "without TLS" not in ended.err
    found = pq.read_table(tmp_path / "out" / "labels.parquet")["label"].to_numpy()
    assert coterie.metrics.adjusted_rand_score(np.repeat([0, 1, 2], 1000), found) == 1


def test_who_has_none_is_told_where_they_come_from(process, scheduler, file, tmp_path):
    ended = process("run", file, "-k", 3, "--cluster", scheduler, "-o", "out")
    assert ended.code == 4
    assert "certificates for tls:// come from the settings distributed.comm.tls of Dask" in ended.err
    assert not (tmp_path / "out").exists()
