"""Rolling windows: learn from what came before a window, suggest, and see what users liked within it.

Every setting is tried on every window. A window's setting is the one that served best in the windows before it, so that what is reported
for a window was settled before it began.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from ...primitives.compiled import run_blocks
from ._interactions import Interactions, table_of
from ._lists import best, coverage, likeness_of, worth
from ._ranking import (
    LINK_WEIGHTS,
    Setting,
    combined,
    decay,
    fit_ranker,
    parts_of,
    recent,
    rows_of,
    without,
)

__all__ = [
    "KNOWN",
    "TOP",
    "Outcome",
    "Trial",
    "Tried",
    "best_popularity",
    "choose",
    "drawn",
    "progressive",
    "said_of",
    "settings_for",
    "split_outcome",
    "try_settings",
    "window_edges",
]

TOP = 10
KNOWN = 5  # likes from which on a user is known; others are reported apart
_HALVINGS = 2.0 ** np.arange(-3, 5)  # half-lives, in widths of a window
_MANY_LINES, _FEW_WINDOWS = 300_000, 4
_MOST_USERS, _MOST_SCORES, _MOST_NEAR = 500, 1 << 23, 1 << 25  # in a window
_AS_GOOD = 0.98  # of the best NDCG; of settings this good, the one that shows most of the catalogue is taken
_EARLY, _HELD_OUT = 0.1, 0.2


class Outcome(NamedTuple):
    """What came of suggestions in a window."""

    start: float | None
    end: float | None
    users: np.ndarray  # (r,)
    known: np.ndarray  # (r,) bool
    lists: dict[Setting, np.ndarray]  # (r, 10) each
    worth: dict[Setting, dict[str, np.ndarray]]
    popular: dict[float | None, tuple[np.ndarray, np.ndarray]]  # by half-life: lists and NDCG of what was popular
    groups: np.ndarray  # (2, n) taste groups from two seeds at the start; -1 for who liked nothing so far
    n_wanted: int
    n_new: int  # of the wanted, items that nobody had before


class Tried(NamedTuple):
    """What came of all settings in all windows.

    Attributes
    ----------
    settings : list of Setting
    outcomes : list of Outcome
        In order of time; or one, of likes that were drawn at random.
    n_settle : int
        Windows at the beginning that only serve to settle on a setting.
    setting : Setting
        That served best.
    """

    settings: list[Setting]
    outcomes: list[Outcome]
    n_settle: int
    setting: Setting

    @property
    def has_windows(self) -> bool:
        """Whether there are windows to report, in which users who were known before liked anything."""
        return any(one.start is not None and one.known.any() for one in self.outcomes[self.n_settle :])


def try_settings(lines: Interactions, half_life: Any, n_windows: int, trial: "Trial") -> Tried:
    """Try settings on windows of the past, or on a fifth of the likes where there are none with known users.

    Parameters
    ----------
    lines : Interactions
    half_life : "auto", None or float
    n_windows : int
        To report; as many before them serve to settle. At most 4 from 300,000 lines on.
    trial : Trial
        Without its settings.
    """
    m = lines.shape[1]
    if lines.day is not None and lines.day.max() > lines.day.min():
        n = min(n_windows, _FEW_WINDOWS) if len(lines.user) >= _MANY_LINES else n_windows
        edges = window_edges(lines.day, n)
        settings = settings_for(edges, half_life)
        found = [window_outcome(lines, start, end, trial._replace(settings=settings)) for start, end in pairwise(edges)]
        outcomes = [one for one in found if one is not None]
        if any(one.known.any() for one in outcomes):
            return Tried(settings, outcomes, sum(one is not None for one in found[:n]), choose(outcomes, settings, m))
    settings = settings_for(None, half_life)
    drawn = drawn_outcome(lines, trial._replace(settings=settings))
    outcomes = [] if drawn is None else [drawn]
    return Tried(settings, outcomes, 0, choose(outcomes, settings, m))


def window_edges(day: np.ndarray, n_windows: int) -> np.ndarray:
    """Return (2 n + 1,) times: n windows of equal length to settle on, from the first tenth of the lines on, and n from their middle on."""
    early, middle, last = np.quantile(day, _EARLY), np.quantile(day, 0.5), day.max()
    return np.concatenate(
        [np.linspace(early, middle, n_windows, endpoint=False), np.linspace(middle, last, n_windows + 1)]
    )


def settings_for(edges: np.ndarray | None, half_life: Any = "auto") -> list[Setting]:
    """Return the settings to try; half-lives are in proportion to the windows, so that any unit of time will do."""
    lives: Sequence[float | None] = [None if half_life == "auto" else half_life]
    if half_life == "auto" and edges is not None:
        lives = [*((edges[-1] - edges[-2]) * _HALVINGS).tolist(), None]
    return [Setting(life, weight) for life in lives for weight in LINK_WEIGHTS]


class Trial(NamedTuple):
    """What is tried on each window.

    Attributes
    ----------
    settings : list of Setting
    n_groups : int
    seed : int
    diversity : float
    tags : (m, t) sparse array or None
        Of the items, by which lists are varied.
    """

    settings: list[Setting]
    n_groups: int
    seed: int
    diversity: float = 0.0
    tags: Any = None


def window_outcome(lines: Interactions, start: float, end: float, trial: Trial) -> Outcome | None:
    """Suggest at ``start`` and look at what was liked until ``end``; None where there is nobody to look at."""
    later = lines.take((lines.since > start) & (lines.since <= end) & lines.liked)
    return _outcome(lines.until(start), later, trial, (start, end))


def split_outcome(before: Interactions, later: Interactions, trial: Trial) -> Outcome | None:
    """Suggest from some lines and look at what was liked in others, whatever the times."""
    return _outcome(before, later.take(later.liked), trial, (None, None))


def drawn_outcome(lines: Interactions, trial: Trial) -> Outcome | None:
    """Suggest without a fifth of the likes, drawn at random, and look at that fifth: for lines without times."""
    held = lines.liked & (np.random.default_rng(trial.seed).random(len(lines.user)) < _HELD_OUT)
    return split_outcome(lines.take(~held), lines.take(held), trial)


def _outcome(
    before: Interactions, later: Interactions, trial: Trial, when: tuple[float | None, float | None]
) -> Outcome | None:
    users = np.unique(later.user)
    if not len(users) or not before.liked.any():
        return None
    ranker = fit_ranker(before, trial.n_groups, trial.seed, when[0])
    told_apart = when[0] is not None
    users = drawn(users, (ranker.taste.counts[users] >= KNOWN) | (not told_apart), before.shape, trial.seed)
    rows = rows_of(ranker, users)
    circles, linked = parts_of(ranker, rows)
    seen, there = rows.seen, ranker.there
    wanted = table_of(later)[users]
    likeness = likeness_of(trial.tags, ranker.liked)
    lives = list(dict.fromkeys(one.half_life for one in trial.settings))
    lists: dict[Setting, np.ndarray] = {}
    popular = dict.fromkeys(lives, (np.empty(0), np.empty(0)))

    def try_life(number: int) -> None:
        life = lives[number]
        everyone = np.tile(_popularity(before, life), (len(users), 1))
        found = best(without(everyone, seen, there), TOP)
        popular[life] = found, worth(found, wanted)["ndcg"]
        near = combined(ranker, circles, recent(ranker, life), linked, 0.0)
        for one in (one for one in trial.settings if one.half_life == life):
            scores = without(near + one.links * linked, seen, there)
            lists[one] = best(scores, TOP, likeness, trial.diversity)

    run_blocks(try_life, len(lives))
    known = ranker.taste.counts[users] >= KNOWN
    told = {one: worth(found, wanted) for one, found in lists.items()}
    return Outcome(
        when[0],
        when[1],
        users,
        known,
        lists,
        told,
        popular,
        ranker.taste.labels[:2],
        len(later.item),
        int((~there[later.item]).sum()),
    )


def drawn(users: np.ndarray, known: np.ndarray, shape: tuple[int, int], seed: int) -> np.ndarray:
    """Return as many of the users as there is room for, where there are enough half of them known and half not."""
    most = max(2, min(_MOST_USERS, _MOST_SCORES // shape[1], _MOST_NEAR // shape[0]))
    if len(users) <= most:
        return users
    kinds = [np.random.default_rng(seed).permutation(some) for some in (users[known], users[~known])]
    room = [max(most // 2, most - len(other)) for other in reversed(kinds)]
    return np.sort(np.concatenate([some[:n] for some, n in zip(kinds, room, strict=True)]))


def _popularity(lines: Interactions, half_life: float | None) -> np.ndarray:
    """Return how often each item was liked, with one half-life: what suggestions have to beat."""
    likes = lines.take(lines.liked)
    ages = np.zeros(len(likes.item)) if likes.day is None else likes.day.max() - likes.day
    return np.bincount(likes.item, decay(ages, half_life), lines.shape[1])


def choose(outcomes: Sequence[Outcome], settings: Sequence[Setting], n_items: int) -> Setting:
    """Return the setting that served known users best: of those within 2 % of the best NDCG, the one with the largest coverage."""
    seen = [one for one in outcomes if one.known.any()]
    if not seen:
        return settings[len(settings) // 2]
    ndcg = np.array([np.concatenate([o.worth[one]["ndcg"][o.known] for o in seen]).mean() for one in settings])
    shown = np.array([coverage(np.concatenate([o.lists[one][o.known] for o in seen]), n_items) for one in settings])
    return settings[int(np.argmax(np.where(ndcg >= _AS_GOOD * ndcg.max(), shown, -1.0)))]


def progressive(outcomes: Sequence[Outcome], settings: Sequence[Setting], n_items: int) -> list[Setting]:
    """Return for each window the setting that served best in those before it."""
    return [choose(outcomes[:w], settings, n_items) for w in range(len(outcomes))]


def best_popularity(outcomes: Sequence[Outcome], n_items: int) -> dict[str, Any]:
    """Return what suggesting the recently most liked would have come to, with the half-life that turned out best for these windows."""
    lives = list(outcomes[0].popular)
    ndcg = [np.concatenate([one.popular[life][1][one.known] for one in outcomes]) for life in lives]
    top = int(np.argmax([values.mean() if len(values) else 0.0 for values in ndcg]))
    lists = np.concatenate([one.popular[lives[top]][0][one.known] for one in outcomes])
    return {
        "half_life": lives[top],
        "ndcg": float(ndcg[top].mean()) if len(ndcg[top]) else 0.0,
        "coverage": coverage(lists, n_items),
    }


def said_of(tried: Tried, half_life: Any, unit: str) -> str:
    """Say in words what was settled, and on what.

    Parameters
    ----------
    tried : Tried
    half_life : "auto", None or float
        As it was given.
    unit : str
        Of time.
    """
    timed = [one for one in tried.outcomes if one.start is not None]
    if not timed:
        return "without windows of the past, settings were tried on a fifth of the likes, drawn at random"
    life = tried.setting.half_life
    lasting = "likes never lose weight" if life is None else f"likes lose half their weight in {life:,.3g} {unit}"
    windows = f"{len(timed)} window{'s' if len(timed) != 1 else ''} of the past"
    why = (
        f"which served best in {windows}" if half_life == "auto" else f"as was asked; the rest was settled on {windows}"
    )
    return f"{lasting}, {why}"
