"""Condition operators, one by one; each row was derived from AWS's page on operators."""

from __future__ import annotations

from typing import Any

import pytest

from secure_ml_ext.iam import PolicyBundle, PolicyError
from secure_ml_ext.iam.operators import OPERATORS

from .support import denies, document, statement

KEY = "arn:aws:kms:eu-west-1:123456789012:key/"

# operator, values of the policy, value of the request (None: absent), whether it matches
ROWS: list[tuple[str, Any, Any, bool]] = [
    ("StringEquals", "a", "a", True),
    ("StringEquals", "a", "A", False),
    ("StringEquals", ["b", "a"], "a", True),
    ("StringEquals", "a*", "ab", False),
    ("StringEquals", 1, 1, True),
    ("StringEquals", True, True, True),
    ("StringEquals", "", "", True),
    ("StringNotEquals", ["a", "b"], "c", True),
    ("StringNotEquals", ["a", "b"], "b", False),
    ("StringEqualsIgnoreCase", "aBc", "AbC", True),
    ("StringNotEqualsIgnoreCase", "aBc", "AbC", False),
    ("StringLike", "a*c?", "abbcd", True),
    ("StringLike", "a*c?", "abbc", False),
    ("StringLike", "*", "", True),
    ("StringLike", "a*", "a\nb", True),
    ("StringLike", "a[b].c", "abxc", False),
    ("StringNotLike", ["a*", "b*"], "c", True),
    ("StringNotLike", ["a*", "b*"], "bc", False),
    ("NumericEquals", "10", "10.0", True),
    ("NumericEquals", 10.5, "10.50", True),
    ("NumericEquals", ["1", "2"], "2", True),
    ("NumericEquals", "9007199254740993", "9007199254740992", False),
    ("NumericNotEquals", ["1", "2"], "3", True),
    ("NumericNotEquals", "1", "word", False),
    ("NumericNotEquals", ["1", "word"], "2", False),
    ("NumericEquals", "1e2", "100", False),
    ("NumericEquals", "1_0", "10", False),
    ("NumericLessThan", "10", "9", True),
    ("NumericLessThan", "10", "10", False),
    ("NumericLessThan", ["5", "10"], "7", True),
    ("NumericLessThanEquals", "10", "10", True),
    ("NumericGreaterThan", "-1", "0", True),
    ("NumericGreaterThan", ["5", "10"], "7", True),
    ("NumericGreaterThanEquals", "10", "9.99", False),
    ("NumericLessThan", "word", "9", False),
    ("DateEquals", "2026-11-22T10:00:00Z", "2026-11-22T11:00:00+01:00", True),
    ("DateEquals", "2026-11-22", "2026-11-22T00:00:00Z", True),
    ("DateEquals", "2026-11", "2026-11-01", True),
    ("DateEquals", "2026", "2026-01-01T00:00Z", True),
    ("DateEquals", "1795341600", "2026-11-22T10:00:00Z", True),
    ("DateNotEquals", "2026-11-22", "2026-11-23", True),
    ("DateNotEquals", "2026-11-22", "soon", False),
    ("DateNotEquals", "2026-02-30", "2026-03-01", False),
    ("DateLessThan", "2026-11-22T10:00:00.500Z", "2026-11-22T10:00:00.25Z", True),
    ("DateLessThanEquals", "2026-11-22", "2026-11-22", True),
    ("DateGreaterThan", "2026-11-22", "2026-11-22T00:00:01", True),
    ("DateGreaterThanEquals", "2026-11-22", "2026-11-21", False),
    ("Bool", "true", "True", True),
    ("Bool", True, True, True),
    ("Bool", "false", "true", False),
    ("Bool", "1", "1", False),
    ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", True),
    ("BinaryEquals", "QmluYXJ5", "Binary", False),
    ("BinaryEquals", "!", "!", False),
    ("IpAddress", "203.0.113.0/24", "203.0.113.9", True),
    ("IpAddress", "203.0.113.0/24", "203.0.114.9", False),
    ("IpAddress", "203.0.113.9", "203.0.113.9", True),
    ("IpAddress", "203.0.113.9/24", "203.0.113.1", True),
    ("IpAddress", "0.0.0.0/0", "8.8.8.8", True),
    ("IpAddress", "0.0.0.0/0", "2001:db8::1", False),
    ("IpAddress", "2001:DB8:1234:5678::/64", "2001:db8:1234:5678:0::1", True),
    ("IpAddress", "10.0.0.0/255.0.0.0", "10.1.1.1", False),
    ("IpAddress", "10.0.0.0/08", "10.1.1.1", False),
    ("IpAddress", "10.0.0.0/8", "10.0.0.0/8", False),
    ("NotIpAddress", ["203.0.113.0/24", "10.0.0.0/8"], "8.8.8.8", True),
    ("NotIpAddress", ["203.0.113.0/24", "10.0.0.0/8"], "10.2.3.4", False),
    ("NotIpAddress", "203.0.113.0/24", "2001:db8::1", True),
    ("NotIpAddress", "nowhere", "10.2.3.4", False),
    ("NotIpAddress", "10.0.0.0/8", "nowhere", False),
    ("ArnEquals", KEY + "*", KEY + "1", True),
    ("ArnLike", "arn:aws:kms:*:*:key/?", KEY + "1", True),
    ("ArnLike", "arn:aws:kms:*:key/1", KEY + "1", False),
    ("ArnLike", "*", KEY + "1", False),
    ("ArnNotLike", "*", KEY + "1", False),
    ("ArnLike", "arn:aws:s3:::b*", "arn:aws:s3:::bucket/a:b", True),
    ("ArnEquals", KEY + "A", KEY + "a", False),
    ("ArnNotEquals", [KEY + "1", KEY + "2"], KEY + "3", True),
    ("ArnNotEquals", [KEY + "1", KEY + "2"], KEY + "2", False),
    ("ArnNotLike", KEY + "*", "alias/mine", False),
    # AWS's example of what StringLike matches and ArnLike does not.
    ("ArnLike", "arn:aws:someservice:*:111122223333:finance/*",
     "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt",
     False),
    ("StringLike", "arn:aws:someservice:*:111122223333:finance/*",
     "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt",
     True),
    ("Null", "true", None, True),
    ("Null", "true", "a", False),
    ("Null", "false", "a", True),
    ("Null", "FALSE", None, False),
    ("Null", True, None, True),
    ("Null", "true", [], True),
    ("Null", "false", ["a", "b"], True),
    ("Null", "word", None, False),
    ("ForAllValues:Null", "false", None, True),
    ("ForAnyValue:Null", "true", None, False),
    # Set operators.
    ("ForAllValues:StringEquals", ["a", "b"], ["a", "b", "a"], True),
    ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], False),
    ("ForAllValues:StringEquals", ["a", "b"], None, True),
    ("ForAllValues:StringEquals", "a", "a", True),
    ("ForAllValues:StringEquals", "a", "", True),
    ("ForAllValues:StringNotEquals", ["a", "b"], ["c", "d"], True),
    ("ForAllValues:StringNotEquals", ["a", "b"], ["c", "a"], False),
    ("ForAnyValue:StringEquals", ["a", "b"], ["c", "b"], True),
    ("ForAnyValue:StringEquals", ["a", "b"], ["c"], False),
    ("ForAnyValue:StringEquals", "a", None, False),
    ("ForAnyValue:StringEqualsIfExists", "a", None, False),
    ("ForAnyValue:StringNotEquals", "a", ["a", "b"], True),
    ("ForAnyValue:StringNotEquals", "a", None, False),
    ("ForAnyValue:StringLike", "", "", False),
    ("ForAnyValue:NumericLessThan", "5", ["9", "4"], True),
    ("ForAllValues:ArnLike", KEY + "*", [KEY + "1", KEY + "2"], True),
    ("ForAllValues:IpAddress", "10.0.0.0/8", ["10.1.1.1", "11.1.1.1"], False),
    # Several values without a set operator: nothing matches.
    ("StringEquals", "a", ["a"], False),
    ("StringNotEquals", "a", ["b"], False),
    ("StringEqualsIfExists", "a", ["a", "b"], False),
    # In any case, as IAM reads them.
    ("stringequalsifexists", "a", "a", True),
    ("FORALLVALUES:STRINGLIKE", "a*", ["ab"], True),
]  # fmt: skip


@pytest.mark.parametrize(("operator", "wanted", "found", "matches"), ROWS)
def test_operator(operator: str, wanted: Any, found: Any, matches: bool) -> None:
    assert denies({operator: {"a:Key": wanted}}, {"A:kEY": found}) is matches


@pytest.mark.parametrize("name", [name for name in OPERATORS if name != "Null"])
def test_a_missing_key(name: str) -> None:
    negated = "Not" in name
    assert denies({name: {"a:b": "x"}}, {}) is negated
    assert denies({name + "IfExists": {"a:b": "x"}}, {}) is True
    assert denies({f"ForAllValues:{name}": {"a:b": "x"}}, {}) is True
    assert denies({f"ForAnyValue:{name}": {"a:b": "x"}}, {}) is False


def test_every_operator_has_a_row() -> None:
    plain = {operator.rpartition(":")[2].lower() for operator, *_ in ROWS}
    assert {name.lower() for name in OPERATORS} <= plain


def test_conditions_and_keys_are_anded() -> None:
    condition = {"StringEquals": {"a:b": "x", "a:c": "y"}, "Null": {"a:d": "true"}}
    assert denies(condition, {"a:b": "x", "a:c": "y"})
    assert not denies(condition, {"a:b": "x"})
    assert not denies(condition, {"a:b": "x", "a:c": "y", "a:d": "z"})


def test_keys_in_two_spellings_are_anded() -> None:
    condition = {"StringLike": {"a:B": "x*", "A:b": "*y"}}
    assert denies(condition, {"a:b": "xy"})
    assert not denies(condition, {"a:b": "xz"})


def test_an_empty_condition_holds() -> None:
    assert denies({}, {})
    assert denies({"StringEquals": {}}, {})


def test_no_values_match_nothing() -> None:
    assert not denies({"StringEquals": {"a:b": []}}, {"a:b": "x"})
    assert denies({"StringNotEquals": {"a:b": []}}, {"a:b": "x"})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("StringEqualz", "there is no condition operator StringEqualz; did you mean StringEquals?"),
        ("BoolNotEquals", "there is no condition operator BoolNotEquals"),
        ("ForSomeValues:Bool", "there is no condition operator ForSomeValues:Bool"),
        ("ForAllValues:ForAnyValue:Bool", "there is no condition operator"),
        ("NullIfExists", "Null cannot be used with IfExists"),
    ],
)
def test_operators_that_iam_refuses(name: str, message: str) -> None:
    bad = document(statement(Condition={name: {"a:b": "x"}}))
    with pytest.raises(PolicyError) as caught:
        PolicyBundle.from_dict({"identity": [bad]})
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"identity[0], statement 0, Condition {name}: ")
