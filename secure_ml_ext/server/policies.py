"""The policy bundle that the server checks with."""

from __future__ import annotations

from ..aws.policies import Loaded, PolicySource
from ..rules import Config, Profile


def policies_in_force(source: PolicySource, config: Config, profile: Profile | None) -> Loaded:
    """Return the bundle in force; called in a worker thread, so that a first fetch is waited for.

    A source that raises (it must not) is a bundle that could not be read, with the reason.
    """
    try:
        loaded = source.load(config, profile)
        return source.refresh(config, profile) if loaded.pending else loaded
    except Exception as error:
        name = type(source).__name__
        return Loaded(problem=f"{name} gave no policy bundle: {type(error).__name__}: {error}")
