"""Plugins that pytest takes from the top folder only."""

from __future__ import annotations

import importlib.util

# The environments of the SageMaker SDKs carry no Jupyter server.
if importlib.util.find_spec("pytest_jupyter"):
    pytest_plugins = ["pytest_jupyter.jupyter_server"]
