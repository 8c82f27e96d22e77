"""The main job on a table in memory, step by step: prepare, plan, choose, cluster, population, judge, describe.

``study`` is the whole of it. Each step is timed, reported once, and leaves its part in the record, a dict of plain JSON values.
What is tried, by what it is judged and what is made of it depends on the purpose (`purpose.py`).
"""

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError
from . import choose as choosing
from . import plan as planning
from . import reduce, unusual, useful
from .answers import Listing, answered
from .consensus import consensus
from .describe import describe
from .estimators import final, method_name, needs_k, parameters, scaled, takes
from .map import map_of
from .population import settle
from .purpose import Purpose, least_share, purpose_of, refuse_contradictions
from .record import plain, record_of
from .regions import regions
from .sensitivity import fragile
from .shapes import shapes_of
from .values import views_of
from .verdicts import chosen, judged
from .views import clearer_view, view_text

__all__ = ["Diary", "Step", "Study", "study"]

# Each has `candidates_for` and `choose`.
WAYS: dict[str, Any] = {"natural": choosing, "reduce": reduce, "useful": useful, "outliers": unusual}


class Step(NamedTuple):
    """One finished step: its name, what it found in a sentence, wall seconds, and lines for who wants to know more."""

    name: str
    text: str
    seconds: float
    details: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        """Return what the record keeps."""
        return {"name": self.name, "text": self.text, "seconds": self.seconds}


class Study(NamedTuple):
    """A finished study of a table.

    Attributes
    ----------
    table, prepared
        The input and its numeric form.
    estimator : estimator
        Fitted; its own labels become the final ones through ``label_map``.
    labels : (n,) int64 array
        0..k-1 by decreasing size, noise -1.
    strengths, outlier_scores : (n,) float64 arrays
        How surely a row belongs, 0 to 1; how unusual it is, outlier from 0.5 on.
    label_map : (k_estimator,) int64 array
        The final label of each of the estimator's clusters.
    record : dict
        Everything above as plain JSON values (the body of ``run.json``).
    warnings : list of dict
        ``text`` and ``remedy``.
    listing : Listing or None
        Representatives, or unusual rows, where these are the purpose.
    """

    table: Any
    prepared: Any
    estimator: Any
    labels: np.ndarray
    strengths: np.ndarray
    outlier_scores: np.ndarray
    label_map: np.ndarray
    record: dict[str, Any]
    warnings: list[dict[str, str]]
    listing: Listing | None = None


class Diary:
    """Collects steps and warnings, and tells the caller about each step as it ends."""

    def __init__(self, on_step: Callable[[Step], None] | None):
        self.on_step = on_step
        self.steps: list[Step] = []
        self.warnings: list[dict[str, str]] = []
        self.text = ""
        self.details: tuple[str, ...] = ()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step; what the block leaves in ``text`` is what it found, and in ``details`` more of it."""
        began, self.text, self.details = time.perf_counter(), "", ()
        yield
        done = Step(name, self.text, round(time.perf_counter() - began, 3), self.details)
        self.steps.append(done)
        if self.on_step:
            self.on_step(done)

    def warn(self, text: str, remedy: str) -> None:
        """Keep a warning and what to do about it."""
        self.warnings.append({"text": text, "remedy": remedy})

    @contextmanager
    def hearing(self, name: str) -> Iterator[None]:
        """Keep what a method of this name warns of meanwhile."""
        with warnings.catch_warnings(record=True, action="always", category=UserWarning) as said:
            yield
        for warning in said:
            self.warn(f"{name}: {warning.message}", "")

    def doubt(
        self, structure: dict[str, Any], k: int, stability: float | None, remedy: str, things: str = "rows"
    ) -> None:
        """Warn of groups that may be no more than a cut, and of such as do not come back."""
        if structure["verdict"] == "weak":
            self.warn(structure["sentence"], "Treat the groups as a convenient cut, not as types that exist.")
        if k > 1 and stability is not None and stability < 0.75:
            self.warn(f"The groups change when {things} are left out (agreement {stability:.2f} of 1).", remedy)


def study(
    table,
    *,
    purpose: str = "natural",
    method: str = "auto",
    n_clusters: int | None = None,
    params: dict[str, Any] | None = None,
    roles: dict[str, str] | None = None,
    min_share: float | None = None,
    memory_limit: int | str | None = None,
    time_limit: float | None = None,
    seed: int = 0,
    sample: int | str | None = "auto",
    truth: str | None = None,
    text_model: Any = None,
    on_step: Callable[[Step], None] | None = None,
    on_progress: Callable[[int, int, str], None] | None = None,
) -> Study:
    """Find the groups in a table, judge them, and say what sets each apart.

    Parameters
    ----------
    table : Table, frame, array, dict of columns or path
        Anything that ``tables.read`` takes.
    purpose : {"natural", "reduce", "useful", "outliers"}, default="natural"
        What the groups are for: types that are there; rows that stand for all; groups of a good size to act on; unusual rows. It
        chooses what is tried, by what it is judged, and what guards the answer; what else is given here still holds.
    method : str, default="auto"
        "auto", or the name of one method of the catalog.
    n_clusters : int, optional
        How many groups; None finds out.
    params : dict, optional
        Further parameters of ``method``.
    roles : dict, optional
        What columns are, against what the preparation would decide: {"year": "category", "note": "ignored"}.
    min_share : float, optional
        Smallest share of the rows that a group may have; see `population.settle`.
    memory_limit : int or str, optional
        Bytes, or a size such as "2GB". None is 80% of the memory that is free.
    time_limit : float, optional
        Seconds for the final fit.
    seed : int, default=0
        The same seed, the same result.
    sample : int, "auto" or None, default="auto"
        Rows on which method and number of groups are chosen; None is all. The final fit always sees every row.
    truth : str, optional
        A column of known classes: kept out of the clustering, compared with the result.
    text_model : str, path, callable or TextModel, optional
        An embedding model that compares free text instead of its words: a folder, a name that is kept on this machine, or a function
        from a list of texts to an (n, d) array; see `tables.text_model`.
    on_step, on_progress : callable, optional
        Told of each finished step (`Step`), and of progress within one (done, total, text).

    Returns
    -------
    Study

    Raises
    ------
    InputError
        If the table or a parameter cannot be used.
    ResourceError
        If nothing fits the limits; nothing was allocated then.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = np.vstack([rng.normal(c, 0.3, (50, 2)) for c in (0, 5, 9)])
    >>> found = study(X)
    >>> found.record["structure"]["verdict"], len(found.record["clusters"])
    ('clusters', 3)
    """
    from .. import tables

    table = tables.read(table)
    way = purpose_of(purpose)
    options = _check(method, n_clusters, params, seed, truth, table)
    refuse_contradictions(way, options["method"], options["n_clusters"], min_share)
    limit = planning.parse_bytes(memory_limit)
    diary = Diary(on_step)
    with diary.step("prepare"):
        roles = dict(roles or {}) | ({truth: "ignored"} if truth is not None else {})
        limit = planning.check_table(table.n_rows, len(table.columns), limit)
        model = None if text_model is None else tables.text_model(text_model)
        prepared = tables.prepare(table, roles=roles or None, text_model=model)
        if model is not None and all(coding.role != "text" for coding in prepared.codings):
            raise InputError(
                "text_model is given, but no column holds free text; name one with roles, or leave text_model out"
            )
        prepared, described = clearer_view(table, prepared, roles, seed, model)
        X = prepared.X
        diary.text = view_text(prepared, described)
    with diary.step("plan"):
        plan, tried = _plan(X, way, options, min_share, limit, time_limit, sample)
        diary.text, diary.details = _plan_text(plan, tried, len(X)), planning.lines(plan)
    with diary.step("choose"):
        rows = _sample(len(X), plan.sample_rows, seed)
        choice, structure = chosen(X[rows], tried, seed, on_progress, choose=WAYS[way.name].choose)
        if way.name == "outliers" and structure["verdict"] == "none" and not _asked(options):
            choice = unusual.one_group(choice, "No groups stand out; rows are compared with all others.")
        diary.text = structure["sentence"] if way.name == "natural" else choice.why
    best = choice.candidates[choice.winner]
    with diary.step("cluster"):
        with diary.hearing(best.method):
            estimator, joined = _fit(X, best, len(rows), way, options, structure["verdict"], seed)
        own = np.asarray(estimator.labels_, dtype=np.int64)
        diary.text = f"{_method_text(estimator)} on {len(X):,} rows"
    with diary.step("population"):
        share = least_share(way, int(own.max(initial=-1)) + 1, min_share)
        name = type(estimator).__name__
        people = settle(X, own, min_share=share, method=name, joined=joined, reach=way.reach)
        diary.text = _population_text(people)
    with diary.step("judge"):
        known = None if truth is None else (truth, table.column(truth).values)
        fill = options["method"] == "auto"
        verdicts = judged(X, people.labels, estimator, best, rows, seed=seed, fill=fill, truth=known)
        diary.text = verdicts["judge"]["sentence"]
    with diary.step("describe"):
        views = views_of(table, prepared.codings, also=described)
        told = describe(views, X, people.labels, verdicts["strengths"], seed=seed)
        for cluster, region in zip(told.clusters, regions(estimator, prepared, views, people.label_map), strict=False):
            cluster["region"] = region
        answer = answered(way, X, own, people, estimator, choice, structure, verdicts, views, options, seed)
        diary.text = "1 group described" if len(told.clusters) == 1 else f"{len(told.clusters)} groups described"
    _warn(diary, way, structure, people, verdicts, told, best, type(estimator).__name__)
    diary.warnings += answer.warnings
    record = record_of(table, prepared, plan, choice, structure, estimator, people, verdicts, told, answer, seed)
    record["consensus"] = _agreed(diary, way, choice, structure, people.labels[rows], len(told.clusters))
    record["map"] = map_of(X, people.labels, prepared, table, seed)
    record["shapes"] = shapes_of(estimator, people.labels, X, prepared.feature_names, seed=seed)
    record["steps"] = [step.plain() for step in diary.steps]
    record["warnings"] = diary.warnings
    return Study(
        table, prepared, estimator, people.labels, verdicts["strengths"], answer.scores, people.label_map, plain(record),
        diary.warnings, answer.listing,
    )  # fmt: skip


def _agreed(diary, way: Purpose, choice, structure, labels, k: int) -> dict[str, Any] | None:
    """Return what other candidates say of natural groups, and warn where there is another answer."""
    if way.name != "natural" or k < 2:
        return None
    found = consensus(choice, labels, k)
    if structure["verdict"] == "clusters" and (another := found.warning(k)):
        diary.warnings.append(another)
    return found.record()


def _check(method, n_clusters, params, seed, truth, table) -> dict[str, Any]:
    method = "auto" if str(method).lower() == "auto" else method_name(method)
    params = dict(params or {})
    if method == "auto" and params:
        raise InputError("params are for one method; name it with method=")
    if method != "auto":
        takes(method, params)
    n_clusters = params.pop("n_clusters", n_clusters)
    if n_clusters is not None:
        if isinstance(n_clusters, bool) or not isinstance(n_clusters, int | np.integer) or n_clusters < 1:
            raise InputError(f"n_clusters must be a whole number of at least 1, got {n_clusters!r}")
        if n_clusters > table.n_rows:
            raise InputError(f"n_clusters must be at most the {table.n_rows} rows, got {n_clusters}")
        if method != "auto" and "n_clusters" not in parameters(method):
            raise InputError(f"{method} finds the number of groups itself; leave n_clusters out or use method='KMeans'")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise InputError(f"seed must be a whole number from 0 to 4294967295, got {seed!r}")
    if truth is not None and truth not in table.names:
        raise InputError(f"truth must name a column, got {truth!r}; there are {', '.join(map(str, table.names[:20]))}")
    if table.n_rows == 0:
        raise InputError("the table has no rows; there is nothing to group")
    return {"method": method, "n_clusters": None if n_clusters is None else int(n_clusters), "params": params}


def _plan(X, way: Purpose, options, min_share, limit, time_limit, sample):
    n, m = X.shape
    if m == 0:
        raise InputError(
            "no column is left to group by: all are ids, constant, free text or ignored; set roles for one"
        )
    explicit = options["method"] != "auto"
    rows = planning.selection_rows(n, m, sample)
    least = {"min_share": min_share} if way.name == "useful" else {}
    on_sample = WAYS[way.name].candidates_for(X, rows or n, **options, **least)
    on_all = [(method, scaled(method, params, rows or n, n)) for method, params in on_sample]
    plan = planning.make_plan(on_all, n, m, memory_limit=limit, time_limit=time_limit, sample=sample, explicit=explicit)
    tried = [pair for pair, line in zip(on_sample, plan.candidates, strict=True) if line.fits]
    return plan, tried


def _plan_text(plan, tried, n) -> str:
    where = "all rows" if plan.sample_rows is None else f"a sample of {plan.sample_rows:,} rows"
    left_out = len(plan.candidates) - len(tried)
    cost = f"about {planning.readable_seconds(plan.seconds)} and {planning.readable_bytes(plan.least_bytes)}"
    if plan.most_seconds > 1.5 * plan.seconds or plan.bytes > 1.3 * plan.least_bytes:
        most = f"{planning.readable_seconds(plan.most_seconds)} and {planning.readable_bytes(plan.bytes)}"
        cost += f", up to {most} if the dearest wins"
    if plan.compiling:
        cost += f", {planning.readable_seconds(plan.compiling)} of it to compile, this first time only"
    return (
        f"{len(tried)} candidate{'s' if len(tried) != 1 else ''} tried on {where}, the best fitted on all {n:,}; {cost}"
        + (f"; {left_out} left out as too costly" if left_out else "")
    )


def _sample(n: int, size: int | None, seed: int) -> np.ndarray:
    if size is None:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, size, replace=False))


def _fit(X, best, n_sample, way: Purpose, options, verdict, seed):
    if not _asked(options) and (verdict in ("none", "one") if way.wants_structure else best.n_clusters < 2):
        return choosing.fit(X, "KMeans", {"n_clusters": 1}, seed)
    params = final(best.method, scaled(best.method, best.params, n_sample, len(X)), *X.shape)
    return choosing.fit(X, best.method, params, seed, fill=options["method"] == "auto")


def _asked(options) -> bool:
    return options["method"] != "auto" or options["n_clusters"] is not None


def _method_text(estimator) -> str:
    k = int(np.max(estimator.labels_, initial=-1)) + 1
    return f"{type(estimator).__name__} found {k} group{'s' if k != 1 else ''}"


def _population_text(people) -> str:
    actions = " ".join(people.record["actions"]) or "Every group is large enough."
    return f"{actions} {people.record['noise_why']}"


def _warn(diary, way: Purpose, structure, people, verdicts, told, best, method) -> None:
    k = len(told.clusters)
    fewer = "Ask for fewer groups" if needs_k(method) else "Try K-means or another method"
    if way.name in ("natural", "useful"):
        # A useful answer says by itself what its groups are.
        looked = structure if way.name == "natural" else {"verdict": ""}
        diary.doubt(looked, k, verdicts["judge"]["stability"], f"{fewer}, or use only the columns that matter.")
    hanging = fragile(verdicts["judge"]["sensitivity"], best.n_clusters, best.params)
    if hanging is not None:
        diary.warnings.append(hanging)
    if k > 1 and len(people.labels) < 3 * k:
        diary.warn(f"{k} groups of {len(people.labels)} rows are hardly more than the rows themselves.", f"{fewer}.")
    if people.record["noise_share"] > 0.25:
        diary.warn(people.record["noise_why"], "Try K-means if every row must belong to a group.")
    if told.sample_rows:
        diary.steps[-1] = diary.steps[-1]._replace(
            text=f"{diary.steps[-1].text} from a sample of {told.sample_rows:,} rows"
        )
