"""Waiting for botocore: in processes of their own, because this one has it already."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from secure_ml_ext.demo.aws import Embedded

ROOT = Path(__file__).parents[2]
START = """
import importlib, importlib.util, sys, threading
sys.path.insert(0, {root!r})
from secure_ml_ext.guard import hook
class Seen(list):
    def before_build(self, client, operation, params, context): self.append(operation)
    def before_call(self, *_): return None
    def after_call(self, *_): pass
    def after_error(self, *_): pass
seen = Seen()
def client():
    import boto3
    return boto3.Session().client("sagemaker")
def is_wrapped():
    return hasattr(sys.modules["botocore.client"].BaseClient.__init__, "_secure_ml_hook")
"""


def run(script: str, environment: dict[str, str] | None = None, *flags: str) -> str:
    done = subprocess.run(
        [sys.executable, *flags, "-c", START.format(root=str(ROOT)) + script],
        capture_output=True,
        text=True,
        env=environment or dict(os.environ),
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_installing_imports_nothing() -> None:
    run("""
before = set(sys.modules)
hook.install(seen)
new = {name.partition(".")[0] for name in set(sys.modules) - before}
assert not new & {"botocore", "boto3", "msgspec", "yaml"}, new
hook.uninstall()
assert not any(hasattr(f, "_secure_ml_hook") for f in sys.meta_path)
""")


def test_the_first_client_is_seen(aws: Embedded) -> None:
    run(
        """
hook.install(seen)
assert "botocore" not in sys.modules
client().list_models()
assert seen == ["ListModels"], seen
""",
        aws.environ(),
    )
    assert len(aws.requests(operation="ListModels")) == 1


def test_looking_for_botocore_triggers_nothing() -> None:
    run("""
hook.install(seen)
spec = importlib.util.find_spec("botocore.client")
assert spec is not None and spec.loader.get_source("botocore.client")
assert "botocore.client" not in sys.modules
import importlib.machinery
importlib.machinery.PathFinder.find_spec("botocore.client", spec.submodule_search_locations)
client()
assert is_wrapped()
""")


def test_the_module_does_not_see_that_it_was_watched() -> None:
    run("""
import botocore.session
plain = type(sys.modules["botocore.session"].__loader__)
hook.install(seen)
module = importlib.import_module("botocore.client")
assert type(module.__loader__) is plain, module.__loader__
assert module.__spec__.loader is module.__loader__
import inspect, pickle
assert "class BaseClient" in inspect.getsource(module)
assert inspect.signature(module.BaseClient.__init__).parameters["serializer"]
""")


def test_reloading_botocore_wraps_the_new_class(aws: Embedded) -> None:
    run(
        """
hook.install(seen)
old = client()
importlib.reload(sys.modules["botocore.client"])
assert is_wrapped()
old.list_models(); client().list_models()
assert seen == ["ListModels"] * 2, seen
""",
        aws.environ(),
    )


def test_threads_that_import_botocore_at_once(aws: Embedded) -> None:
    run(
        """
hook.install(seen)
failures = []
gate = threading.Barrier(8)
def work():
    gate.wait()
    try:
        importlib.import_module("botocore.client")
        assert is_wrapped()
    except BaseException as error:
        failures.append(error)
threads = [threading.Thread(target=work) for _ in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
assert not failures, failures
client().list_models()
assert seen == ["ListModels"], seen
""",
        aws.environ(),
    )


def test_installing_while_another_thread_imports_botocore() -> None:
    for delay in ("0", "0.01", "0.05", "0.15"):
        run(f"""
import time
thread = threading.Thread(target=importlib.import_module, args=("botocore.client",))
thread.start(); time.sleep({delay})
hook.install(seen)
thread.join()
hook.ensure()
assert is_wrapped()
""")


def test_installing_over_a_missing_botocore() -> None:
    out = run(
        """
import subprocess
hook.install(seen)
class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("botocore", "boto3"): raise ModuleNotFoundError(name=name)
sys.meta_path.insert(0, Hide())
try:
    import botocore.client
except ModuleNotFoundError as error:
    print("missing", error.name)
hook.uninstall()
""",
    )
    assert "missing botocore" in out


def test_a_new_copy_of_the_package_takes_over(aws: Embedded) -> None:
    run(
        """
hook.install(seen)
first = client()
for name in [n for n in sys.modules if n.startswith("secure_ml_ext")]:
    del sys.modules[name]
from secure_ml_ext.guard import hook as again
assert again is not hook
second_seen = Seen()
again.install(second_seen)
first.list_models(); client().list_models()
assert seen == [] and second_seen == ["ListModels"] * 2, (seen, second_seen)
again.uninstall()
first.list_models()
assert second_seen == ["ListModels"] * 2
""",
        aws.environ(),
    )


@pytest.mark.parametrize("method", ["fork", "spawn", "os.fork"])
def test_children(method: str, aws: Embedded, tmp_path: Path) -> None:
    """A forked child is guarded and writes whole lines; a spawned one is a process of its own."""
    script = tmp_path / "children.py"
    script.write_text(
        f"""
import multiprocessing, os, sys, threading
sys.path.insert(0, {str(ROOT)!r})
import boto3
from secure_ml_ext.guard import Guard, RequestBlocked, hook
from secure_ml_ext.guard.spool import latest, read_spool
from tests.guard.conftest import training

def work(number):
    client = boto3.Session().client("sagemaker")
    try:
        client.create_training_job(**training(f"{{os.environ['TEST_NAME']}}-{{number}}"))
    except RequestBlocked:
        return "blocked"
    return "sent"

if __name__ == "__main__":
    method = sys.argv[1]
    spool = sys.argv[2]
    guard = Guard(spool=spool)
    guard.set_mode("block")
    hook.install(guard)
    assert work("parent") == "blocked"
    guard.held.clear()
    stop = threading.Event()
    def hold_locks():
        while not stop.is_set():
            with guard._lock, guard.journal._lock, guard.journal.spool._lock: pass
    thread = threading.Thread(target=hold_locks); thread.start()
    try:
        if method == "os.fork":
            answers = []
            for number in range(4):
                pid = os.fork()
                if pid == 0:
                    os._exit(0 if work(number) == "blocked" else 1)
                answers.append("blocked" if os.waitpid(pid, 0)[1] == 0 else "sent")
        else:
            with multiprocessing.get_context(method).Pool(2) as pool:
                answers = pool.map(work, range(4))
    finally:
        stop.set(); thread.join()
    print(answers)
    expected = "sent" if method == "spawn" else "blocked"
    assert answers == [expected] * 4
    names = sorted(m.name for m in latest(read_spool(spool)))
    children = [] if method == "spawn" else [f"{{os.environ['TEST_NAME']}}-{{n}}" for n in range(4)]
    assert names == [*children, f"{{os.environ['TEST_NAME']}}-parent"], names
    assert len(read_spool(spool)) == len(open(spool).read().splitlines())
    assert os.path.exists(spool)
    guard.journal.close()
    assert not os.path.exists(spool)
"""
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(script), method, str(tmp_path / "spool.jsonl")],
        capture_output=True,
        text=True,
        env={**aws.environ(), "TEST_NAME": os.urandom(4).hex()},
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(aws.requests(operation="CreateTrainingJob")) == (4 if method == "spawn" else 0)


def test_the_server_needs_no_notebook(aws: Embedded, tmp_path: Path) -> None:
    """The three lines a server process needs; msgspec comes in with the first call."""
    run(
        f"""
from secure_ml_ext.guard import Guard
guard = Guard(spool={str(tmp_path / "server.jsonl")!r})
hook.install(guard)
assert "msgspec" not in sys.modules and "IPython" not in sys.modules
client().list_models()
try:
    client().create_model(ModelName="m", ExecutionRoleArn="arn:aws:iam::123456789012:role/r")
except Exception as error:
    print(type(error).__name__)
assert "IPython" not in sys.modules
from secure_ml_ext.guard.spool import latest, read_spool
assert [m.operation for m in latest(read_spool(guard.journal.spool.path))] == ["CreateModel"]
""",
        aws.environ(),
    )
