"""Starting is cheap, and nothing happens behind the user's back: no heavy library, no socket, no code from files."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import coterie

PACKAGE = Path(coterie.__file__).parent
HEAVY = ("torch", "dask", "sklearn", "numba", "duckdb", "pandas", "polars", "pyarrow", "scipy.stats", "rich")

PROBE = """
import sys, time, json
sockets = []
sys.addaudithook(lambda event, arguments: sockets.append(event) if event.startswith("socket.") else None)
began = time.process_time()
{code}
spent = time.process_time() - began
heavy = [name for name in {heavy!r} if name in sys.modules]
print(json.dumps({{"seconds": spent, "heavy": heavy, "sockets": sockets}}), file=sys.stderr)
"""


def _probe(code):
    script = PROBE.format(code=code, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return json.loads(done.stderr.splitlines()[-1])


def test_importing_coterie_costs_under_100_ms_and_loads_nothing_heavy():
    found = min((_probe("import coterie") for _ in range(3)), key=lambda result: result["seconds"])
    assert found["heavy"] == []
    assert found["sockets"] == []
    assert found["seconds"] < 0.1


def test_help_costs_under_250_ms_of_the_whole_process_and_loads_nothing_heavy():
    # From the first instruction of the interpreter: process_time counts what came before the probe too.
    code = "from coterie.cli import invoke; invoke(['--help']); began = 0"
    found = min((_probe(code) for _ in range(3)), key=lambda result: result["seconds"])
    assert found["heavy"] == []
    assert found["sockets"] == []
    assert found["seconds"] < 0.25


@pytest.mark.parametrize("command", ["run", "predict", "network", "report", "demo", "doctor"])
def test_the_help_of_a_command_loads_nothing_heavy(command):
    assert _probe(f"from coterie.cli import invoke; invoke(['{command}', '--help'])")["heavy"] == []


def test_the_rooms_that_read_and_write_import_no_optional_or_slow_library():
    found = _probe("import coterie.tables, coterie.report, coterie.models, coterie.cli._app, coterie.clustering")
    assert set(found["heavy"]) <= {"duckdb"}
    assert found["sockets"] == []


def test_public_names_are_all_listed_and_an_unknown_one_is_refused():
    assert {"KMeans", "DBSCAN", "HDBSCAN", "run", "load", "save", "metrics"} <= set(dir(coterie))
    with pytest.raises(AttributeError, match="no attribute 'kmeans'"):
        coterie.kmeans  # noqa: B018


def test_asking_for_a_gpu_without_pytorch_gives_one_line_with_the_remedy():
    script = (
        "import sys; sys.modules['torch'] = None; import numpy as np; from coterie.arrays import to_device\n"
        "from coterie.errors import MissingExtraError\n"
        "try: to_device(np.ones((2, 2)), 'cuda')\n"
        "except MissingExtraError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 1
    assert 'pip install "coterie[gpu]"' in done.stdout


# --- nothing that executes what a file holds -----------------------------------------------------------------------------

FORBIDDEN_MODULES = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "xmlrpc", "http.server"}
FORBIDDEN_CALLS = {"eval", "exec", "__import__", "compile"}


def _violations(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] in FORBIDDEN_MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in FORBIDDEN_MODULES:
            yield node.module
        elif isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN_CALLS:
                yield f"{node.func.id}()"
            for keyword in node.keywords:
                if keyword.arg == "allow_pickle" and getattr(keyword.value, "value", None) is not False:
                    yield "allow_pickle"
                if keyword.arg == "weights_only" and getattr(keyword.value, "value", None) is not True:
                    yield "weights_only"
            if ast.unparse(node.func) in ("torch.load", "joblib.load", "numpy.load", "np.load"):
                safe = {"allow_pickle", "weights_only"} & {keyword.arg for keyword in node.keywords}
                if not safe:
                    yield f"{ast.unparse(node.func)} without a word on code in files"


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_can_run_code_from_a_file(path):
    assert list(_violations(ast.parse(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from joblib import load",
        "eval('1')",
        "exec(text)",
        "np.load(path, allow_pickle=True)",
        "np.load(path)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
    ],
)
def test_the_gate_itself_finds_what_it_forbids(code):
    assert list(_violations(ast.parse(code)))


def test_no_page_of_the_report_evaluates_text():
    pages = [path for path in PACKAGE.rglob("*") if path.suffix in (".js", ".html", ".css")]
    found = [
        path.name for path in pages if re.search(r"\beval\(|new Function\(|innerHTML|document\.write", path.read_text())
    ]
    assert found == []
