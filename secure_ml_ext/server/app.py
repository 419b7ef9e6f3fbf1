"""The server extension: settings, services and routes of one Jupyter server."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
from jupyter_core.paths import jupyter_runtime_dir
from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Float, Integer, Type, default

from ..aws.jobs import JobsBackend, SageMakerJobs
from ..aws.policies import AwsPolicySource, PolicySource
from ..aws.profile import AwsProfileSource, ProfileSource
from ..aws.resolver import Lookups
from .event_schemas import DECISION, SUBMISSION, event_files
from .handlers import ROUTES
from .server_guard import ServerGuard
from .spool_jobs import KernelJobs, kernel_spool
from .watcher import SERVER, Record, SpoolWatcher

LOOKUP_SECONDS = 5.0  # for all the models and configurations that one checked request names
_TRUE = frozenset(("1", "true", "yes", "on"))


class SecureMlExtApp(ExtensionApp):
    """Governance for SageMaker work: checks requests, shows the kernel's jobs and the profile.

    Every trait can be set in a Jupyter configuration file (``c.SecureMlExtApp.…``) or on the
    command line; the defaults of some are read from the environment variables named.
    """

    name = "secure_ml_ext"
    extension_url = "/lab"
    load_other_extensions = True
    jobs_backend_class = Type(
        default_value=SageMakerJobs,
        klass=JobsBackend,
        help="Where the states of jobs come from.",
    ).tag(config=True)

    profile_source_class = Type(
        default_value=AwsProfileSource,
        klass=ProfileSource,
        help="Where the organisation's environment comes from.",
    ).tag(config=True)

    policy_source_class = Type(
        default_value=AwsPolicySource,
        klass=PolicySource,
        help="Where the policy bundle comes from.",
    ).tag(config=True)

    guard_server_process = Bool(
        help="Whether SageMaker requests of the server itself (scheduled notebooks) pass the "
        "guard. Environment: SECURE_ML_GUARD_SERVER_PROCESS (0 or 1).",
    ).tag(config=True)

    spool_interval = Float(
        help="Seconds between two looks for new records of the kernels' guards. "
        "Environment: SECURE_ML_SPOOL_INTERVAL.",
    ).tag(config=True)

    worker_threads = Integer(
        help="How many threads check requests, and how many ask for jobs. "
        "Environment: SECURE_ML_WORKER_THREADS.",
    ).tag(config=True)

    @default("guard_server_process")
    def _guard_server_process(self) -> bool:
        return os.environ.get("SECURE_ML_GUARD_SERVER_PROCESS", "1").lower() in _TRUE

    @default("spool_interval")
    def _spool_interval(self) -> float:
        return _number("SECURE_ML_SPOOL_INTERVAL", 1.0, least=0.05)

    @default("worker_threads")
    def _worker_threads(self) -> int:
        return int(_number("SECURE_ML_WORKER_THREADS", 4, least=1))

    executor: ThreadPoolExecutor
    kernel_jobs: KernelJobs
    profile_source: ProfileSource
    policy_source: PolicySource
    lookups: Lookups
    watcher: SpoolWatcher | None = None
    server_guard: ServerGuard | None = None
    _stopped = False
    _events = False

    def initialize_settings(self) -> None:
        """Make the services that the handlers use."""
        self.executor = ThreadPoolExecutor(
            self.worker_threads, thread_name_prefix="secure-ml-server"
        )
        make_source: Callable[[], ProfileSource] = self.profile_source_class
        make_backend: Callable[[], JobsBackend] = self.jobs_backend_class
        make_policies: Callable[[], PolicySource] = self.policy_source_class
        self.profile_source = make_source()
        self.policy_source = make_policies()
        self.lookups = Lookups(budget=LOOKUP_SECONDS)
        # Apart, so that a slow AWS holds up neither the checks nor the events.
        self._jobs_threads = ThreadPoolExecutor(
            self.worker_threads, thread_name_prefix="secure-ml-jobs"
        )
        self._spool_thread = ThreadPoolExecutor(1, thread_name_prefix="secure-ml-spool")
        self.kernel_jobs = KernelJobs(make_backend(), self._jobs_threads)
        self._register_events()
        if self.guard_server_process:
            self._guard_this_process()
        # Not `_start_jupyter_server_extension`: jupyter_server 2.15.0 does not have it yet.
        server: Any = self.serverapp
        server.io_loop.add_callback(self._watch)

    def initialize_handlers(self) -> None:
        """Add the routes."""
        self.handlers.extend(ROUTES)

    async def _watch(self) -> None:
        """Begin to watch the spools, once the event loop runs."""
        if self._stopped:
            return
        self.watcher = SpoolWatcher(
            self._spools, self._emit, self._spool_thread, self._folders, self.spool_interval
        )
        await self.watcher.start()

    async def stop_extension(self) -> None:
        """End what was started."""
        self._stopped = True
        if self.watcher is not None:
            await self.watcher.stop()
            self.watcher = None
        if self.server_guard is not None:
            self.server_guard.close()
            self.server_guard = None
        for threads in (self.executor, self._jobs_threads, self._spool_thread):
            threads.shutdown(wait=False, cancel_futures=True)

    def _guard_this_process(self) -> None:
        try:
            self.server_guard = ServerGuard(Path(jupyter_runtime_dir()), self.log)
        except Exception:
            self.log.exception("secure_ml_ext: the server process is not guarded.")

    def _register_events(self) -> None:
        logger: Any = getattr(self.serverapp, "event_logger", None)
        try:
            for path in event_files().values() if logger is not None else ():
                logger.register_event_schema(path)
            self._events = logger is not None
        except Exception:  # the routes are worth more than the events
            self.log.exception("secure_ml_ext: no events; jupyter_events 0.11 or newer is needed.")

    def _emit(self, kernel: str, record: Record) -> None:
        if not self._events:
            return
        built = msgspec.to_builtins(record)
        schema = SUBMISSION if built["type"] == "submission" else DECISION
        data = {"kernel": kernel, "record": built}
        self.serverapp.event_logger.emit(schema_id=schema, data=data)  # type: ignore[union-attr]

    def _spools(self) -> dict[str, Path]:
        """Return the spool of every kernel of this server, and of the server itself."""
        manager: Any = getattr(self.serverapp, "kernel_manager", None)
        found: dict[str, Path] = {}
        for kernel in list(manager.list_kernel_ids()) if manager else []:
            try:
                spool = kernel_spool(manager.get_kernel(kernel))
            except KeyError:  # it ended just now
                continue
            if spool is not None:
                found[kernel] = spool
        if self.server_guard is not None:
            found[SERVER] = self.server_guard.spool
        return found

    def _folders(self) -> Iterable[Path]:
        return [Path(jupyter_runtime_dir()), *(path.parent for path in self._spools().values())]


def _number(variable: str, fallback: float, *, least: float) -> float:
    """Return the number in an environment variable; nonsense is ignored."""
    try:
        return max(least, float(os.environ.get(variable, fallback)))
    except ValueError:
        return fallback


main = launch_new_instance = SecureMlExtApp.launch_instance
