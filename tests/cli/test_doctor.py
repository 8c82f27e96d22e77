"""``coterie doctor --gpu``: what it checks, what it says where there is no GPU, and that it sees what is wrong."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from coterie.cli import doctor_gpu

torch = pytest.importorskip("torch", reason="the device is PyTorch's")


@pytest.fixture(autouse=True)
def one_thread_of_torch():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_it_says_so_in_one_sentence_and_exits_with_4(call):
    ended = call("doctor", "--gpu")
    assert (ended.code, ended.out) == (4, "")
    assert len(ended.err.strip().splitlines()) == 1
    assert "can use no device 'cuda' here" in ended.err


def test_a_device_that_does_not_exist_is_named(call):
    ended = call("doctor", "--device", "abacus")
    assert ended.code == 4
    assert "can use no device 'abacus' here" in ended.err
    assert len(ended.err.strip().splitlines()) == 1


def test_without_pytorch_it_says_what_to_install(call, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    ended = call("doctor", "--gpu")
    assert ended.code == 2
    assert 'pip install "coterie[gpu]"' in ended.err


@pytest.mark.thorough
def test_the_torch_engine_passes_every_check_on_the_cpu_and_is_timed(call, monkeypatch):
    monkeypatch.setattr(doctor_gpu, "_ROWS_ON_CPU", 500)
    ended = call("doctor", "--device", "cpu", "--json")
    findings = json.loads(ended.out)["findings"]
    checked = {line["name"]: line for line in findings if line["topic"].startswith("the torch engine on cpu")}
    assert {"nearest center, float32", "k nearest", "spanning tree", "KMeans", "Leiden"} <= set(checked)
    assert [line for line in checked.values() if not line["value"].startswith("as on the CPU")] == []
    timed = {line["name"]: line["value"] for line in findings if line["topic"] == "speed"}
    assert set(timed) == {"KMeans", "DBSCAN", "k_nearest", "LayerFeatures"}
    assert all("times as fast" in value for value in timed.values()), timed
    assert ended.code == 0


@pytest.mark.thorough
def test_the_checks_reach_every_primitive_of_the_torch_engine():
    script = (
        "import sys, torch\n"
        "torch.set_num_threads(1)\n"
        "from coterie.cli import doctor_gpu\n"
        "assert all(good for _, _, good in doctor_gpu.checks('cpu'))\n"
        "print(*(name.rpartition('.')[2] for name in sys.modules if name.startswith('coterie.primitives._torch.')))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    import coterie.primitives

    there = (Path(coterie.primitives.__file__).parent / "_torch").glob("[!_]*.py")
    assert {path.stem for path in there} - set(done.stdout.split()) == NOT_REACHED


# Each has tests of its own that run on tensors.
NOT_REACHED = {"neighbor_embedding"}


def test_a_wrong_answer_of_the_device_is_a_finding(monkeypatch):
    wrong = {"sums": lambda on: (np.zeros(3) if on is np.asarray else np.ones(3),)}
    monkeypatch.setattr(doctor_gpu, "_of_rows", lambda: wrong)
    monkeypatch.setattr(doctor_gpu, "_of_graphs", dict)
    monkeypatch.setattr(doctor_gpu, "_estimators", lambda: iter(()))
    ((name, value, good),) = doctor_gpu.checks("cpu")
    assert (name, good) == ("sums", False)
    assert value.startswith("OTHER THAN ON THE CPU")


def test_what_fails_on_the_device_is_a_finding(monkeypatch):
    def fail(on):
        raise RuntimeError("out of luck")

    monkeypatch.setattr(doctor_gpu, "_of_rows", lambda: {"sums": fail})
    monkeypatch.setattr(doctor_gpu, "_of_graphs", dict)
    monkeypatch.setattr(doctor_gpu, "_estimators", lambda: iter(()))
    assert list(doctor_gpu.checks("cpu")) == [("sums", "failed: RuntimeError: out of luck", False)]
