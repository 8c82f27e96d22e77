"""How long to wait for a scheduler or workers that have gone: whether anything may still come back."""

import time
from collections.abc import Callable

__all__ = ["PATIENCE", "Hope"]

PATIENCE = 15.0  # seconds without a scheduler, or without any worker, until there is no hope


class Hope:
    """Lasts while somebody is there, and a while longer.

    Parameters
    ----------
    there : callable
        Says whether a worker is there.
    lost : callable
        Makes the error to raise when none has been for too long.
    """

    def __init__(self, there: Callable[[], bool], lost: Callable[[], Exception]):
        self.there, self.lost = there, lost
        self.alone_since: float | None = None

    def check(self) -> None:
        """Raise if there has been no worker for too long."""
        if self.there():
            self.alone_since = None
        elif self.alone_since is None:
            self.alone_since = time.monotonic()
        elif time.monotonic() - self.alone_since > PATIENCE:
            raise self.lost()
