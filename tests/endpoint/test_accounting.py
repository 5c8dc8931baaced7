"""Under real concurrency, in real time: readers get what the table has, and all is counted."""

from __future__ import annotations

import pytest

from tests.support.accounting import BURST_SECONDS, check_accounting
from tests.support.command_line import endpoint_process

SECONDS = 8
"""The benchmark does the same for 30 seconds."""


@pytest.mark.usefixtures("leaves_no_process")
def test_readers_in_many_processes_get_what_the_table_has():
    with endpoint_process("--burst-seconds", str(BURST_SECONDS)) as (_, url):
        check_accounting(url, SECONDS)
