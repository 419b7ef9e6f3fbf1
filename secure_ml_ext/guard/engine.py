"""The part of the guard that checks, decides and records; loaded on the first SageMaker call."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from ..aws.caller import caller_of
from ..aws.clients import account_of
from ..aws.policies import cached_bundle
from ..aws.resolver import Lookups
from ..check import check_request
from ..check.documents import Checker, notes_of
from ..check.items import Reading
from ..check.patch import apply_patch
from ..check.pipeline_request import PIPELINES, can_be_fixed, steps_of, with_fixes
from ..check.records import PatchOp, Report
from ..inventory.masking import mask
from ..inventory.table import operations
from ..rules import Baseline, Profile, rules_in_force
from . import decide, resend
from .errors import RequestBlocked
from .held import HeldRequest
from .journal import now
from .records import Action, ApiError, Card, Change, Decision, Outcome, Snippets, Submission
from .state import CALL

if TYPE_CHECKING:
    from .state import Guard

REFUSED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")


class Checked(NamedTuple):
    """A report, the profile it was made with, and the steps of the pipeline it is about."""

    report: Report
    profile: Profile | None
    steps: Reading | None = None


class Call:
    """One request on its way, kept in botocore's request context until its answer."""

    __slots__ = (
        "action", "arn_member", "cell", "checked", "decisions", "endpoint", "id", "name",
        "notebook", "operation", "params", "predicted", "region", "report", "resend", "time",
    )  # fmt: skip

    def __init__(
        self, client: Any, operation: str, params: Any, checked: Checked, guard: Guard
    ) -> None:
        entry = operations()[operation]
        name = params.get(entry.name_member) if entry.name_member else None
        self.id = os.urandom(8).hex()
        self.time = now()
        self.operation = operation
        self.name = name if isinstance(name, str) and name else None
        self.arn_member = entry.arn_member
        self.params = params
        self.checked = checked
        self.report = checked.report
        self.predicted = decide.iam_of(self.report).verdict
        self.action: Action = "passed"
        self.decisions: list[tuple[str, str]] = []
        self.region = client.meta.region_name
        self.endpoint = _endpoint(client.meta.endpoint_url)
        self.resend = resend.current()
        origin = self.resend.held if self.resend is not None else guard
        self.notebook = origin.notebook
        self.cell = origin.cell


class Engine:
    """Checks requests for one guard; thread-safe.

    Asks no network, but for following references: one second in all, see ``aws.resolver``.
    """

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self.operations = operations()
        self.baseline = Baseline(rules_in_force(guard.config))
        self.waivers = guard.config.waivers
        self._lookups: dict[str | None, Lookups] = {}

    def lookups(self, region: str | None) -> Lookups:
        """Return what follows references in a Region; it remembers what was created here."""
        return self._lookups.setdefault(region, Lookups(region))

    def check(self, operation: str, params: Any, client: Any = None) -> Checked:
        """Return the report of a request, and the profile it was checked against.

        ``client`` is the one that sends it: it may have credentials and a Region of its own.
        """
        from ..aws.profile import cached_profile

        config = self.guard.config
        region = client.meta.region_name if client is not None else None
        profile = cached_profile(config)
        policies = cached_bundle(config, profile)
        caller = None
        if policies.bundle is not None:
            caller = caller_of(config, profile, client)
        if policies.problem is not None:
            self.guard.tell(f"Secure ML: {policies.problem}")
        lookups = self.lookups(region)
        lookups.begin()
        report = check_request(
            operation,
            params,
            profile=profile,
            bundle=policies.bundle,
            rules=self.baseline,
            caller=caller,
            resolver=lookups,
            waivers=self.waivers,
        )
        if operation not in PIPELINES:
            return Checked(report, profile)
        steps = steps_of(operation, params, lookups)
        checker = Checker.of(profile, self.baseline, policies.bundle, caller, lookups, self.waivers)
        subjects = [*report.subjects, *checker.subjects(steps)]
        return Checked(Report.of(subjects, notes_of(steps, None)), profile, steps)

    def fixed(self, operation: str, params: Any, checked: Checked) -> dict[str, Any] | None:
        """Return the request with every fix that is known for it, or None without one."""
        own = decide.merged_fix(checked.report)
        result = apply_patch(params, own) if own else None
        if checked.steps is not None and can_be_fixed(operation, params):
            pairs = zip(checked.steps.items, checked.report.subjects[1:], strict=True)
            fixes = [(i.pointer, s.fix) for i, s in pairs if i.pointer is not None and s.fix]
            if fixes:
                result = with_fixes(result or dict(params), fixes)
        return result

    def blocks(self, report: Report) -> bool:
        """Tell whether the configuration lets no such request leave."""
        return decide.blocks(report, self.guard.config.block_on)

    # -- before -----------------------------------------------------------------------------

    def judge(self, client: Any, operation: str, params: Any, context: Any) -> None:
        """Check a request and do what the mode says; sets ``context[CALL]`` when it is sent."""
        checked = self.check(operation, params, client)
        report, profile, _ = checked
        call = Call(client, operation, params, checked, self.guard)
        for finding in decide.waived(report):
            if finding.waiver is not None:
                waiver = finding.waiver
                detail = f"{finding.rule}: {waiver.reason} (until {waiver.expires or 'revoked'})"
                call.decisions.append(("waiver-used", detail))
        mode = self.guard.mode
        if self.guard.dry_names is not None:
            self._hold_back(call, client, profile, "dry-run")
            if call.name:
                self.guard.dry_names.add(call.name)
        elif mode == "fix" and (fixed := self.fixed(operation, params, checked)) is not None:
            self._fix(call, client, profile, fixed)
        elif mode in ("block", "fix") and self.blocks(report):
            self._refuse(call, client, profile)
        else:
            self._let_go(call, mode == "observe", profile)
        context[CALL] = call

    def _let_go(self, call: Call, silent: bool, profile: Profile | None) -> None:
        if decide.notable(call.report):
            call.action = "observed" if silent else "warned"
            if not silent and self.blocks(call.report):
                call.decisions.append(("sent-anyway", _counts(call.report)))
        if call.resend is not None:
            call.action = "resent"
            call.decisions.append(("resent", "sent with the fix from the card"))
        elif not silent:
            self._show(call, call.report, profile, None)

    def _fix(self, call: Call, client: Any, profile: Profile | None, fixed: dict[str, Any]) -> None:
        """Send the request with its fix; what the fix cannot mend does not leave."""
        before = call.report
        after = self.check(call.operation, fixed, client).report
        if self.blocks(after):
            self._refuse(call, client, profile, after)
        call.action = "fixed"
        self._show(call, before, profile, None)  # the difference, while "before" is still there
        # Only the top-level dictionary is botocore's own; what hangs below is the caller's and
        # is replaced by copies, never written to.
        for key in call.params.keys() - fixed.keys():
            del call.params[key]
        call.params.update(fixed)
        call.report = after
        call.predicted = decide.iam_of(after).verdict
        call.decisions.append(("fixed", _paths(before)))

    def _refuse(
        self, call: Call, client: Any, profile: Profile | None, after: Report | None = None
    ) -> None:
        held = None
        with self.guard.contained(call.operation):  # nothing that fails here may let it go
            held = self._hold_back(call, client, profile, "blocked", after)
            self._decide(call, "blocked", _counts(call.report))
        message = decide.blocked_message(
            call.operation, call.name, after or call.report, bool(held)
        )
        raise RequestBlocked(message, call.report.to_dict())

    def _hold_back(
        self,
        call: Call,
        client: Any,
        profile: Profile | None,
        action: Action,
        after: Report | None = None,
    ) -> str | None:
        """Record and show a request that is not sent; hold it if its fix makes it pass.

        Returns the id under which it is held.
        """
        call.action = action
        held = None
        fixed = None
        if after is None and call.resend is None:
            fixed = self.fixed(call.operation, call.params, call.checked)
        if fixed is not None:
            after = self.check(call.operation, fixed, client).report
            if not self.blocks(after):
                request = HeldRequest(
                    client, call.operation, call.params, fixed, call.notebook, call.cell
                )
                held = self.guard.held.keep(request)
        self._record(call, "not-sent")
        if call.resend is None:
            self._show(call, call.report, profile, held)
        return held

    # -- after ------------------------------------------------------------------------------

    def sending(self, call: Call) -> None:
        """Record a request that botocore found valid and is about to send."""
        for decision, detail in call.decisions:
            self._decide(call, decision, detail)
        call.decisions = []
        self._record(call, "pending")

    def answered(self, call: Call, status: int, parsed: Any) -> None:
        """Record the ARN, or the refusal, of a request that was sent."""
        if status < 300:
            arn = parsed.get(call.arn_member) if call.arn_member else None
            self._record(call, "created", arn=arn if isinstance(arn, str) else None)
            masked = mask(call.operation, call.params)
            self.lookups(call.region).remember(call.operation, call.name, masked)
            if call.predicted in decide.DENIED:
                self._wrong(call, f"predicted {call.predicted}, and AWS allowed it")
            return
        error = parsed.get("Error") or {}
        problem = self._error(call, str(error.get("Code", status)), str(error.get("Message", "")))
        self._record(call, "refused", error=problem)
        if problem.code in REFUSED:
            self._denied(call, problem)

    def unanswered(self, call: Call, error: Any) -> None:
        """Record that no answer came: the endpoint was out of reach, or the reply unreadable."""
        problem = self._error(call, type(error).__name__, str(error))
        self._record(call, "failed", error=problem)

    def _denied(self, call: Call, problem: ApiError) -> None:
        iam = decide.iam_of(call.report)
        if call.predicted == "allowed":
            self._wrong(call, f"predicted allowed, and AWS answered {problem.code}")
        for statement in iam.statements if call.predicted in decide.DENIED else []:
            self.guard.present(
                f"Secure ML: {call.operation} was refused as predicted: {statement.layer} "
                f'"{statement.sid or statement.policy}", {statement.why}'
            )

    def _wrong(self, call: Call, detail: str) -> None:
        self._decide(call, "wrong-prediction", detail, call.report)

    def _error(self, call: Call, code: str, message: str) -> ApiError:
        masked = mask(call.operation, call.params)
        return ApiError(code, decide.scrub(message, call.params, masked)[:2000])

    # -- records and cards --------------------------------------------------------------------

    def _record(
        self,
        call: Call,
        outcome: Outcome,
        arn: str | None = None,
        error: ApiError | None = None,
    ) -> None:
        submission = Submission(
            id=call.id,
            time=call.time,
            operation=call.operation,
            name=call.name,
            action=call.action,
            outcome=outcome,
            arn=arn,
            account=account_of(arn),
            region=call.region,
            endpoint=call.endpoint,
            error=error,
            notebook=call.notebook,
            cell=call.cell,
            report=call.report,
        )
        if call.resend is not None:
            call.resend.submission = submission
        self.guard.journal.add(submission)

    def _decide(self, call: Call, decision: Any, detail: str, report: Report | None = None) -> None:
        self.guard.journal.add(
            Decision(now(), decision, call.operation, call.name, call.id, detail, report)
        )

    def _show(
        self,
        call: Call,
        report: Report,
        profile: Profile | None,
        held: str | None,
    ) -> None:
        """Show the card; a compliant request needs neither its parts nor code to copy."""
        guard = self.guard
        if guard.presenter is None or call.resend is not None:
            return
        with guard.contained(call.operation):
            guard.present(self._card(call, report, profile, held))

    def _card(
        self,
        call: Call,
        report: Report,
        profile: Profile | None,
        held: str | None,
    ) -> Card:
        lines: list[Change] = []
        code: Snippets | None = None
        request: dict[str, Any] = {}
        if decide.notable(report):
            patch = decide.merged_fix(report)
            request = mask(call.operation, call.params)
            lines = decide.changes(patch, request, profile)
            with self.guard.contained(call.operation):  # a card without code is still a card
                code = _snippets(call.operation, request, patch)
        guard = self.guard
        return Card(report, guard.mode, call.action, held, guard.kernel, lines, code, request)


def _snippets(operation: str, request: dict[str, Any], patch: list[PatchOp]) -> Snippets | None:
    """Return the change as code, from the request as it may be shown."""
    if not patch:
        return None
    from ..check.code import snippets

    return Snippets(**snippets(operation, request, patch))


def _paths(report: Report) -> str:
    """Return where a fix changed something, by step where there are steps."""
    return ", ".join(
        f"{subject.where}: {op.path}" if subject.where else op.path
        for subject in report.subjects
        for op in subject.fix
    )


def _endpoint(url: Any) -> str | None:
    """Return scheme, host and port of an endpoint; a password in a URL is never recorded."""
    if not isinstance(url, str):
        return None
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _counts(report: Report) -> str:
    summary = report.summary
    return f"{decide.plural(summary.error, 'error')}, {decide.plural(summary.warning, 'warning')}"
