"""What keeping an image costs a month, where the price is known.

Dollars per GB and month, as AWS's price list and bills have them (retrieved in copies, 2017 to
2026; AWS may have changed them since, and taxes come on top): EBS snapshots in the standard tier,
and S3 Standard, first 50 TB. A Region of which no such copy was found has no price here.
"""

from __future__ import annotations

_GB = 2**30  # AWS bills 2^30 bytes as a GB (S3 and EBS pricing pages).
_SNAPSHOT = {
    "us-east-1": 0.05,
    "us-west-1": 0.055,
    "us-west-2": 0.05,
    "ap-northeast-1": 0.05,
    "ap-northeast-2": 0.05,
    "ap-southeast-2": 0.055,
    "eu-west-1": 0.05,
    "eu-west-2": 0.053,
}
_BUCKET = {"us-east-1": 0.023, "eu-west-3": 0.024}


def gigabytes(size: int) -> float:
    """Bytes as GB."""
    return round(size / _GB, 3)


def monthly_usd(region: str, snapshots: int, parts: int = 0) -> float | None:
    """What snapshots and the parts of a bundle (bytes) cost a month in a Region at most, for a
    snapshot shares blocks with others; None where a price that is needed is not known."""
    total = 0.0
    for size, prices in ((snapshots, _SNAPSHOT), (parts, _BUCKET)):
        if size and region not in prices:
            return None
        total += size / _GB * prices.get(region, 0.0)
    return round(total, 4)
