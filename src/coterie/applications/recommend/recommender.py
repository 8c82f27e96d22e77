"""`ClusterRecommender`: what to suggest to whom, from who chose or rated what, with a reason for each suggestion."""

from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ...base import Estimator, Interval, StrOptions
from ...errors import InputError
from ...models import load, save
from ...study.plan import parse_bytes
from ...study.steps import Diary
from ...tables import read
from . import _evaluation as evaluation
from ._columns import Given
from ._half_life import check_half_life, days_of
from ._interactions import read_interactions
from ._items import read_items
from ._learning import Way, learn, settle
from ._links import check_memory
from ._ratings import expected
from ._state import pack_state, unpack_state
from ._suggesting import asked_of_fit, asked_of_history, numbers_of, suggested, warn_of_strangers
from ._windows import Tried

__all__ = ["ClusterRecommender"]

_USERS_PER_GROUP = 10


class ClusterRecommender(Estimator):
    """Suggestions from taste groups, like-minded users and similar items, and ratings predicted by averaged co-clustering.

    Parameters
    ----------
    n_groups : int, default=10
        Taste groups, at most one for ten users.
    diversity : float, default=0.0
        0 to 1: how much the items of a list should differ, in tags where items have some, else in who likes them.
    half_life : "auto", None, float or str, default="auto"
        How fast likes lose weight: days, or "14D", "6W", "3M", "1Y". "auto" takes what served best on windows of the past; None: never.
    like : float, optional
        Least rating that means that a user liked an item; by default the least that is not below the mean.
    min_share : float, default=0.02
        Least share of the users in a taste group; a smaller one joins its nearest.
    n_windows : int, default=20
        Windows of the time of the second half of the lines that the rolling evaluation reports; as many before them serve to settle the half-life.
        At most 4 from 300,000 lines on.
    n_restarts : int, default=12
        Chains of the averaged co-clustering.
    random_state : int, default=0
        Seed.

    Attributes
    ----------
    groups_ : list of Group
        ``name``, ``size``, ``share``, ``items`` and ``tags`` that set it apart.
    labels_ : (n_users,) int64 array
        Group of each user; -1 for one who liked nothing.
    users_, items_ : list of str
        Names, in order.
    half_life_ : float or None
        Days.
    metrics_ : dict of str to float
        How good suggestions and predictions were on what was held out or came later.
    columns_ : dict of str to str
        Which column was taken for what.
    notes_ : list of str
        What was decided about the data.
    dated_ : bool
        Whether times are dates, so that half-lives are days; else they count in the unit of the column.
    n_left_out_ : int
        Lines that lacked a value.
    steps_ : list of Step
        What was done, with seconds.
    source_ : dict
        Name, rows, bytes and fingerprint of the table.
    n_features_in_ : int
        Columns that were taken.

    See Also
    --------
    KMeans : Makes the taste groups.

    Notes
    -----
    A suggestion's score is made of what the user's circle (like-minded users, and its taste group from ten seeds) liked lately, and of
    links between items (EASE). Ratings are a baseline, plus blocks of a co-clustering averaged over many draws, plus similar items; their
    weights and the width of the intervals come from a tenth of the ratings that was held out. Settings of the suggestions come from
    windows of the past, and each window that is reported was settled before it began.

    Cost: memory O(lines + min(users, items, 10000)^2) and blocks of users; on two cores a minute for a million ratings of thousands of
    users, and five for a million of hundreds of thousands.

    References
    ----------
    George, T., & Merugu, S. (2005). A scalable collaborative filtering framework based on co-clustering. ICDM, 625-628.
    https://doi.org/10.1109/ICDM.2005.14

    Steck, H. (2019). Embarrassingly shallow autoencoders for sparse data. WWW, 3251-3257. https://doi.org/10.1145/3308558.3313710

    Koren, Y. (2010). Factor in the neighbors: Scalable and accurate collaborative filtering. ACM TKDD, 4(1), 1.
    https://doi.org/10.1145/1644873.1644874

    Examples
    --------
    >>> from coterie import ClusterRecommender
    >>> pairs = [(u, i) for u in range(40) for i in range(12) if (u % 2 == i % 2) and (u + i) % 5]
    >>> lines = {"user": [u for u, _ in pairs], "item": [f"item {i}" for _, i in pairs]}
    >>> rec = ClusterRecommender(n_groups=2).fit(lines)
    >>> rec.recommend(["4"], n=1)["item"]
    ['item 6']
    """

    _tried: Tried | None
    _state_attributes: ClassVar = ("_kept",)
    _parameter_constraints: ClassVar[dict] = {
        "n_groups": [Interval(Integral, 1, None, closed="left")],
        "diversity": [Interval(Real, 0, 1, closed="both")],
        "half_life": [StrOptions({"auto"}), str, None, Interval(Real, 0, None, closed="neither")],
        "like": [None, Real],
        "min_share": [Interval(Real, 0, 1, closed="left")],
        "n_windows": [Interval(Integral, 1, None, closed="left")],
        "n_restarts": [Interval(Integral, 1, None, closed="left")],
        "random_state": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(
        self,
        n_groups=10,
        *,
        diversity=0.0,
        half_life="auto",
        like=None,
        min_share=0.02,
        n_windows=20,
        n_restarts=12,
        random_state=0,
    ):
        self.n_groups = n_groups
        self.diversity = diversity
        self.half_life = half_life
        self.like = like
        self.min_share = min_share
        self.n_windows = n_windows
        self.n_restarts = n_restarts
        self.random_state = random_state

    def fit(
        self,
        ratings,
        y=None,
        *,
        items=None,
        user=None,
        item=None,
        rating=None,
        time=None,
        memory_limit=None,
        on_step=None,
    ):
        """Learn from who chose or rated what.

        Parameters
        ----------
        ratings : path, frame or Table
            A line for each choice or rating.
        y : ignored
        items : path, frame or Table, optional
            A line for each item: its name in ``ratings``, a title, tags such as "Comedy|Drama".
        user, item, rating, time : str, optional
            Columns; by default found by their names. "none" for a rating or time: there is none.
        memory_limit : int or str, optional
            Bytes that the links between items may take, such as "2GB"; by default what is free.
        on_step : callable, optional
            Told of each finished step.

        Returns
        -------
        self

        Raises
        ------
        InputError
            If nothing can be learnt from the lines; one sentence says why.
        ResourceError
            If the links between items do not fit into memory.
        """
        self._validate_params()
        days_of(self.half_life)  # refused before anything is read
        diary = Diary(on_step)
        with diary.step("read"):
            table = read(ratings)
            lines = read_interactions(table, Given(user, item, rating, time), self.like)
            known = read_items(None if items is None else read(items), lines.items)
            diary.text = f"{len(lines.user):,} {'choices' if lines.rating is None else 'ratings'} of {len(lines.items):,} items by {len(lines.users):,} users"
        check_half_life(self.half_life, lines)
        self.source_: dict[str, Any] = {
            "name": table.name,
            "rows": table.n_rows,
            "bytes": table.source_bytes,
            "fingerprint": table.fingerprint(),
        }
        check_memory(lines.shape, parse_bytes(memory_limit))
        self._take(lines, known)
        self._tried = settle(lines, known, self._way, diary)
        self._setting = self._tried.setting
        self._build(diary)
        self.metrics_ = evaluation.figures(self._learnt, self._tried)
        self.steps_ = diary.steps
        return self

    def _take(self, lines: Any, known: Any) -> None:
        self._lines, self._items = lines, known
        self.users_, self.items_, self.columns_ = lines.users, lines.items, lines.columns
        self.n_left_out_, self.dated_ = lines.n_left_out, lines.dated
        self.notes_ = [*lines.notes, *known.notes]
        self.n_features_in_ = len(lines.columns)

    @property
    def _way(self) -> Way:
        n_groups = max(1, min(int(self.n_groups), self._lines.shape[0] // _USERS_PER_GROUP))
        return Way(
            days_of(self.half_life), n_groups, float(self.min_share), int(self.n_windows), int(self.n_restarts),
            float(self.diversity), int(self.random_state),
        )  # fmt: skip

    def _build(self, diary: Diary) -> None:
        self._learnt = learn(self._lines, self._items, self._setting, self._way, diary)
        self.groups_, self.labels_ = self._learnt.groups.groups, self._learnt.groups.labels
        self.half_life_ = self._setting.half_life

    def _fitted_state(self) -> dict[str, Any]:
        check_is_fitted(self, "groups_")
        kept = pack_state(self._lines, self._items, self._setting, self.metrics_, self.source_)
        return {"n_features_in_": self.n_features_in_, "_kept": kept}

    def _restore(self, state: dict[str, Any]) -> "ClusterRecommender":
        """Learn again from the lines that the file holds; the same comes out."""
        lines, known, self._setting, self.metrics_, self.source_ = unpack_state(state["_kept"])
        self._take(lines, known)
        self._tried, self.steps_ = None, []
        self._build(Diary(None))
        return self

    def save(self, path: Any) -> Any:
        """Write the model to one file, from which `load` makes one that suggests the same.

        Parameters
        ----------
        path : str or path-like
            By custom ends in ``.coterie``.

        Returns
        -------
        Path
        """
        return save(self, path)

    @classmethod
    def load(cls, path: Any) -> "ClusterRecommender":
        """Read a model that `save` or ``coterie recommend`` wrote.

        Parameters
        ----------
        path : str or path-like
            The file, or a folder of results.

        Returns
        -------
        ClusterRecommender
        """
        found = load(path).estimator
        if not isinstance(found, cls):
            raise InputError(
                f"{path} holds a {type(found).__name__}, not a recommender; give what coterie recommend wrote"
            )
        return found

    def recommend(
        self, users: Any = None, n: int = 10, *, explain: bool = False, history: Any = None
    ) -> dict[str, list]:
        """Suggest items that users do not have yet.

        Parameters
        ----------
        users : sequence of str or int, optional
            Names of users; by default all, or those of ``history``.
        n : int, default=10
            Suggestions for each, fewer where there are no more items.
        explain : bool, default=False
            Add ``group``, ``similar_to`` and ``reason``.
        history : path, frame or Table, optional
            Lines of new users, with the columns of the fit; they are not learnt from.

        Returns
        -------
        dict of str to list
            Columns, a line for each suggestion: ``user``, ``rank``, ``item``, ``title``, ``score``, ``support`` (lines of the item),
            and where there are ratings ``rating``, ``low`` and ``high``: nine of ten ratings lie between these.

        Warns
        -----
        ClusterWarning
            If users of ``history`` have no item that was learnt from.
        """
        check_is_fitted(self, "groups_")
        if n < 1:
            raise InputError(f"n must be at least 1, got {n}")
        if history is not None:
            asked = asked_of_history(self._learnt, read(history), users)
            warn_of_strangers(asked, self.items_)
        else:
            numbers = np.arange(len(self.users_)) if users is None else numbers_of(users, self.users_, "user")
            asked = asked_of_fit(self._learnt, numbers)
        return suggested(self._learnt, asked, min(int(n), len(self.items_)), float(self.diversity), explain)

    def predict(self, users: Iterable, items: Iterable) -> np.ndarray:
        """Predict the ratings of pairs of users and items.

        Parameters
        ----------
        users, items : sequences of names, of one length

        Returns
        -------
        (p,) float64 array
            Within the range of the ratings.
        """
        check_is_fitted(self, "groups_")
        if self._learnt.ratings is None:
            raise InputError("there were no ratings to learn from, so none can be predicted; recommend ranks items")
        rows, columns = numbers_of(users, self.users_, "user"), numbers_of(items, self.items_, "item")
        if len(rows) != len(columns):
            raise InputError(f"users and items must be pairs, got {len(rows):,} users and {len(columns):,} items")
        return expected(self._learnt.ratings, rows, columns)

    def evaluate(self, protocol: str = "rolling", *, folds: Any = None) -> dict[str, Any]:
        """Measure suggestions or predicted ratings.

        Parameters
        ----------
        protocol : {"rolling", "folds", "sparsity", "consistency"}, default="rolling"
            "rolling": windows of time, learning from what came before each. "folds": RMSE of ratings on five random folds.
            "sparsity": with 0, 50, 80 and 90 % of the lines dropped. "consistency": overlap of lists across seeds and samples.
        folds : (e,) int array, optional
            Fold of each line that was learnt from, in its order.

        Returns
        -------
        dict
        """
        check_is_fitted(self, "groups_")
        if protocol == "rolling" and self._tried is None:
            self._tried = settle(self._lines, self._items, self._way, Diary(None))
        return evaluation.by_protocol(protocol, self._learnt, self._tried, self._way, folds)

    def calibration(self) -> dict[str, list]:
        """Return what was predicted for held-out ratings and what they were: ``predicted``, ``rated`` and ``count`` in bins."""
        check_is_fitted(self, "groups_")
        if self._learnt.ratings is None:
            raise InputError("there were no ratings to learn from, so none were predicted")
        return evaluation.calibration(self._learnt.ratings.held_out)

    def group_shares(self, titles: Sequence[str]) -> np.ndarray:
        """Return the share of each group that liked items of these titles, (k, q)."""
        check_is_fitted(self, "groups_")
        place = {title: i for i, title in reversed(list(enumerate(self._items.titles)))}
        missing = next((title for title in titles if title not in place), None)
        if missing is not None:
            raise InputError(f"no item is called {missing!r} among those that were learnt from")
        columns = self._learnt.ranker.liked.tocsc()[:, [place[title] for title in titles]].toarray()
        return np.array([columns[self.labels_ == g].mean(axis=0) for g in range(len(self.groups_))])
