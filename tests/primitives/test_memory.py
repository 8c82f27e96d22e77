"""What memory is free: of the machine, and of a container on it."""

import math

import pytest

from coterie.primitives import memory


@pytest.fixture
def system(tmp_path, monkeypatch):
    """A machine with 8 GB free whose files the test writes."""
    (tmp_path / "meminfo").write_text("MemTotal: 16000000 kB\nMemAvailable: 8000000 kB\n")
    (tmp_path / "status").write_text("Name: python\nVmRSS:\t  2000 kB\n")
    monkeypatch.setattr(memory, "_MACHINE", str(tmp_path / "meminfo"))
    monkeypatch.setattr(memory, "_PROCESS", str(tmp_path / "status"))
    monkeypatch.setattr(memory, "_GROUPS_OF_PROCESS", str(tmp_path / "cgroup"))
    monkeypatch.setattr(memory, "_GROUPS", str(tmp_path / "groups"))
    return tmp_path


def group(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def test_without_groups_the_machine_says_what_is_free(system):
    assert memory.free_bytes() == 8_000_000 * 1024
    assert memory.taken_bytes() == 2_000 * 1024


def test_a_system_that_says_nothing_refuses_nothing(system):
    for name in ("meminfo", "status"):
        (system / name).unlink()
    assert memory.free_bytes() == math.inf
    assert memory.taken_bytes() == 0


def test_a_container_leaves_its_limit_less_what_is_taken_and_not_given_back(system):
    (system / "cgroup").write_text("0::/\n")
    stat = "anon 1\ninactive_file 200\n"
    group(system / "groups", memory__max="1000\n", memory__current="700\n", memory__stat=stat)
    assert memory.free_bytes() == 500


def test_the_tightest_of_the_groups_around_counts(system):
    (system / "cgroup").write_text("0::/user.slice/mine.scope\n")
    group(system / "groups" / "user.slice", memory__max="900\n", memory__current="800\n", memory__stat="")
    group(system / "groups" / "user.slice" / "mine.scope", memory__max="max\n", memory__current="10\n")
    assert memory.free_bytes() == 100


def test_version_1_is_read_too_and_its_path_outside_the_container_does_not_matter(system):
    (system / "cgroup").write_text("9:name=systemd:/docker/abc\n5:cpu,memory:/docker/abc\n")
    group(
        system / "groups" / "memory",
        memory__limit_in_bytes="5000\n", memory__usage_in_bytes="4000\n", memory__stat="total_inactive_file 7\n",
    )  # fmt: skip
    assert memory.free_bytes() == 1007


def test_more_taken_than_allowed_leaves_nothing(system):
    (system / "cgroup").write_text("0::/\n")
    group(system / "groups", memory__max="1000\n", memory__current="1700\n", memory__stat="inactive_file 0\n")
    assert memory.free_bytes() == 0
