"""Run ``coterie demo`` and paste what it prints between the demo marks of README.md. Called by ``make readme``."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"


def main() -> None:
    """Run in an empty folder, so that the paths printed are short."""
    coterie = Path(sys.executable).parent / "coterie"
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [coterie, "demo"], cwd=folder, env=os.environ | {"COLUMNS": "100"}, check=True, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        lines = [line.rstrip().replace(f"{Path(folder).resolve()}/", "") for line in done.stdout.splitlines()]
    block = "\n".join(["<!-- demo -->", "```", "$ coterie demo", *lines, "```", "<!-- end demo -->"])
    README.write_text(re.sub("<!-- demo -->.*<!-- end demo -->", lambda _: block, README.read_text(), flags=re.DOTALL))


if __name__ == "__main__":
    main()
