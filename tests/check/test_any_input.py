"""The guard sees requests before botocore validates them: any value may stand anywhere."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from secure_ml_ext.check import check_request
from secure_ml_ext.check.patch import apply_patch
from secure_ml_ext.check.text import report_text
from secure_ml_ext.inventory import operations
from secure_ml_ext.inventory.paths import parse
from tests.worlds import SUBNETS, VOLUME_KEY, profile

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 5)
    | st.just(float("nan"))
    | st.binary(max_size=2)
    | st.sampled_from(["", "Enabled", "Vpc", "ml.g5.xlarge", "alias/x", VOLUME_KEY, SUBNETS[0]]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["Subnets", "SecurityGroupIds", "KmsKeyId", "Get", "InstanceType"]),
            inner,
            max_size=2,
        )
    ),
    max_leaves=5,
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """Draw an operation and a request whose security fields hold anything."""
    operation = draw(st.sampled_from(sorted(operations())))
    entry = operations()[operation]
    params: dict[str, Any] = {}
    pointers = [f.pointer for f in entry.fields]
    pointers += [p for f in entry.fields for p in f.instances]
    for pointer in draw(st.lists(st.sampled_from(pointers), max_size=6)) if pointers else []:
        _put(params, list(parse(pointer)), draw(ANYTHING))
    return operation, params


def _put(node: Any, path: list[Any], value: Any) -> None:
    for part, following in zip(path, [*path[1:], None], strict=True):
        last = following is None
        child: Any = value if last else ([{}] if following == "*" else {})
        if part == "*":
            if not isinstance(node, list):
                return
            if last or not node:
                node[:] = [child]
            node = node[0]
        elif isinstance(node, dict):
            if last or not isinstance(node.get(part), (dict, list)):
                node[part] = child
            node = node[part]
        else:
            return


@settings(max_examples=400, deadline=None)
@given(requests())
def test_a_check_never_fails_never_changes_the_request_and_its_fix_applies(
    case: tuple[str, dict[str, Any]],
) -> None:
    operation, params = case
    before = copy.deepcopy(params)
    report = check_request(operation, params, profile=profile())
    assert repr(params) == repr(before)
    json.dumps(report.to_dict())
    assert report_text(report)
    subject = report.subjects[0]
    fixed = apply_patch(params, subject.fix)
    again = check_request(operation, fixed, profile=profile()).subjects[0]
    mended = {f.rule for f in subject.findings if f.fix and f.severity == "error"}
    assert not again.fix or not mended


@given(requests())
@settings(max_examples=100, deadline=None)
def test_a_finding_always_says_where_what_and_why(case: tuple[str, dict[str, Any]]) -> None:
    operation, params = case
    for finding in check_request(operation, params, profile=profile()).subjects[0].findings:
        assert finding.pointer.startswith("/")
        assert finding.message
        assert finding.why
        if not finding.fix:
            # The profile has all values, so only a judgement of people can be missing.
            assert finding.rule in {"domain-sign-in", "private-image", "image-tags"}
