"""What a run is asked for: checked when it comes from the page, and as the options of `coterie.run`."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ..catalog import CATALOG
from ..errors import InputError
from ..study.purpose import PURPOSES

__all__ = ["CHOICES", "Settings", "settings_from"]

ROLES = ("number", "category", "date", "text", "id", "ignored")
USED_ROLES = ("number", "category", "date", "text")  # rows are compared by columns of these

# What the controls offer.
CHOICES: dict[str, Any] = {
    "purposes": [{"name": purpose.name, "words": purpose.aim} for purpose in PURPOSES],
    "methods": [{"name": "auto", "words": "chosen from what the data are like", "needs_k": False}]
    + [{"name": line.name, "words": line.summary, "needs_k": line.needs_k} for line in CATALOG],
    "roles": ROLES,
    "used_roles": USED_ROLES,
}


@dataclass(frozen=True)
class Settings:
    """What one run is asked for; what is None is chosen by the run.

    Attributes
    ----------
    purpose, method : str
    clusters : int or None
    min_share : float or None
        0 to 1.
    seed : int
    truth : str or None
        Column of known groups.
    roles : dict
        Column to role, where another one is wanted than was found.
    """

    purpose: str = "natural"
    method: str = "auto"
    clusters: int | None = None
    min_share: float | None = None
    seed: int = 0
    truth: str | None = None
    roles: Mapping[str, str] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """Return it as the page holds it."""
        return asdict(self)

    def options(self) -> dict[str, Any]:
        """Return the options of `coterie.run`."""
        given = {
            "purpose": self.purpose,
            "method": self.method,
            "n_clusters": self.clusters,
            "min_share": self.min_share,
            "truth": self.truth,
            "roles": dict(self.roles) or None,
        }
        return {"seed": self.seed, **{name: value for name, value in given.items() if value is not None}}


def settings_from(given: Any, columns: set[str]) -> Settings:
    """Check what the page asks for.

    Parameters
    ----------
    given : object
        Read from JSON: a mapping with some of the fields of `Settings`.
    columns : set of str
        Of the table.

    Raises
    ------
    InputError
        If there is no such field, or a value cannot be.
    """
    if not isinstance(given, Mapping):
        raise InputError("the settings of a run are a JSON object; load the page anew")
    for name in given:
        if name not in _CHECKS:
            raise InputError(f"a run has no setting {name!r}; there are {', '.join(_CHECKS)}")
    for name, (fits, expected) in _CHECKS.items():
        if name in given and not fits(given[name], columns):
            raise InputError(f"{expected}, got {given[name]!r:.60}")
    return Settings(**given)


def _is_whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _are_roles(value: Any, columns: set[str]) -> bool:
    return isinstance(value, Mapping) and all(column in columns and role in ROLES for column, role in value.items())


_CHECKS: dict[str, tuple[Callable[[Any, set[str]], bool], str]] = {
    "purpose": (
        lambda value, _: value in [purpose["name"] for purpose in CHOICES["purposes"]],
        f"the purpose must be one of {', '.join(purpose['name'] for purpose in CHOICES['purposes'])}",
    ),
    "method": (
        lambda value, _: value in [method["name"] for method in CHOICES["methods"]],
        "the method must be auto or the name of an algorithm",
    ),
    "clusters": (
        lambda value, _: value is None or _is_whole(value, 1, 100_000),
        "the number of groups must be a whole number from 1 on, or empty",
    ),
    "min_share": (
        lambda value, _: value is None or _is_share(value),
        "the smallest share must be from 0% to 100%, or empty",
    ),
    "seed": (
        lambda value, _: _is_whole(value, 0, 2**32 - 1),
        "the seed must be a whole number from 0 to 4294967295",
    ),
    "truth": (
        lambda value, columns: value is None or (isinstance(value, str) and value in columns),
        "known groups must be a column of the table",
    ),
    "roles": (
        _are_roles,
        f"roles must be of columns of the table, each one of {', '.join(ROLES)}",
    ),
}  # fmt: skip
