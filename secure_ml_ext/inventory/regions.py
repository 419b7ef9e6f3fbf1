"""Regions and the partitions of AWS that they lie in."""

from __future__ import annotations


def partition(region: str | None) -> str:
    """Return the partition of a Region: ``aws``, ``aws-cn``, ``aws-us-gov`` or an isolated one."""
    where = region or ""
    for start, name in (
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("eu-isoe-", "aws-iso-e"),
        ("us-isof-", "aws-iso-f"),
        ("eusc-", "aws-eusc"),
    ):
        if where.startswith(start):
            return name
    return "aws"
