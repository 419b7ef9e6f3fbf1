import type { IProblem } from '../generated/records';
import type { Failure, FailureCode } from './failure';
import type { GuardState } from './session';

/** What a blank state's button does. */
export type BlankAction =
  | 'open-notebook'
  | 'choose-kernel'
  | 'load-guard'
  | 'copy-install'
  | 'retry'
  | 'copy-server-check';

/**
 * Why a section has nothing to show, in words, and what to do next.
 *
 * `kind` chooses the sentence of the view; `detail` is text that came from elsewhere
 * (AWS, the kernel), shown beside it as it is.
 */
export interface IBlank {
  kind: BlankKind;
  /** What a problem is, for kind `problem`. */
  code: FailureCode | null;
  detail: string | null;
  remedy: string | null;
  action: BlankAction | null;
  /** What the action copies, where it copies something. */
  copy: string | null;
}

/** Every reason for which a section can be blank. */
export type BlankKind =
  | 'no-notebook'
  | 'no-kernel'
  | 'starting'
  | 'not-python'
  | 'not-loaded'
  | 'loading'
  | 'not-installed'
  | 'load-failed'
  | 'elsewhere'
  | 'no-jobs'
  | 'no-match'
  | 'problem';

/** What the decision needs to know. */
export interface IBlankInput {
  hasDocument: boolean;
  kernel: string | null;
  guard: GuardState | null;
  rows: number;
  shown: number;
}

/** The command that shows whether the server extension is enabled. */
export const SERVER_CHECK = 'jupyter server extension list';

function blank(kind: BlankKind, parts: Partial<IBlank> = {}): IBlank {
  return {
    kind,
    code: null,
    detail: null,
    remedy: null,
    action: null,
    copy: null,
    ...parts
  };
}

/**
 * Why the list of jobs is empty, or null where there are rows to show.
 *
 * Rows always win: a kernel whose guard was unloaded still has the jobs it sent.
 */
export function blankJobs(input: IBlankInput): IBlank | null {
  if (input.shown > 0) {
    return null;
  }
  if (!input.hasDocument) {
    return blank('no-notebook', { action: 'open-notebook' });
  }
  if (
    input.kernel === null ||
    input.guard === null ||
    input.guard.phase === 'dead'
  ) {
    return blank('no-kernel', { action: 'choose-kernel' });
  }
  switch (input.guard.phase) {
    case 'starting':
      return blank('starting');
    case 'loading':
      return blank('loading');
    case 'not-python':
      return blank('not-python', {
        detail: input.guard.language,
        action: 'choose-kernel'
      });
    case 'not-loaded':
      return blank('not-loaded', { action: 'load-guard' });
    case 'not-installed':
      return blank('not-installed', {
        detail: input.guard.command,
        action: 'copy-install',
        copy: input.guard.command
      });
    case 'elsewhere':
      return blank('elsewhere');
    case 'failed':
      return blank('load-failed', {
        detail: input.guard.message,
        action: 'load-guard'
      });
    default:
      return input.rows > 0 ? blank('no-match') : blank('no-jobs');
  }
}

/**
 * A failed request, or a problem that AWS reported, as a blank state or a notice.
 */
export function blankProblem(problem: Failure | IProblem): IBlank {
  const missing = problem.code === 'server-missing';
  return blank('problem', {
    code: problem.code,
    detail: problem.message,
    remedy: problem.remedy || null,
    action: missing ? 'copy-server-check' : 'retry',
    copy: missing ? SERVER_CHECK : null
  });
}
