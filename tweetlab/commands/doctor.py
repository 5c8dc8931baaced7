"""Is this machine ready for the lessons? ``tweetlab doctor``, or ``doctor.check()`` in a notebook.

It must run where little else does: see ``tweetlab.commands.checkup``.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

from tweetlab.commands import checkup as checks
from tweetlab.commands.checkup import MEND, NOTE, Finding

if TYPE_CHECKING:
    from tweetlab.lab.lab import Lab


@dataclass(frozen=True)
class Report:
    """All findings: a notebook shows them as a list, ``print`` as lines of text."""

    findings: tuple[Finding, ...]

    @property
    def ready(self) -> bool:
        """Whether nothing has to be mended."""
        return not self._to_mend()

    def _to_mend(self) -> int:
        return sum(finding.kind == MEND for finding in self.findings)

    def _verdict(self) -> str:
        count = self._to_mend()
        if not count:
            return "This machine is ready for the lessons."
        things = "one thing has" if count == 1 else f"{count} things have"
        return f'This machine is not ready yet: {things} to be mended, marked "mend".'

    def __str__(self) -> str:
        lines = []
        for finding in self.findings:
            lines.append(f"{finding.kind:6}{finding.what}")
            if finding.todo:
                lines.append(f"      What to do: {finding.todo}")
        return "\n".join([*lines, "", self._verdict()])

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        """The verdict first, and what has to be mended before all else."""
        lines = [f"**{self._verdict()}**", ""]
        for finding in sorted(self.findings, key=lambda finding: finding.kind != MEND):
            lines.append(f"- **{finding.kind}**: {finding.what}")
            if finding.todo:
                lines.append(f"  *What to do:* {finding.todo}")
        return "\n".join(lines)


def check(ports: Sequence[int] = ()) -> Report:
    """Look this machine over, which takes a few seconds.

    ``ports`` are those that you are going to serve on, such as 8010 for a shared endpoint: they
    have to be free.
    """
    python = list(checks.python(sys.version_info[:3], sys.executable))
    packages = [] if _bad(python) else list(checks.packages(checks.requirements, metadata.version))
    findings = [
        *python,
        *packages,
        *checks.proxies(os.environ),
        *checks.own_servers(os.environ),
        *checks.ports(ports, os.environ, checks.in_use),
        *checks.clock(time.time, time.monotonic, time.sleep),
        *checks.room(checks.free_disk(), checks.memory()),
    ]
    if _bad(python) or _bad(packages):
        findings.append(Finding(NOTE, "The lab's servers were not tried: first mend the above."))
    else:
        findings += checks.servers(_start, time.monotonic)
    return Report(tuple(findings))


def _bad(findings: Sequence[Finding]) -> bool:
    return any(finding.kind == MEND for finding in findings)


def _start() -> AbstractContextManager[Lab]:
    from tweetlab.lab.lab import start

    return start()


def main(ports: Sequence[int] = ()) -> int:
    """Print the report; 0 if this machine is ready, 1 if not."""
    report = check(ports)
    print(report)
    return 0 if report.ready else 1


if __name__ == "__main__":
    sys.exit(main())
