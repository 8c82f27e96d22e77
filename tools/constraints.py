"""Write constraints.txt: the exact version of everything that the package and all its extras install today.

Called by ``make constraints``. pip resolves the whole set at once without installing it; local version parts (the
``+cpu`` of a PyTorch wheel) are dropped, because which build of a version a machine gets is the machine's affair.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEADER = """\
# Exact versions of everything that coterie and its extras install, so that an install today and next year are the same.
# Written by `make constraints`; used by every make target that installs. Python {python}.
# PyTorch: the tests use the CPU build. Where plain PyPI would bring a CUDA build, call make with TORCH_INDEX=<URL of
# PyTorch's CPU wheel index>.
"""


def main() -> None:
    """Resolve, then write."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet"]
        requirements = [f"{ROOT}[all,test]", *build_requirements(), *sys.argv[1:]]
        subprocess.run([*command, "--report", str(report), *requirements], check=True)
        installed = json.loads(report.read_text())["install"]
    pins = {line["metadata"]["name"].lower(): line["metadata"]["version"].partition("+")[0] for line in installed}
    pins.pop("coterie")
    text = HEADER.format(python=".".join(map(str, sys.version_info[:2])))
    text += "".join(f"{name}=={version}\n" for name, version in sorted(pins.items()))
    (ROOT / "constraints.txt").write_text(text)
    print(f"{len(pins)} versions in constraints.txt")


def build_requirements() -> list[str]:
    """Return what builds the package, as pyproject.toml says."""
    import tomllib

    return tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]


if __name__ == "__main__":
    main()
