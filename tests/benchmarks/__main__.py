"""``python -m tests.benchmarks [--json] [--quick] [hits stampede failures outages]``

Compares the cache with what one would use instead, in the same run: alternating, as ratios and
medians, since the machine is rarely quiet. The peers are installed by ``pip install -e .[bench]``.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from typing import Any

import pandas as pd

from tests.benchmarks import failures, hits, outages, stampede
from tweetlab.lab.servers import valkey

TITLES = {
    "hits": "Hits: time per read; ratios above 1 are faster than plain redis-py",
    "stampede": "Stampede: a key expires while 64 callers want it; the table takes 50 ms",
    "failures": "Failures: what a read costs beside the table; 6000 ms is 'still waiting'",
    "outages": "Outages: 32 readers of a cache, where its threads are others; Redis breaks for 1 s",
}


def main() -> None:
    """Run the benchmarks that are named, or all, and print their tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*TITLES, []], help="which; all by default")
    parser.add_argument("--json", action="store_true", help="one JSON object, for programs")
    parser.add_argument("--quick", action="store_true", help="few rounds, to see that it works")
    options = parser.parse_args()
    logging.disable()  # what the peers say of a Redis that was killed on purpose
    results: dict[str, list[dict[str, Any]]] = {}
    for name in options.names or TITLES:
        print(f"{TITLES[name]} ...", file=sys.stderr)
        if name == "failures":
            results[name] = failures.run()
            continue
        if name == "outages":
            results[name] = outages.run()
            continue
        with valkey() as url:
            if name == "hits":
                results[name] = hits.run(url, *((3, 320) if options.quick else (15, 3200)))
            else:
                results[name] = stampede.run(url, 3 if options.quick else 15)
    if options.json:
        print(json.dumps(results))
        return
    for name, rows in results.items():
        print(f"\n{TITLES[name]}\n\n{pd.DataFrame(rows).to_string(index=False)}")


if __name__ == "__main__":
    main()
