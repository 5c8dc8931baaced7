"""A process of readers, each on a thread and a connection of its own, that read one item as fast as
they can. It prints the reads that were served, as JSON: when each was sent and answered, and the
units that the answer says it consumed; and of those that were throttled, when.

    python -m tests.support.readers URL TABLE THREADS SECONDS
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from tests.support.serving import SIGNED, TARGET


class Reader(threading.Thread):
    """Reads until its time is over, and it was throttled at least once."""

    def __init__(self, url: str, table: str, until: float) -> None:
        super().__init__()
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        request = {"TableName": table, "Key": {"id": {"S": "a"}}, "ReturnConsumedCapacity": "TOTAL"}
        self._body = json.dumps(request).encode()
        self._until = until
        self.served: list[tuple[float, float, float]] = []
        self.throttled: list[tuple[float, float]] = []

    def run(self) -> None:
        headers = {"X-Amz-Target": TARGET + "GetItem", **SIGNED}
        while (sent := time.monotonic()) < self._until or not self.throttled:
            self._connection.request("POST", "/", self._body, headers)
            response = self._connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
            answered = time.monotonic()
            if response.status == 200:
                units = answer["ConsumedCapacity"]["CapacityUnits"]
                self.served.append((sent, answered, units))
            else:
                assert "#ProvisionedThroughputExceeded" in answer["__type"], answer
                self.throttled.append((sent, answered))
        self._connection.close()


def main(url: str, table: str, threads: str, seconds: str) -> None:
    """Run the readers, and print what became of their reads."""
    until = time.monotonic() + float(seconds)
    readers = [Reader(url, table, until) for _ in range(int(threads))]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    served = [read for reader in readers for read in reader.served]
    throttled = [read for reader in readers for read in reader.throttled]
    print(json.dumps({"served": served, "throttled": throttled}))


if __name__ == "__main__":
    main(*sys.argv[1:])
