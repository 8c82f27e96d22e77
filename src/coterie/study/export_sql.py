"""The groups of a run as one SQL expression, which labels the rows of a table in a database without Python.

By centers, for a method that gives each row to the nearest: the columns are prepared as in the run (scaling, logarithms, levels, what
stands in for missing values), so that rows get the label that ``predict`` gives them; only a row as far from two centers may differ,
by rounding. By rules, for any method: a row gets the group of the first rule that holds, NULL where none does, as often right as
each rule states.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import InputError, UnsupportedError
from .reaches import by_centers
from .sql_coding import feature_expressions, level_texts, value_expression
from .sql_dialects import Dialect, days_of, dialect_called, name, number, remark, text

__all__ = ["centers_sql", "rules_sql"]

# Databases have bounds on the length of a statement; PostgreSQL and DuckDB take about as many columns in a subquery.
MOST_FEATURES = 1_500


def centers_sql(model: Any, *, table: str, dialect: str = "ansi", names: Sequence[str] = (), source: str = "") -> str:
    """Return a SELECT that adds the label of the nearest center to each row.

    Parameters
    ----------
    model : Model
        Loaded from what a run saved.
    table : str
        The table to label, with the columns of the run.
    dialect : {"ansi", "duckdb", "postgres", "sqlite"}
    names : sequence of str
        Of the groups, for remarks.
    source : str
        What the groups were found in, for a remark.

    Raises
    ------
    UnsupportedError
        If the method has no centers to go by, or the dialect cannot say what a column needs.
    InputError
        If a name or a dialect cannot be used.
    """
    method = type(model.estimator).__name__
    centers = by_centers(model.estimator)
    if centers is None or model.prepared is None:
        raise UnsupportedError(
            f"{method} does not give rows to the nearest of some centers; take the rules, with --by rules"
        )
    if centers.shape[1] > MOST_FEATURES:
        raise UnsupportedError(
            f"{centers.shape[1]:,} features are more than the {MOST_FEATURES:,} that databases take in one query; use coterie predict"
        )
    spoken = dialect_called(dialect)
    used = [coding for coding in model.prepared.codings if coding.used]
    values = [f"{value_expression(coding, spoken, 't')} AS v{i}" for i, coding in enumerate(used)]
    features = [line for i, coding in enumerate(used) for line in feature_expressions(coding, f"v.v{i}")]
    distances = [_distance(center) for center in centers]
    labels = model.final(np.arange(len(centers)))
    said = f"{method} of {source or 'a table'}: each row gets the group of the nearest center"
    return "\n".join(
        [
            remark(f"{said}; dialect {dialect}."),
            *_names(names),
            "SELECT t.*, (",
            "  SELECT CASE",
            *(f"    {line}" for line in _nearest(labels)),
            "  END",
            "  FROM (",
            "    SELECT",
            _items([f"{distance} AS d{i}" for i, distance in enumerate(distances)]),
            "    FROM (",
            "      SELECT",
            _items([f"{feature} AS f{i}" for i, feature in enumerate(features)], 8),
            "      FROM (",
            "        SELECT",
            _items(values, 10),
            "      ) AS v",
            "    ) AS f",
            "  ) AS d",
            ') AS "cluster"',
            f"FROM {name(table)} AS t;",
            "",
        ]
    )


def rules_sql(
    clusters: Sequence[Mapping[str, Any]],
    codings: Sequence[Any],
    *,
    table: str,
    dialect: str = "ansi",
    source: str = "",
) -> str:
    """Return a SELECT that adds to each row the group of the first rule that holds, NULL where none does.

    Parameters
    ----------
    clusters : sequence of mapping
        Of the record of a run: ``id``, ``name``, ``rule``.
    codings : sequence of Coding
        Of the model.
    table, dialect, source : str
        As for `centers_sql`.

    Raises
    ------
    InputError
        If no group has a rule.
    UnsupportedError
        If the dialect cannot say what a column needs, or a rule asks for a word in a text.
    """
    spoken = dialect_called(dialect)
    ruled = [cluster for cluster in clusters if (cluster.get("rule") or {}).get("conditions")]
    if not ruled:
        raise InputError(
            "no group has a rule to write: none was right often enough, or the run is older than rules with conditions; "
            "take --by centers, or run again"
        )
    roles = {coding.column: coding for coding in codings}
    ruled.sort(key=lambda cluster: (-cluster["rule"]["precision"], cluster["id"]))
    lines = []
    for cluster in ruled:
        rule = cluster["rule"]
        lines.append(f"  {_told(cluster)}")
        holds = "\n    AND ".join(_condition(line, roles, spoken) for line in rule["conditions"])
        lines.append(f"  WHEN {holds}\n    THEN {int(cluster['id'])}")
    missing = [cluster for cluster in clusters if cluster not in ruled]
    none = [
        remark(f"Group {cluster['id']} ({cluster['name']}) has no rule that is right often enough.")
        for cluster in missing
    ]
    return "\n".join(
        [
            remark(
                f"Rules for the groups of {source or 'a table'}, surest first; NULL where none holds; dialect {dialect}."
            ),
            *none,
            "SELECT t.*, CASE",
            *lines,
            'END AS "cluster"',
            f"FROM {name(table)} AS t;",
            "",
        ]
    )


def _names(names: Sequence[str]) -> list[str]:
    return [remark(f"{i}: {label}") for i, label in enumerate(names)]


def _items(lines: list[str], indent: int = 6) -> str:
    return ",\n".join(" " * indent + line for line in lines)


def _distance(center: np.ndarray) -> str:
    return " + ".join(f"(f.f{j} - {number(c)}) * (f.f{j} - {number(c)})" for j, c in enumerate(center))


def _nearest(labels: np.ndarray) -> list[str]:
    """Write the cases of the nearest center, ties to the lowest, as ``predict`` has them."""
    k = len(labels)
    cases = []
    for i in range(k - 1):
        nearer = " AND ".join(f"d.d{i} <= d.d{j}" for j in range(i + 1, k))
        cases.append(f"WHEN {nearer} THEN {int(labels[i])}")
    return [*(cases or ["WHEN 1 = 1 THEN " + str(int(labels[0]))]), *([f"ELSE {int(labels[-1])}"] if k > 1 else [])]


def _told(cluster: Mapping[str, Any]) -> str:
    rule = cluster["rule"]
    return remark(
        f"Group {cluster['id']} ({cluster['name']}): right for {rule['precision']:.0%} of the rows it catches, "
        f"catches {rule['coverage']:.0%} of the group"
    )


def _condition(line: Mapping[str, Any], roles: Mapping[str, Any], dialect: Dialect) -> str:
    """Write one condition; as in the search for rules, a missing value is neither at most nor above anything, and no level."""
    column, kind, value = str(line["column"]), line["kind"], line["value"]
    expression = f"t.{name(column)}"
    coding = roles.get(column)
    if kind in ("says", "does not say"):
        raise UnsupportedError(
            f"a rule asks whether {column!r} says {value!r}, and SQL cannot tell words as the run did; use coterie predict, or run again "
            f"with --roles {column}=ignored"
        )
    if kind in ("is", "is not"):
        read = dialect.string.format(expression)
        levels = ", ".join(
            text(way) for way in level_texts(str(value), tuple((coding.categories if coding else None) or ()))
        )
        return f"{read} IN ({levels})" if kind == "is" else f"({read} NOT IN ({levels}) OR {read} IS NULL)"
    if coding is not None and coding.role == "date":
        read = days_of(dialect, expression, column)
        bound = days_of(dialect, text(str(value)), column)
    else:
        read, bound = dialect.double.format(expression), number(value)
    sign = "<=" if kind == "at most" else ">"
    largest = f" AND {read} <= 1.7976931348623157e308" if kind == "above" else ""  # NaN is above every number
    return f"{read} {sign} {bound}{largest}"
