"""The magics: ``%secure_ml status|mode|profile`` and ``%%secure_ml dry-run``."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from .errors import DryRunStop, ModeLocked

if TYPE_CHECKING:
    from ..rules import Profile
    from .state import Guard

NAME = "secure_ml"
USAGE = """\
%secure_ml status                   what the guard does, and what it saw
%secure_ml mode [observe|warn|block|fix]
%secure_ml profile [refresh]        the organisation's environment, and where it was found
%%secure_ml dry-run                 check the cell's SageMaker calls without sending them"""


class UsageProblem(Exception):
    """A magic that was called wrongly; shown without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class DryRunFailed(Exception):
    """The cell of a dry run failed; its own traceback has been shown already."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class Magics:
    """The magics of one shell."""

    def __init__(self, shell: Any, guard: Guard) -> None:
        self.shell = shell
        self.guard = guard

    def register(self) -> None:
        """Make ``%secure_ml`` and ``%%secure_ml`` known."""
        self.shell.register_magic_function(self.run, "line_cell", NAME)

    def unregister(self) -> None:
        """Forget them again."""
        for kind in ("line", "cell"):
            self.shell.magics_manager.magics[kind].pop(NAME, None)

    def run(self, line: str, cell: str | None = None) -> None:
        """SageMaker guard: status, mode, profile, dry run."""
        words = line.split()
        command = words[0] if words else "status" if cell is None else ""
        if cell is not None:
            if words != ["dry-run"]:
                raise UsageProblem(f"The cell magic is %%secure_ml dry-run.\n{USAGE}")
            self._dry_run(cell)
        elif command == "status" and len(words) < 2:
            print(self.status())
        elif command == "mode" and len(words) < 3:
            self._mode(words[1:])
        elif command == "profile" and words[1:] in ([], ["refresh"]):
            self._profile(refresh=len(words) > 1)
        else:
            raise UsageProblem(f"There is no %secure_ml {line.strip()}.\n{USAGE}")

    def status(self) -> str:
        """Return what the guard does and what it saw, as text."""
        guard = self.guard
        mode = f"{guard.mode} (fixed by your organisation)" if guard.locked else guard.mode
        records = [r for r in guard.journal.remembered() if r["type"] == "submission"]
        sent = sum(r["outcome"] in ("created", "pending") for r in records)
        held = sum(r["outcome"] == "not-sent" for r in records)
        refused = sum(r["outcome"] in ("refused", "failed") for r in records)
        lines = [
            f"Guard: {mode}",
            f"Requests seen: {len(records)} ({sent} sent, {held} not sent, {refused} refused)",
        ]
        lines += [f"Configuration: {problem}" for problem in guard.config.problems]
        return "\n".join(lines)

    def _mode(self, words: list[str]) -> None:
        if words:
            try:
                self.guard.set_mode(words[0])
            except (ModeLocked, ValueError) as error:
                raise UsageProblem(str(error)) from None
        print(f"Guard: {self.guard.mode}")

    def _profile(self, *, refresh: bool) -> None:
        from ..aws.profile import discover

        profile, problems = discover(config=self.guard.config, use_cache=not refresh)
        said = [f"{p.message} {p.remedy}" for p in problems]
        said += self._policies(profile, refresh=refresh)
        plain, page = profile_text(profile, said), profile_html(profile, said)
        from .inline import publish

        publish({"text/plain": plain, "text/html": page})

    def _policies(self, profile: Profile, *, refresh: bool) -> list[str]:
        """Have the policies and the caller at hand for the requests that follow."""
        from ..aws import caller, policies

        config = self.guard.config
        loaded = policies.cached_bundle(config, profile)
        if loaded.source is None:
            return []
        if refresh or loaded.pending:
            loaded = policies.refresh(config, profile)
            caller.refresh(config, profile)
        return [] if loaded.problem is None else [loaded.problem]

    def _awaits(self, cell: str) -> bool:
        """Tell whether a cell needs the event loop, which in a kernel runs already."""
        if getattr(self.shell, "kernel", None) is None:
            return False
        try:
            code = self.shell.transform_cell(cell)
            return bool(self.shell.should_run_async(cell, transformed_cell=code))
        except Exception:  # no valid cell: running it will say so
            return False

    def _dry_run(self, cell: str) -> None:
        """Run the cell with its SageMaker changes checked and not sent.

        The cell is run by the shell, so that magics and the last value behave as ever; only a
        top-level await has no place in it, as in every cell that a magic runs.
        """
        shell = self.shell
        if self._awaits(cell):
            raise UsageProblem("A dry-run cell cannot await. Put the await into the next cell.")
        kept = shell.custom_exceptions, shell.CustomTB
        shell.set_custom_exc((DryRunStop,), _show_stop)
        try:
            with self.guard.dry_run():
                result = shell.run_cell(cell)
        finally:
            shell.custom_exceptions, shell.CustomTB = kept
        error = result.error_before_exec or result.error_in_exec
        if error is not None and not isinstance(error, DryRunStop):
            raise DryRunFailed(f"The dry run ended early: {type(error).__name__}.")


def _show_stop(_shell: Any, _kind: Any, error: Any, _traceback: Any, tb_offset: Any = None) -> None:
    """Say in one line why a dry run ended; IPython calls this in place of a traceback."""
    print(error)


def _rows(profile: Profile) -> tuple[list[tuple[str, str, str]], list[tuple[str, str]]]:
    """Return what was found (title, value, source) and what is missing (title, places asked)."""
    from ..rules import PROFILE_VALUES

    found = []
    for name, (title, _) in PROFILE_VALUES.items():
        value = profile.values.get(name)
        if value is not None:
            shown = value.value if isinstance(value.value, str) else ", ".join(value.value)
            found.append((title, shown, value.source))
    missing = [
        (PROFILE_VALUES[name][0], ", ".join(profile.looked.get(name, [])))
        for name in profile.missing()
    ]
    return found, missing


def _place(profile: Profile) -> str:
    where = " · ".join(part for part in (profile.name, profile.account, profile.region) if part)
    return where or "no environment found"


def profile_text(profile: Profile, problems: list[str]) -> str:
    """Return the profile as a table in plain text."""
    found, missing = _rows(profile)
    first = max((len(title) for title, _, _ in found), default=0)
    second = max((len(value) for _, value, _ in found), default=0)
    lines = [f"Profile: {_place(profile)}"]
    lines += [f"  {title:<{first}}  {value:<{second}}  {source}" for title, value, source in found]
    if missing:
        lines.append("Missing:")
        lines += [
            f"  {title}" + (f"  (looked in {looked})" if looked else "")
            for title, looked in missing
        ]
    lines += [f"Problem: {problem}" for problem in problems]
    return "\n".join(lines)


def profile_html(profile: Profile, problems: list[str]) -> str:
    """Return the profile as a table in HTML: inline style, no script, everything escaped."""
    from .inline import TABLE

    found, missing = _rows(profile)
    cell = 'style="text-align:left;padding:1px 12px 1px 0;vertical-align:top;background:none"'
    head = "".join(f'<th scope="col" {cell}>{title}</th>' for title in ("Value", "", "Source"))
    rows = "".join(
        "<tr>" + "".join(f"<td {cell}>{escape(part)}</td>" for part in row) + "</tr>"
        for row in found
    )
    blocks = [
        f"<div>Profile: <b>{escape(_place(profile))}</b></div>",
        f"<table {TABLE}><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        if found
        else "",
    ]
    if missing:
        items = "".join(
            f"<li>{escape(title)}"
            + (f' <span style="opacity:.7">looked in {escape(looked)}</span>' if looked else "")
            + "</li>"
            for title, looked in missing
        )
        summary = f"{len(missing)} missing"
        blocks.append(f"<details><summary>{summary}</summary><ul>{items}</ul></details>")
    blocks += [f"<div>Problem: {escape(problem)}</div>" for problem in problems]
    return f'<div style="font-size:13px;line-height:1.5">{"".join(blocks)}</div>'
