import type { TranslationBundle } from '@jupyterlab/translation';
import type { JobKind, Mode, State } from '../generated/records';
import type { BlankAction, IBlank } from '../model/blank';
import type { SentWord } from '../model/card';
import { ageOf } from '../model/format';
import type { Answer, Baseline } from '../model/iam';
import type { JobGroup } from '../model/jobs';
import type { GuardState, LostReason } from '../model/session';

/** The word for a state; it always stands beside the shape. */
export function stateText(state: State, trans: TranslationBundle): string {
  switch (state) {
    case 'fail':
      return trans.__('fails');
    case 'warn':
      return trans.__('warns');
    case 'depends':
      return trans.__('depends');
    case 'pass':
      return trans.__('passes');
    case 'exempt':
      return trans.__('exempt');
    default:
      return trans.__('not applicable');
  }
}

/** A mode's name and what it does. */
export function modeText(
  mode: Mode,
  trans: TranslationBundle
): { title: string; effect: string } {
  switch (mode) {
    case 'observe':
      return {
        title: trans.__('observe'),
        effect: trans.__('Record findings, show nothing, send')
      };
    case 'block':
      return {
        title: trans.__('block'),
        effect: trans.__('Do not send what breaks a rule')
      };
    case 'fix':
      return {
        title: trans.__('fix'),
        effect: trans.__('Mend from the profile, show, then send')
      };
    default:
      return {
        title: trans.__('warn'),
        effect: trans.__('Show findings, then send')
      };
  }
}

/** The guard of a kernel in a word or two. */
export function guardText(
  state: GuardState | null,
  trans: TranslationBundle
): string {
  switch (state?.phase) {
    case 'loaded':
      return modeText(state.mode, trans).title;
    case 'starting':
    case 'loading':
      return trans.__('starting');
    case 'not-loaded':
      return trans.__('off');
    case 'not-installed':
      return trans.__('not installed');
    case 'failed':
    case 'elsewhere':
      return trans.__('failed');
    default:
      return trans.__('none');
  }
}

/** How long ago, e.g. "3 min". */
export function ageText(
  iso: string,
  now: number,
  trans: TranslationBundle
): string {
  const age = ageOf(iso, now);
  if (!age) {
    return '';
  }
  switch (age.unit) {
    case 'second':
      return age.value < 5 ? trans.__('now') : trans.__('%1 s', age.value);
    case 'minute':
      return trans.__('%1 min', age.value);
    case 'hour':
      return trans.__('%1 h', age.value);
    default:
      return trans._n('%1 day', '%1 days', age.value);
  }
}

/** The kind of a job, as people call it. */
export function kindText(kind: JobKind, trans: TranslationBundle): string {
  switch (kind) {
    case 'training':
      return trans.__('training');
    case 'processing':
      return trans.__('processing');
    case 'tuning':
      return trans.__('tuning');
    case 'transform':
      return trans.__('transform');
    case 'automl':
      return trans.__('AutoML');
    case 'compilation':
      return trans.__('compilation');
    case 'labeling':
      return trans.__('labelling');
    case 'model':
      return trans.__('model');
    case 'endpoint-config':
      return trans.__('endpoint config');
    case 'endpoint':
      return trans.__('endpoint');
    case 'pipeline':
      return trans.__('pipeline');
    case 'pipeline-execution':
      return trans.__('pipeline run');
    case 'notebook-instance':
      return trans.__('notebook instance');
    case 'domain':
      return trans.__('Studio domain');
    case 'monitoring':
      return trans.__('monitoring');
    case 'feature-group':
      return trans.__('feature group');
    default:
      return trans.__('other');
  }
}

/** The status of a job: the words of AWS as they are, ours translated. */
export function statusText(status: string, trans: TranslationBundle): string {
  switch (status) {
    case 'Sending':
      return trans.__('Sending');
    case 'Submitted':
      return trans.__('Submitted');
    case 'NotSent':
      return trans.__('Not sent');
    case 'Refused':
      return trans.__('Refused');
    default:
      return status;
  }
}

/** A group of states in the filter. */
export function groupText(
  group: JobGroup | 'all',
  trans: TranslationBundle
): string {
  switch (group) {
    case 'running':
      return trans.__('Under way');
    case 'done':
      return trans.__('Completed');
    case 'ended':
      return trans.__('Failed or stopped');
    case 'unsent':
      return trans.__('Not sent');
    default:
      return trans.__('All states');
  }
}

/** What became of the request a card is about. */
export function sentText(word: SentWord, trans: TranslationBundle): string {
  switch (word) {
    case 'not-sent':
      return trans.__('not sent');
    case 'dry-run':
      return trans.__('dry run, not sent');
    case 'sent-with-fix':
      return trans.__('sent with fix');
    default:
      return trans.__('sent');
  }
}

/** What IAM would do. */
export function verdictText(verdict: Answer, trans: TranslationBundle): string {
  switch (verdict) {
    case 'allowed':
      return trans.__('IAM would allow this');
    case 'depends':
      return trans.__("IAM's answer depends");
    case 'implicitly-denied':
      return trans.__('IAM would not allow this');
    default:
      return trans.__('IAM would deny this');
  }
}

/** Where the two answers differ, IAM's and the baseline's; null where they agree. */
export function differenceText(
  verdict: Answer,
  baseline: Baseline,
  trans: TranslationBundle
): string | null {
  switch (`${verdict} ${baseline}` as const) {
    case 'allowed error':
      return trans.__('IAM allows it, the baseline does not');
    case 'allowed warning':
      return trans.__('IAM allows it, the baseline warns');
    case 'explicitly-denied warning':
      return trans.__('IAM denies it, the baseline only warns');
    case 'explicitly-denied content':
      return trans.__('IAM denies it, the baseline has no objection');
    case 'implicitly-denied warning':
      return trans.__('IAM does not allow it, the baseline only warns');
    case 'implicitly-denied content':
      return trans.__('IAM does not allow it, the baseline has no objection');
    case 'depends error':
      return trans.__('IAM may allow it, the baseline does not');
    case 'depends content':
      return trans.__('IAM may deny it, the baseline has no objection');
    default:
      return null;
  }
}

/** The sentence of a blank state. */
export function blankText(blank: IBlank, trans: TranslationBundle): string {
  switch (blank.kind) {
    case 'no-notebook':
      return trans.__('Open a notebook to see the jobs it submits.');
    case 'no-kernel':
      return trans.__(
        'This notebook has no running kernel, so nothing is guarded.'
      );
    case 'starting':
      return trans.__('The kernel is starting.');
    case 'loading':
      return trans.__('The guard is being loaded into the kernel.');
    case 'not-python':
      return trans.__(
        'This kernel speaks %1; the guard works in Python kernels.',
        blank.detail ?? '?'
      );
    case 'not-loaded':
      return trans.__(
        'The guard is not loaded in this kernel, so its requests are sent unchecked.'
      );
    case 'not-installed':
      return trans.__(
        "secure_ml_ext is not installed in this kernel's environment. Install it there, then restart the kernel."
      );
    case 'load-failed':
      return trans.__(
        'The guard could not be loaded, so requests are sent unchecked.'
      );
    case 'no-match':
      return trans.__('No job matches the filter.');
    case 'no-jobs':
      return trans.__(
        'This kernel has submitted no SageMaker job yet. Jobs appear here the moment they are sent.'
      );
    case 'elsewhere':
      return trans.__(
        'Another view holds the connection to this kernel. Close it, or reload this page.'
      );
    default:
      return problemText(blank, trans).message;
  }
}

/**
 * What happened and what to do: the server's words, or ours where it said nothing.
 */
export function problemText(
  blank: IBlank,
  trans: TranslationBundle
): { message: string; remedy: string } {
  switch (blank.code) {
    case 'server-missing':
      return {
        message: trans.__('The server extension secure_ml_ext is not running.'),
        remedy: trans.__(
          'Install secure_ml_ext in the environment that runs the Jupyter server, then restart the server.'
        )
      };
    case 'server-unreachable':
      return {
        message: trans.__('The Jupyter server does not answer.'),
        remedy: trans.__(
          'Wait until the connection is back, or start the server again.'
        )
      };
    case 'unauthorized':
      return {
        message: trans.__('The Jupyter server refused the request.'),
        remedy: trans.__('Sign in to Jupyter again, then reload the page.')
      };
    case 'unexpected':
      return {
        message: trans.__(
          'The Jupyter server gave an answer that cannot be read (%1).',
          blank.detail ?? ''
        ),
        remedy: trans.__('The log of the server says why.')
      };
    default:
      return { message: blank.detail ?? '', remedy: blank.remedy ?? '' };
  }
}

/** Why the kernel will not answer any more. */
export function lostText(reason: LostReason, trans: TranslationBundle): string {
  switch (reason) {
    case 'restarted':
      return trans.__(
        'The kernel was restarted and no longer holds this request. Run the cell again.'
      );
    case 'unloaded':
      return trans.__(
        'The guard was unloaded and no longer holds this request. Run the cell again.'
      );
    default:
      return trans.__(
        'The kernel no longer holds this request. Run the cell again.'
      );
  }
}

/** The label of a blank state's button. */
export function actionText(
  action: BlankAction,
  trans: TranslationBundle
): string {
  switch (action) {
    case 'open-notebook':
      return trans.__('New notebook');
    case 'choose-kernel':
      return trans.__('Choose kernel');
    case 'load-guard':
      return trans.__('Load guard');
    case 'copy-install':
      return trans.__('Copy install command');
    case 'copy-server-check':
      return trans.__('Copy check command');
    default:
      return trans.__('Try again');
  }
}
