"""Patches: built as small as possible, applied as RFC 6902 says."""

from __future__ import annotations

import copy
from typing import Any

import jsonpatch
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from secure_ml_ext.inventory.paths import Path, get
from secure_ml_ext.rules.patch import Assignment, PatchError, PatchOp, apply, build


def ops(*wishes: tuple[Path, Any], on: dict[str, Any]) -> list[dict[str, Any]]:
    built = build(on, [Assignment(path, value) for path, value in wishes])
    return msgspec.to_builtins(built)  # type: ignore[no-any-return]


def test_missing_parents_are_created_once_and_siblings_kept() -> None:
    on = {"NetworkConfig": {"EnableNetworkIsolation": False}}
    assert ops((("NetworkConfig", "VpcConfig"), {"Subnets": ["s"]}), on=on) == [
        {"op": "add", "path": "/NetworkConfig/VpcConfig", "value": {"Subnets": ["s"]}}
    ]
    both = ops((("N", "A"), 1), (("N", "B", "C"), 2), on={})
    assert both == [{"op": "add", "path": "/N", "value": {"A": 1, "B": {"C": 2}}}]


def test_an_unusable_parent_is_replaced() -> None:
    for broken in (None, "", "text", 5, [], ["text"]):
        assert ops((("V", "K"), "key"), on={"V": broken}) == [
            {"op": "replace", "path": "/V", "value": {"K": "key"}}
        ]


def test_list_indexes_are_explicit_and_pointers_escaped() -> None:
    on = {"L": [{"a/b": 1}, {}]}
    assert ops((("L", 1, "a/b~c"), 2), on=on) == [{"op": "add", "path": "/L/1/a~1b~0c", "value": 2}]


def test_removing_what_is_not_there_is_no_operation() -> None:
    assert ops((("A",), UNSET), on={}) == []
    assert ops((("A",), UNSET), on={"A": 1}) == [{"op": "remove", "path": "/A"}]


def test_applying_to_a_document_that_does_not_fit_says_where() -> None:
    with pytest.raises(PatchError, match="/A/B: A is not there"):
        apply({}, [PatchOp("add", "/A/B", 1)])
    with pytest.raises(PatchError, match="/L/4: no such index"):
        apply({"L": []}, [PatchOp("replace", "/L/4", 1)])
    with pytest.raises(PatchError, match="/A is not there"):
        apply({}, [PatchOp("remove", "/A")])


KEYS = st.sampled_from(["a", "b", "c/d", "~"])
DOCUMENTS = st.dictionaries(
    KEYS,
    st.recursive(
        st.none() | st.integers() | st.just(""),
        lambda inner: st.dictionaries(KEYS, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=3,
)
PATHS = st.lists(KEYS, min_size=1, max_size=4).map(tuple)


@given(DOCUMENTS, st.dictionaries(PATHS, st.integers(), max_size=4))
def test_a_built_patch_fulfils_its_wishes_and_agrees_with_another_library(
    document: dict[str, Any], wishes: dict[Path, int]
) -> None:
    # A wish below another wish would contradict it.
    chosen = {
        p: v for p, v in wishes.items() if not any(p != q and p[: len(q)] == q for q in wishes)
    }
    before = copy.deepcopy(document)
    patch = build(document, [Assignment(p, v) for p, v in chosen.items()])
    after = apply(document, patch)
    assert document == before
    for path, value in chosen.items():
        assert get(after, path) == value
    plain = msgspec.to_builtins(patch)
    assert jsonpatch.apply_patch(document, plain) == after
    assert len({op.path for op in patch}) == len(patch)
