"""Snapshots of a notebook volume in S3 that announce success only for what was verified.

The format is written down in ``docs/snapshot-format.md``.
"""
