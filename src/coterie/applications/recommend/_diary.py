"""The steps of a fit: timed, and told once each."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from ...study.steps import Step
from ._ranking import Setting
from ._windows import Outcome

__all__ = ["Diary", "said_of"]


class Diary:
    """Times each step and tells about it once."""

    def __init__(self, on_step: Callable[[Step], object] | None):
        self.on_step = on_step
        self.steps: list[Step] = []
        self.text = ""

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time what is done within."""
        began, self.text = time.perf_counter(), ""
        yield
        done = Step(name, self.text, round(time.perf_counter() - began, 4))
        self.steps.append(done)
        if self.on_step is not None:
            self.on_step(done)


def said_of(setting: Setting, outcomes: Sequence[Outcome]) -> str:
    """Say in words what was settled, and on what."""
    timed = [one for one in outcomes if one.start is not None]
    if not timed:
        return "without windows of the past, settings were tried on a fifth of the likes, drawn at random"
    life = (
        "likes never lose weight"
        if setting.half_life is None
        else f"likes lose half their weight in {setting.half_life:,.3g} days"
    )
    return f"{life}, which served best in {len(timed)} windows of the past"
