"""From lines that were read to all that suggestions are made of."""

from typing import Any, NamedTuple

from ...study.steps import Diary
from ._groups import find_groups
from ._interactions import Interactions
from ._items import Items
from ._lists import likeness_of
from ._ranking import Setting, fit_ranker, recent
from ._ratings import errors_of, fit_ratings
from ._suggesting import Learnt
from ._windows import Trial, Tried, said_of, try_settings

__all__ = ["Way", "learn", "settle"]


class Way(NamedTuple):
    """How to learn, as the recommender was told."""

    half_life: Any  # "auto", None or days
    n_groups: int
    min_share: float
    n_windows: int
    n_chains: int
    diversity: float
    seed: int


def settle(lines: Interactions, known: Items, way: Way, diary: Diary) -> Tried:
    """Try settings on windows of the past."""
    with diary.step("try"):
        trial = Trial([], way.n_groups, way.seed, way.diversity, known.tags)
        tried = try_settings(lines, way.half_life, way.n_windows, trial)
        unit = "days" if lines.dated else f"units of {lines.columns['time']}"
        diary.text = said_of(tried, way.half_life, unit)
    return tried


def learn(lines: Interactions, known: Items, setting: Setting, way: Way, diary: Diary) -> Learnt:
    """Learn from all lines with the settled setting."""
    with diary.step("groups"):
        ranker = fit_ranker(lines, way.n_groups, way.seed)
        groups = find_groups(
            ranker.taste, ranker.liked, known.titles, known.tags, list(known.tag_names),
            n_groups=way.n_groups, min_share=way.min_share, seed=way.seed,
        )  # fmt: skip
        diary.text = f"{len(groups.groups)} taste group{'s' if len(groups.groups) != 1 else ''}"
    ratings = None
    if lines.rating is not None:
        with diary.step("ratings"):
            ratings = fit_ratings(lines, n_chains=way.n_chains, seed=way.seed)
            rmse = errors_of(ratings)["rmse"]
            diary.text = f"predicted within {rmse:.2f} (root mean square) of the ratings that were held out"
    likeness, now = likeness_of(known.tags, ranker.liked), recent(ranker, setting.half_life)
    return Learnt(lines, known, setting, ranker, now, groups, likeness, ratings)
