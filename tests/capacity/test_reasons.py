"""The words that DynamoDB gives for a refusal: what was asked, how, and which limit was met."""

from __future__ import annotations

import pytest

from tweetlab.capacity import ThrottlingReason

LIMITS = {
    "": "ProvisionedThroughputExceeded",
    "KEY_RANGE": "KeyRangeThroughputExceeded",
    "MAX_ON_DEMAND": "MaxOnDemandThroughputExceeded",
}


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("kind", ["read", "write"])
@pytest.mark.parametrize("index", [False, True])
def test_a_reason_is_spelt_as_aws_does(index, kind, limit):
    asked = "Index" if index else "Table"
    reason = ThrottlingReason.of(kind, index, limit)
    assert reason == f"{asked}{kind.title()}{LIMITS[limit]}"
    assert reason.name == "_".join(filter(None, [asked.upper(), kind.upper(), limit]))
