"""Is this machine ready for the lessons? ``tweetlab doctor``, or ``doctor.check()`` in a notebook.

It must run where little else does: see ``tweetlab.commands.checkup``.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

from tweetlab.commands import checkup as checks
from tweetlab.commands.checkup import FIX, Finding

if TYPE_CHECKING:
    from tweetlab.lab.lab import Lab


@dataclass(frozen=True)
class Report:
    """All findings: a notebook shows them as a list, ``print`` as lines of text."""

    findings: Sequence[Finding]

    @property
    def ready(self) -> bool:
        """Whether nothing has to be fixed."""
        return not self._to_fix()

    def _to_fix(self) -> int:
        return sum(finding.kind == FIX for finding in self.findings)

    def _verdict(self) -> str:
        count = self._to_fix()
        if not count:
            return "This machine is ready for the lessons."
        things = "one thing has" if count == 1 else f"{count} things have"
        return f'This machine is not ready yet: {things} to be fixed, marked "fix".'

    def __str__(self) -> str:
        lines = []
        for finding in self.findings:
            what = finding.what.replace("\n", "\n      ")
            lines.append(f"{finding.kind:6}{what}")
            if finding.todo:
                lines.append(f"      What to do: {finding.todo}")
        return "\n".join([*lines, "", self._verdict()])

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        """The verdict first, then what has to be fixed, and the others after it."""
        lines = [f"**{self._verdict()}**", ""]
        for finding in sorted(self.findings, key=lambda finding: finding.kind != FIX):
            what = finding.what.replace("\n", "\n      ")  # lines of a log, as they are
            lines.append(f"- **{finding.kind}**: {what}")
            if finding.todo:
                lines.append(f"  *What to do:* {finding.todo}")
        return "\n".join(lines)


def check(ports: Sequence[int] = ()) -> Report:
    """Look this machine over, which takes a few seconds.

    ``ports`` must be free: those that you are going to serve on, such as 8010 for a shared
    endpoint.
    """
    findings = list(checks.python(sys.version_info[:3], sys.executable))
    if Report(findings).ready:
        findings += checks.packages(checks.requirements, metadata.version)
    well = Report(findings).ready
    findings += [
        *checks.proxies(os.environ),
        *checks.own_servers(os.environ),
        *checks.ports(ports, os.environ, checks.in_use),
        *checks.clock(time.time, time.monotonic, time.sleep),
        *checks.room(checks.free_disk(), checks.memory()),
    ]
    if well:
        findings += checks.shadows(os.curdir, _modules())
        findings += checks.servers(_start, time.monotonic)
    else:
        findings.append(checks.note("The lab's servers were not tried: first fix the above."))
    return Report(findings)


def _modules() -> Iterator[str]:
    """The names of Python's modules, and of those that tweetlab needs."""
    yield from getattr(sys, "stdlib_module_names", ())
    yield from ("tweetlab", *(re.split(r"[^\w-]", line)[0] for line in checks.requirements()))


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
