"""The embedded AWS: moto's server over HTTP, mended where SageMaker's answers matter.

`python -m secure_ml_ext.demo.aws` serves it; `running()` starts it for a test or the demo.
"""

from __future__ import annotations

from .client import ACCOUNT, REGION, Embedded, EmbeddedAwsFailed, running

__all__ = ["ACCOUNT", "REGION", "Embedded", "EmbeddedAwsFailed", "running"]
