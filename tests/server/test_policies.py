"""The policy bundle of the server: an organisation's own source, and one that fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from traitlets import TraitError

from secure_ml_ext.aws.policies import AwsPolicySource, Loaded, PolicySource
from secure_ml_ext.demo.aws import Embedded
from secure_ml_ext.iam import PolicyBundle
from secure_ml_ext.rules import Config, Profile
from secure_ml_ext.server.app import SecureMlExtApp
from secure_ml_ext.server.policies import policies_in_force

BUNDLE = PolicyBundle.from_dict({"identity": []})


class OurPolicies(PolicySource):
    """A database that answers when it is waited for."""

    def load(self, config: Config, profile: Profile | None) -> Loaded:
        """Know nothing yet."""
        return Loaded(source="our database", pending=True)

    def refresh(self, config: Config, profile: Profile | None) -> Loaded:
        """Wait."""
        return Loaded(BUNDLE, "our database")


class Broken(PolicySource):
    """Does what it must not."""

    def load(self, config: Config, profile: Profile | None) -> Loaded:
        """Raise."""
        raise RuntimeError("our database is down")


def test_the_first_fetch_is_waited_for() -> None:
    assert policies_in_force(OurPolicies(), Config(), None).bundle is BUNDLE
    assert OurPolicies().bundle(Config(), None) is None


def test_a_source_that_raises_is_a_problem() -> None:
    loaded = policies_in_force(Broken(), Config(), None)
    assert loaded.bundle is None
    assert loaded.problem == "Broken gave no policy bundle: RuntimeError: our database is down"


def test_the_default_reads_what_the_configuration_names(tmp_path: Path) -> None:
    path = tmp_path / "policies.json"
    path.write_text(json.dumps({"identity": []}))
    loaded = policies_in_force(AwsPolicySource(), Config(policies=str(path)), None)
    assert (loaded.bundle is not None, loaded.source) == (True, str(path))


@pytest.fixture
def jp_server_config(aws: Embedded) -> dict[str, Any]:
    """The source replaced, as a configuration file does it."""
    return {
        "ServerApp": {
            "jpserver_extensions": {"secure_ml_ext": True, "jupyter_server_terminals": False},
            "allow_unauthenticated_access": False,
        },
        "SecureMlExtApp": {
            "policy_source_class": f"{__name__}.OurPolicies",
            "guard_server_process": False,
        },
    }


async def test_a_replaced_source_is_used(jp_fetch: Any, app: Any) -> None:
    await jp_fetch("secure-ml-ext", "status")
    assert type(app.policy_source).__name__ == "OurPolicies"


def test_what_is_no_source_is_refused() -> None:
    with pytest.raises(TraitError):
        SecureMlExtApp(policy_source_class=Loaded)
