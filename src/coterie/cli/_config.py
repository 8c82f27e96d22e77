"""Where an option's value comes from: flag, then COTERIE_NAME, then coterie.toml, then the default."""

import difflib
import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from ._app import COMMANDS

__all__ = ["ClusteringCommand", "ConfiguredCommand"]

FILE = "coterie.toml"
# Asking for help, for a dry run or for a name is for the person at the keyboard, and so is letting other machines in.
_NOT_CONFIGURABLE = {"help", "print_config", "dry_run", "open_report", "renamed", "i_know"}


class ConfiguredCommand(click.Command):
    """A command whose options can also be set in the environment and in ``coterie.toml``."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        for parameter in self.params:
            if _is_configurable(parameter) and parameter.envvar is None:
                parameter.envvar = f"COTERIE_{_long_name(parameter).upper().replace('-', '_')}"

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> click.Context:
        """Parse the arguments, with what ``coterie.toml`` says as defaults."""
        context = {**self.context_settings, **extra}
        context.setdefault("default_map", _defaults(self, None if parent is None else parent.command))
        return super().make_context(info_name, args, parent, **context)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, or only say where its options come from."""
        if ctx.params.get("print_config"):
            _print_config(ctx)
            return 0
        self.prepare()
        return super().invoke(ctx)

    def prepare(self) -> None:
        """Do what comes before the command itself."""


class ClusteringCommand(ConfiguredCommand):
    """A command that clusters."""

    def prepare(self) -> None:
        """Import scikit-learn as where there is no pandas: a quarter of a second and 60 MB less; only its reader of ARFF files uses that."""
        if "pandas" in sys.modules or "sklearn" in sys.modules:
            return
        sys.modules["pandas"] = None  # type: ignore[assignment]  # whoever imports it now is told that there is none
        try:
            importlib.import_module("sklearn.utils.fixes")
        finally:
            del sys.modules["pandas"]


def _print_config(ctx: click.Context) -> None:
    """Write each option, its value, and where the value comes from, to stdout."""
    places = {
        ParameterSource.COMMANDLINE: "flag",
        ParameterSource.ENVIRONMENT: "environment",
        ParameterSource.DEFAULT_MAP: FILE,
    }
    for parameter in ctx.command.params:
        if not _is_configurable(parameter) or parameter.name is None:
            continue
        source = ctx.get_parameter_source(parameter.name)
        place = places.get(source, "default") if source else "default"
        if place == "environment":
            place = f"environment ({parameter.envvar})"
        click.echo(f"{_long_name(parameter):<16} {_shown(ctx.params.get(parameter.name)):<24} {place}")


def _defaults(command: click.Command, group: Any) -> dict[str, Any]:
    content = _read(Path(FILE))
    mine = {_long_name(parameter): parameter for parameter in command.params if _is_configurable(parameter)}
    defaults: dict[str, Any] = {}
    for key, value in content.items():
        if isinstance(value, Mapping) and key in COMMANDS:
            continue
        if key.replace("_", "-") in mine:
            defaults[key] = value
        elif key in COMMANDS:
            _refuse_no_table(key, key, value)
        elif key.replace("_", "-") not in _names_of_run():
            _refuse(key, [*_names_of_run(), *COMMANDS])
    for key, value in _own(content, command, group).items():
        if key.replace("_", "-") not in mine:
            _refuse(key, mine)
        defaults[key] = value
    return {
        str(mine[long].name): _as_typed(mine[long], value)
        for long, value in ((key.replace("_", "-"), value) for key, value in defaults.items())
    }


def _own(content: Mapping[str, Any], command: click.Command, group: Any) -> dict[str, Any]:
    """Return what the table of a command sets; of one such as "anomaly fit" that of both, [anomaly], then [anomaly.fit]."""
    if group is None or group.name not in COMMANDS:
        return _table(content, command.name)
    names = {_long_name(one) for part in group.commands.values() for one in part.params if _is_configurable(one)}
    mine = {_long_name(one) for one in command.params}
    own = _table(content, group.name)
    both = {key: value for key, value in own.items() if key not in group.commands}
    for key in own.keys() - both.keys():
        if not isinstance(own[key], Mapping):
            _refuse_no_table(key, f"{group.name}.{key}", own[key])
    for key in both:
        if key.replace("_", "-") not in names:
            _refuse(key, [*names, *group.commands])
    shared = {key: value for key, value in both.items() if key.replace("_", "-") in mine}
    return shared | _table(own, command.name)


def _table(content: Mapping[str, Any], name: str | None) -> dict[str, Any]:
    own = content.get(name or "", {})
    return dict(own) if isinstance(own, Mapping) else {}


def _as_typed(parameter: click.Parameter, value: Any) -> Any:
    """Return a TOML value as the option would be typed: a table of roles as a list of ``column=role``."""
    if isinstance(value, bool) and getattr(parameter, "is_flag", False):
        return value
    if not parameter.multiple:
        separator = getattr(parameter.type, "separator", None)
        if separator and isinstance(value, list):
            return separator.join(_one(parameter, item) for item in value)
        return _one(parameter, value)
    if isinstance(value, Mapping):
        return [f"{key}={_one(parameter, item)}" for key, item in value.items()]
    return [_one(parameter, item) for item in (value if isinstance(value, list) else [value])]


def _one(parameter: click.Parameter, value: Any) -> str:
    """Return one value as it would be typed, so that it is checked as that is: 1.5 is no whole number, nor is a date."""
    if not isinstance(value, bool | list | Mapping):
        return str(value)
    name = _long_name(parameter)
    kind = "true or false" if getattr(parameter, "is_flag", False) else "text or a number"
    raise click.UsageError(f"{FILE} must give {name} {kind}, got {_toml(value)}; change it, or leave it out")


def _refuse_no_table(key: str, name: str, value: Any) -> None:
    raise click.UsageError(
        f"{FILE} must give {key!r}, the name of a command, a table of options, got {_toml(value)}; write [{name}] and its options below"
    )


def _toml(value: Any) -> str:
    """Return about what stood in the file."""
    if isinstance(value, bool):
        return str(value).lower()
    return "a table" if isinstance(value, Mapping) else repr(value)[:60]


def _names_of_run() -> set[str]:
    from .run import command

    return {_long_name(parameter) for parameter in command.params if _is_configurable(parameter)}


def _refuse(key: str, names: Any) -> None:
    near = difflib.get_close_matches(key, list(names), 1, 0.6)
    hint = f"did you mean {near[0]}?" if near else f"it can set {', '.join(sorted(names))}"
    raise click.UsageError(f"{FILE} sets {key!r}, which is no option; {hint}")


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise click.UsageError(f"could not read {path}: {error}") from error


def _is_configurable(parameter: click.Parameter) -> bool:
    return isinstance(parameter, click.Option) and parameter.name not in _NOT_CONFIGURABLE


def _long_name(parameter: click.Parameter) -> str:
    return max(parameter.opts, key=len).lstrip("-")


def _shown(value: Any) -> str:
    if value is None or value == ():
        return "-"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
