"""Every way to a client is covered, and botocore is left as it was found."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from typing import Any

import boto3
import botocore.client
import botocore.session
import pytest

from secure_ml_ext.aws import clients
from secure_ml_ext.demo.aws import Embedded
from secure_ml_ext.guard import RequestBlocked, hook

from .conftest import Shown, training

Created = Callable[[], list[dict[str, Any]]]
Install = Callable[[], Any]


def client_made_before(install: Install) -> Any:
    client = boto3.Session().client("sagemaker")
    install()
    return client


def default_session_client_before(install: Install) -> Any:
    boto3.setup_default_session()
    client = boto3.client("sagemaker")
    install()
    return client


def old_session_new_client(install: Install) -> Any:
    session = boto3.Session()
    session.client("sagemaker")
    install()
    return session.client("sagemaker")


def new_session(install: Install) -> Any:
    install()
    return boto3.Session().client("sagemaker")


def boto3_client(install: Install) -> Any:
    boto3.setup_default_session()
    install()
    return boto3.client("sagemaker")


def raw_botocore(install: Install) -> Any:
    install()
    return botocore.session.get_session().create_client("sagemaker")


WAYS = [
    client_made_before,
    default_session_client_before,
    old_session_new_client,
    new_session,
    boto3_client,
    raw_botocore,
]


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_sent_when_blocked(
    way: Callable[[Install], Any], make_guard: Callable[..., Any], aws: Embedded, created: Created
) -> None:
    client = way(lambda: make_guard("block"))
    with pytest.raises(RequestBlocked):
        client.create_training_job(**training())
    assert created() == []


@pytest.mark.parametrize("way", WAYS)
def test_one_card_and_one_request_when_warned(
    way: Callable[[Install], Any],
    make_guard: Callable[..., Any],
    aws: Embedded,
    created: Created,
    shown: Shown,
) -> None:
    client = way(lambda: make_guard("warn"))
    client.create_training_job(**training())
    assert len(created()) == 1
    assert [card.action for card in shown.cards] == ["warned"]


def test_four_threads(
    make_guard: Callable[..., Any], aws: Embedded, created: Created, shown: Shown
) -> None:
    make_guard("block")
    session = boto3.Session()
    outcomes: list[str] = []

    def work() -> None:
        client = session.client("sagemaker")
        for _ in range(5):
            try:
                client.create_training_job(**training())
            except RequestBlocked:
                outcomes.append("blocked")

    made = session.client("sagemaker")  # botocore's loader is not safe for a first parallel use
    assert made is not None
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == ["blocked"] * 20
    assert created() == []
    assert len(shown.cards) == 20


def test_installing_twice_judges_once(
    make_guard: Callable[..., Any], sagemaker: Any, created: Created, shown: Shown
) -> None:
    make_guard()
    make_guard()
    importlib.reload(hook)
    make_guard()
    sagemaker.create_training_job(**training())
    boto3.Session().client("sagemaker").create_training_job(**training())
    assert len(shown.cards) == 2
    assert len(created()) == 2


def test_uninstall_leaves_botocore_as_it_was(
    make_guard: Callable[..., Any], sagemaker: Any, created: Created, shown: Shown
) -> None:
    before = botocore.client.BaseClient.__init__
    make_guard("block")
    assert botocore.client.BaseClient.__init__ is not before
    hook.uninstall()
    hook.uninstall()
    assert botocore.client.BaseClient.__init__ is before
    assert hook.current() is None
    sagemaker.create_training_job(**training())
    boto3.Session().client("sagemaker").create_training_job(**training())
    assert len(created()) == 2
    assert shown == []


def test_install_after_uninstall_finds_the_client_again(
    make_guard: Callable[..., Any], sagemaker: Any, created: Created
) -> None:
    make_guard()
    hook.uninstall()
    make_guard("block")
    with pytest.raises(RequestBlocked):
        sagemaker.create_training_job(**training())
    assert created() == []


def test_another_wrapper_on_top_survives(
    make_guard: Callable[..., Any], aws: Embedded, created: Created, shown: Shown
) -> None:
    """Sentry and others wrap the same method; whoever comes second must not lose the first."""
    make_guard("block")
    ours = botocore.client.BaseClient.__init__
    seen: list[Any] = []

    def theirs(self: Any, *args: Any, **kwargs: Any) -> None:
        ours(self, *args, **kwargs)
        seen.append(self)

    botocore.client.BaseClient.__init__ = theirs
    try:
        hook.uninstall()
        boto3.Session().client("sagemaker").create_training_job(**training())
        assert len(created()) == 1
        assert shown == []
        make_guard("block")
        with pytest.raises(RequestBlocked):
            boto3.Session().client("sagemaker").create_training_job(**training())
        assert len(shown.cards) == 1
        assert len(seen) == 2
    finally:
        botocore.client.BaseClient.__init__ = ours
        hook.uninstall()
    assert getattr(botocore.client.BaseClient.__init__, "_secure_ml_hook", None) is None


def test_our_own_clients_are_never_judged(
    make_guard: Callable[..., Any], aws: Embedded, created: Created, shown: Shown
) -> None:
    early = clients.client("sagemaker")
    make_guard("block")
    clients.forget()
    for client in (early, clients.client("sagemaker")):
        client.create_training_job(**training())
    assert len(created()) == 2
    assert shown == []


def test_other_services_and_reads_pass_untouched(
    make_guard: Callable[..., Any], sagemaker: Any, aws: Embedded, shown: Shown
) -> None:
    guard = make_guard("block")
    runtime = boto3.Session().client("sagemaker-runtime")
    s3 = boto3.Session().client("s3")
    assert not any(client in hook.install(guard).clients for client in (runtime, s3))
    sagemaker.list_training_jobs()
    s3.list_buckets()
    assert shown == []
    assert len(aws.requests()) == 2


def test_a_closed_client_can_be_collected(make_guard: Callable[..., Any], aws: Embedded) -> None:
    import gc
    import weakref

    make_guard()
    client = boto3.Session().client("sagemaker")
    gone = weakref.ref(client)
    del client
    gc.collect()
    assert gone() is None
