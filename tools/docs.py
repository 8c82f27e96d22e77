"""Write what in docs/ is made from the code: the table of algorithms in index.md, and api.md.

Called by ``make docs``. With ``--check`` nothing is written, and a stale page makes the exit code 1.
"""

import inspect
import re
import sys
from pathlib import Path

import coterie
from coterie.catalog import ALL

DOCS = Path(__file__).resolve().parents[1] / "docs"
START, END = "<!-- written by make docs -->", "<!-- end -->"


def main() -> int:
    """Bring the pages up to date, or say which are not."""
    check = "--check" in sys.argv[1:]
    stale = []
    for page, text in {"index.md": index(), "api.md": api()}.items():
        path = DOCS / page
        if not path.exists() or path.read_text() != text:
            stale.append(page)
            if not check:
                path.write_text(text)
    if stale:
        print(", ".join(f"docs/{page}" for page in stale), "is out of date: run make docs" if check else "written")
    return int(check and bool(stale))


def index() -> str:
    """Return index.md with its table of algorithms made anew."""
    rows = [
        "| algorithm | family | what it gives | needs k | noise | engines |",
        "|---|---|---|---|---|---|",
        *(
            f"| [{line.name}](algorithms/{page(line)}.md) | {line.family} | {line.summary} "
            f"| {'yes' if line.needs_k else 'no'} | {'yes' if line.has_noise else 'no'} | {', '.join(line.engines)} |"
            for line in ALL
        ),
    ]
    table = "\n".join([START, *rows, END])
    return re.sub(f"{START}.*{END}", lambda _: table, (DOCS / "index.md").read_text(), flags=re.DOTALL)


def api() -> str:
    """Return a page with every public name and the first sentence of its docstring."""
    parts = ["# Public names", f"{START[:-4]}: the first sentence of every docstring -->"]
    modules = {name: getattr(coterie, name) for name in coterie.__all__ if inspect.ismodule(getattr(coterie, name))}
    own = [name for name in coterie.__all__ if name not in modules and not name.startswith("__")]
    parts.append(section("coterie", {name: getattr(coterie, name) for name in own}))
    for name, module in sorted(modules.items()):
        parts.append(section(f"coterie.{name}", {inner: getattr(module, inner) for inner in module.__all__}))
    return "\n\n".join(parts) + "\n"


def section(module: str, names: dict) -> str:
    """Return a heading and a table."""
    rows = [f"## {module}", "", "| name | |", "|---|---|"]
    rows += [f"| `{module}.{name}` | {first_sentence(value)} |" for name, value in sorted(names.items())]
    return "\n".join(rows)


def first_sentence(value: object) -> str:
    """Return the first sentence of the docstring; of a constant, its value."""
    if not (inspect.isclass(value) or inspect.isroutine(value)):
        return f"`{value!r}`" if isinstance(value, int | str | float) else type(value).__name__
    return (inspect.getdoc(value) or "").partition("\n\n")[0].replace("\n", " ").replace("|", "\\|")


def page(line: object) -> str:
    """Return the name of an algorithm's page: that of its file."""
    return line.target.partition(":")[0].rpartition(".")[2]


if __name__ == "__main__":
    sys.exit(main())
