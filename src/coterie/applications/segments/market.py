"""Market segmentation: from a file of purchases or subscriptions to segments that a team can act on."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from ... import models
from ...errors import InputError, ModelFileError
from ...partition.kmeans import KMeans
from ...study.steps import Diary, Step
from ...tables import Table, read
from . import buyers as without_contract
from . import members as with_contract
from ._columns import Given, is_subscriptions
from ._frames import frame_like
from ._newcomers import customers_of, last_day_of
from ._options import check_options, parse_day, parse_horizon
from ._segmented import label_of
from .grouping import CustomerCoding
from .naming import rule_lines
from .transactions import day_text

__all__ = ["MarketSegmentation"]

_COLUMNS = Given._fields


class MarketSegmentation(BaseEstimator):
    """Segments of customers, from what they bought or subscribed to.

    Parameters
    ----------
    k : "auto" or int, default="auto"
        How many segments; "auto" takes the most, up to 8, that random parts of the customers agree about (stability of 0.9), else the
        number that they agree about most.
    min_share : float, default=0.03
        Least share of the customers in a segment.
    contractual : "auto" or bool, default="auto"
        Whether customers subscribe; "auto" tells by the columns.
    cutoff : str or date, optional
        Segments are made of rows up to the end of this day; what comes later only tests them. None is the last day of the file.
    horizon : str or int, optional
        How far to look ahead: "39w", "90d", "12m", "1y", or days. None is as long as the file goes on after the cut-off, else a year;
        for subscribers, as long as they stay.
    whales : {"keep", "separate"}, default="keep"
        "separate" makes those who spend most a segment of their own before the others are grouped.
    whale_share : float, default=0.01
        Their share of the customers.
    margin : float, default=1.0
        Share of what is spent that is earned.
    discount : float, default=0.0
        A year: what is earned in a year is worth ``1 / (1 + discount)`` today.
    spend_lag : int, default=0
        Months from what is spent on winning customers to those that it brings.
    id, date, amount, order : str, optional
        Columns of purchases. ``amount`` may be a product, "Quantity*UnitPrice". None finds them by name.
    start, end, price, plan, period, tenure, churn : str, optional
        Columns of subscriptions: from when, until when (empty where it runs on), the price, what it is, what the price pays for (month,
        quarter, year); or, without dates, months of tenure and whether the customer left.
    random_state : int, default=0
        Seed.

    Attributes
    ----------
    segments_ : frame or dict of arrays
        A line for each customer: segment, what they did, and what is expected of them. A frame of the kind that was given, else a dict.
    labels_ : (n,) int64 array
        The segment of each customer, 0 is the largest; whales come last.
    profile_ : frame or dict of arrays
        A line for each segment.
    metrics_ : dict
        Figures by name; what each means is in ``metrics.json`` of the command line and in the guide.
    rules_ : list of dict
        ``segment``, ``from`` and ``to`` of each column, ``customers``, ``precision``: what a CRM can apply.
    as_of_ : str or None
        The day as of which `assign` last looked at customers; None for tenures.
    found_ : BuyersFound or MembersFound
        Everything else that was found.
    steps_, warnings_, taken_, notes_ : list
        What was done, what is doubtful, which columns were taken and which rows left out, and all that was decided about the file.

    See Also
    --------
    KMeans : What the segments are made with.

    Notes
    -----
    Buyers are grouped by the logarithms of recency (days since the last purchase), frequency (days with a purchase after the first) and
    what they spent in all, scaled to variance 1; subscribers by those of tenure and price. What each buyer will do is foretold by
    BG/NBD and gamma-gamma models. Purchases at equal gaps, and subscriptions, are refused by these. Cost: O(n k) a step of k-means
    and O(n) a step of the models.

    References
    ----------
    Fader, P. S., Hardie, B. G. S., Lee, K. L. (2005). "Counting your customers" the easy way. Marketing Science, 24(2), 275-284.
    https://doi.org/10.1287/mksc.1040.0098

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> customer = rng.integers(0, 60, 400)
    >>> bought = {
    ...     "customer_id": customer,
    ...     "date": np.datetime64("2024-01-01") + rng.integers(0, 300, 400),
    ...     "amount": np.round(rng.gamma(2, 10 + customer % 3 * 30), 2),
    ... }
    >>> seg = MarketSegmentation(k=3).fit(bought)
    >>> len(seg.labels_), seg.profile_["customers"].sum().item()
    (60, 60)
    """

    def __init__(
        self, k: Any = "auto", *, min_share: float = 0.03, contractual: Any = "auto", cutoff: Any = None, horizon: Any = None,
        whales: str = "keep", whale_share: float = 0.01, margin: float = 1.0, discount: float = 0.0, spend_lag: int = 0,
        id: str | None = None,  # noqa: A002 - as tables call it
        date: str | None = None, amount: str | None = None, order: str | None = None,
        start: str | None = None, end: str | None = None, price: str | None = None, plan: str | None = None,
        period: str | None = None, tenure: str | None = None, churn: str | None = None, random_state: int = 0,
    ) -> None:  # fmt: skip
        self.k = k
        self.min_share = min_share
        self.contractual = contractual
        self.cutoff = cutoff
        self.horizon = horizon
        self.whales = whales
        self.whale_share = whale_share
        self.margin = margin
        self.discount = discount
        self.spend_lag = spend_lag
        self.id = id
        self.date = date
        self.amount = amount
        self.order = order
        self.start = start
        self.end = end
        self.price = price
        self.plan = plan
        self.period = period
        self.tenure = tenure
        self.churn = churn
        self.random_state = random_state

    def fit(
        self, data: Any, spend: Any = None, *, on_step: Callable[[Step], None] | None = None
    ) -> "MarketSegmentation":
        """Find the segments.

        Parameters
        ----------
        data : path, frame, dict of columns or Table
            Purchases, a row each or a row an item; or subscriptions.
        spend : path, frame, dict of columns or Table, optional
            What was spent to win customers: month, cost, and optionally channel and new_customers.
        on_step : callable, optional
            Told of each finished step.

        Returns
        -------
        MarketSegmentation
            This one.

        Raises
        ------
        InputError
            If the data or a parameter cannot be used; one sentence says what to do.
        """
        check_options(self)
        diary = Diary(on_step)
        with diary.step("read"):
            table = read(data)
            diary.text = f"{table.n_rows:,} rows and {len(table.columns)} columns from {table.name}"
        given = self._given()
        contract = self._is_contract(table, given)
        with diary.step("segment"):
            room: Any = with_contract.members if contract else without_contract.buyers
            found = room(table, given, self, spend)
            self.taken_ = list(found.subscriptions.notes if contract else found.transactions.notes)
            diary.text = f"{found.segments.k} segments of {len(found.segments.labels):,} customers"
        self.found_ = found
        self.last_day_ = last_day_of(found.subscriptions if contract else found.transactions)
        self._keep(found, contract)
        self.steps_ = [step.plain() for step in diary.steps]
        self.warnings_ = found.warnings
        self.notes_ = [
            *table.notes, *self.taken_, *(found.notes if contract else ()), *(found.costs.notes if found.costs else ()),
        ]  # fmt: skip
        self.source_ = {
            "name": table.name, "rows": table.n_rows, "bytes": table.source_bytes, "fingerprint": table.fingerprint(),
        }  # fmt: skip
        self.segments_ = frame_like(data, found.customers)
        self.profile_ = frame_like(data, found.profile)
        self.metrics_ = found.figures
        self.rules_ = rule_lines(found.segments.rules, found.segments.coding.features)
        return self

    def assign(self, data: Any, *, cutoff: Any = None) -> Any:
        """Put the customers of other data into the segments of the fit.

        Parameters
        ----------
        data : path, frame, dict of columns or Table
            Of the kind of the fit.
        cutoff : str or date, optional
            As of which day; None is the cut-off of the fit where the data end no later than those of the fit, else the last day of the data.
            Which it was is in ``as_of_``.

        Returns
        -------
        frame or dict of arrays
            ``customer``, ``segment``, ``name`` and what the customer did. On the data of the fit, segments are ``labels_``.

        Raises
        ------
        InputError
            If the data cannot be used.
        """
        names, values = self._customers_of(data, cutoff)
        labels = label_of(self.coding_, self.estimator_, self.label_map_, values)
        told: dict[str, Any] = {"customer": names, "segment": labels, "name": [self.coding_.names[c] for c in labels]}
        return frame_like(data, told | dict(zip(self.coding_.features, values.T, strict=True)))

    def transform(self, data: Any, *, cutoff: Any = None) -> NDArray[np.float64]:
        """Return how far customers are from the middle of each segment: columns for a model of something else.

        Parameters
        ----------
        data : path, frame, dict of columns or Table
        cutoff : str or date, optional
            As for `assign`.

        Returns
        -------
        (n, k) float64 array
            In the order of `assign`; whales have no middle, and no column.
        """
        _, values = self._customers_of(data, cutoff)
        return self.estimator_.transform(self.coding_.rows(values))[:, np.argsort(self.label_map_)]

    def save(self, path: str | os.PathLike) -> Path:
        """Write the segments to a file that `load` reads; nothing in it is code.

        Parameters
        ----------
        path : str or path-like
            By custom ends in ``.coterie``.

        Returns
        -------
        Path
        """
        self._check_fitted()
        given = {name: getattr(self, name) for name in _COLUMNS}
        card = {
            "application": "segments",
            "columns": given,
            "cutoff": None if self.cutoff is None else str(self.cutoff),
            "last_day": self.last_day_,
        }
        return models.save(self.estimator_, path, prepared=self.coding_, label_map=self.label_map_, card=card)

    @classmethod
    def load(cls, path: str | os.PathLike) -> "MarketSegmentation":
        """Read segments that `save` or ``coterie segment`` wrote, to `assign` customers to.

        Parameters
        ----------
        path : str or path-like
            The file, or the folder of results that holds it.

        Returns
        -------
        MarketSegmentation

        Raises
        ------
        ModelFileError
            If it is not there, damaged, or another model.
        """
        model = models.load(path)
        if not isinstance(model.prepared, CustomerCoding) or not isinstance(model.estimator, KMeans):
            raise ModelFileError(f"{path} is no model of segments; give a folder that coterie segment wrote")
        columns = model.card.get("columns")
        columns = columns if isinstance(columns, dict) else {}
        given: dict[str, Any] = {name: columns.get(name) for name in _COLUMNS}
        loaded = cls(cutoff=model.card.get("cutoff"), contractual=model.prepared.kind == "subscriptions", **given)
        last_day = model.card.get("last_day")
        loaded.last_day_ = last_day if isinstance(last_day, int) else None
        loaded.coding_, loaded.estimator_, loaded.label_map_ = model.prepared, model.estimator, model.label_map
        if loaded.label_map_ is None or len(loaded.coding_.names) < len(loaded.label_map_):
            raise ModelFileError(f"{path} is damaged: it does not name its segments")
        return loaded

    def cutoff_day(self) -> int:
        """Return the cut-off as days since 1970."""
        day = parse_day(self.cutoff)
        if day is None:
            raise InputError("no cut-off was given; give one such as 2024-01-31")
        return day

    def horizon_days(self) -> int | None:
        """Return the horizon in days, None where none was given."""
        return parse_horizon(self.horizon)

    def _given(self) -> Given:
        return Given(**{name: getattr(self, name) for name in _COLUMNS})

    def _is_contract(self, table: Table, given: Given) -> bool:
        subscribed = is_subscriptions(table, given)
        if self.contractual is False and subscribed:
            raise InputError(
                f"{table.name} holds subscriptions, a price and a time each: customers under contract leave on a day that is seen, and BG/NBD is "
                "for customers who buy when they like; use --contractual (contractual=True in Python), which reads churn from who left"
            )
        return subscribed if self.contractual == "auto" else bool(self.contractual)

    def _keep(self, found: Any, contract: bool) -> None:
        segments = found.segments
        self.labels_ = segments.labels
        self.estimator_, self.label_map_ = segments.grouping.estimator, segments.label_map
        coding = segments.coding
        self.coding_ = CustomerCoding(
            coding.kind, coding.features, coding.mean, coding.scale, tuple(found.profile["name"]), coding.whales_from
        )

    def _customers_of(self, data: Any, cutoff: Any) -> tuple[list[str], NDArray[np.float64]]:
        self._check_fitted()
        table = read(data)
        return customers_of(table, self._given(), self.coding_.kind, lambda last: self._as_of(last, cutoff))

    def _as_of(self, last_day: int | None, cutoff: Any) -> tuple[int | None, bool]:
        """Return the day to look at: what was asked for, the cut-off of the fit for data as old as its own, or the last day (then False)."""
        day = parse_day(cutoff)
        if day is None and self.cutoff is not None:
            newer = last_day is not None and self.last_day_ is not None and last_day > self.last_day_
            day = None if newer else self.cutoff_day()
        is_cutoff = day is not None and last_day is not None
        day = day if is_cutoff else last_day
        self.as_of_ = None if day is None else day_text(day)
        return day, is_cutoff

    def _check_fitted(self) -> None:
        if not hasattr(self, "estimator_"):
            raise NotFittedError("this MarketSegmentation is not fitted yet; call fit first, or load a saved one")
