"""The fixed vocabulary: control names, severities and states.

Kept free of imports from the rest of the package so that every room can use it.
"""

from __future__ import annotations

from typing import Literal

ControlName = Literal[
    "vpc",
    "approved-network",
    "volume-kms",
    "output-kms",
    "capture-kms",
    "approved-key",
    "isolation",
    "traffic-encryption",
    "direct-internet",
    "root-access",
    "imds-v2",
    "platform",
    "vpc-only-domain",
    "domain-auth",
    "private-image",
    "redundancy",
    "store-kms",
    "tags",
]
Severity = Literal["error", "warning", "info"]
State = Literal["pass", "fail", "warn", "depends", "na", "exempt"]
Mode = Literal["observe", "warn", "block", "fix"]

# Short names for chips, in the order in which a job row shows them.
CHIP_LABELS: dict[str, str] = {
    "vpc": "VPC",
    "approved-network": "NET",
    "volume-kms": "VOL",
    "output-kms": "OUT",
    "capture-kms": "CAP",
    "approved-key": "KEY",
    "isolation": "ISO",
    "traffic-encryption": "TLS",
    "direct-internet": "WEB",
    "root-access": "ROOT",
    "imds-v2": "IMDS",
    "platform": "OS",
    "vpc-only-domain": "DOM",
    "domain-auth": "AUTH",
    "private-image": "IMG",
    "redundancy": "HA",
    "store-kms": "STO",
    "tags": "TAG",
}

# Full names, for cards, tooltips and screen readers.
CONTROL_TITLES: dict[str, str] = {
    "vpc": "VPC",
    "approved-network": "Approved network",
    "volume-kms": "Volume key",
    "output-kms": "Output key",
    "capture-kms": "Capture key",
    "approved-key": "Approved key",
    "isolation": "Isolation",
    "traffic-encryption": "Traffic encryption",
    "direct-internet": "Direct internet access",
    "root-access": "Root access",
    "imds-v2": "Instance metadata v2",
    "platform": "Platform",
    "vpc-only-domain": "VPC-only domain",
    "domain-auth": "Domain sign-in",
    "private-image": "Private image",
    "redundancy": "Redundancy",
    "store-kms": "Store key",
    "tags": "Tags",
}

STATE_SYMBOLS: dict[str, str] = {
    "fail": "✕",
    "warn": "!",
    "depends": "?",
    "pass": "✓",
    "na": "–",
    "exempt": "○",
}
