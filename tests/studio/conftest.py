"""What the tests of the studio share: one server a session."""

import pytest

from studio.servers import Served, write_wine


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    """Return a studio of 178 wines that runs while the tests do."""
    pytest.importorskip("uvicorn", reason="the studio needs the extra app")
    folder = tmp_path_factory.mktemp("studio")
    write_wine(folder)
    running = Served(folder, "wine.csv")
    yield running
    running.stop()
