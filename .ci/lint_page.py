"""Lint the scripts of the report's page as the page runs them: one after another, as one program.

Only so does a linter know which names are there and which nobody uses. Every finding names the file and line that it
stands in.
"""

from __future__ import annotations

import json
import subprocess
import sys
from bisect import bisect_right
from itertools import accumulate
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from typing import Any

from finbench.benchmarks.report.page import SCRIPTS
from finbench.benchmarks.report.rendering import TEMPLATES

CONFIGURATION = Path(__file__).with_name("oxlint.json")


def main() -> None:
    """Print every finding as one line; end with 1 where there is one, with 2 where the linter is missing."""
    beside = Path(sys.executable).with_name("oxlint")
    oxlint = str(beside) if beside.is_file() else which("oxlint")
    if oxlint is None:
        print("oxlint, which lints the report's scripts, is not installed: make install", file=sys.stderr)
        sys.exit(2)
    findings = linted(oxlint)
    for finding in findings:
        print(finding)
    print(f"{len(SCRIPTS)} scripts of the report, {len(findings)} findings")
    sys.exit(1 if findings else 0)


def linted(oxlint: str) -> list[str]:
    """Return what the linter finds in the page's program."""
    texts = [(TEMPLATES / name).read_text(encoding="utf-8") for name in SCRIPTS]
    ends = list(accumulate(text.count("\n") for text in texts))
    with TemporaryDirectory() as folder:
        program = Path(folder) / "page.js"
        program.write_text("".join(texts), encoding="utf-8")
        command = [oxlint, "--config", str(CONFIGURATION), "--format", "json", str(program)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        report = json.loads(ran.stdout)
    except json.JSONDecodeError:
        sys.exit(f"oxlint said what is no report: {ran.stdout}{ran.stderr}")
    if report["number_of_files"] != 1:
        sys.exit(f"oxlint linted {report['number_of_files']} files instead of 1: {ran.stdout}{ran.stderr}")
    return [described(each, ends) for each in report["diagnostics"]]


def described(diagnostic: dict[str, Any], ends: list[int]) -> str:
    """Return a finding as one line, at its place in its own file."""
    (label, *_) = diagnostic["labels"]
    line = label["span"]["line"]
    k = bisect_right(ends, line - 1)
    own = line - (ends[k - 1] if k else 0)
    where = (TEMPLATES / SCRIPTS[k]).resolve().relative_to(Path(__file__).resolve().parents[1])
    return f"{where}:{own}:{label['span']['column']}: {diagnostic['message']} ({diagnostic['code']})"


if __name__ == "__main__":
    main()
