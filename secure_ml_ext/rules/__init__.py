"""The baseline: rules as data, evaluation, fixes, the profile and the configuration."""

from __future__ import annotations

from .baseline import Baseline, Breach, MissingValue, Outcome
from .config import Config, RuleOverride, Waiver, load_config, rules_in_force
from .model import Rule, RuleError, builtin_rules
from .patch import Assignment, PatchError, PatchOp
from .profile import PROFILE_VALUES, Profile, ProfileValue
from .profile_file import ProfileError, load_profile_file, profile_from_dict

__all__ = [
    "PROFILE_VALUES",
    "Assignment",
    "Baseline",
    "Breach",
    "Config",
    "MissingValue",
    "Outcome",
    "PatchError",
    "PatchOp",
    "Profile",
    "ProfileError",
    "ProfileValue",
    "Rule",
    "RuleError",
    "RuleOverride",
    "Waiver",
    "builtin_rules",
    "load_config",
    "load_profile_file",
    "profile_from_dict",
    "rules_in_force",
]
