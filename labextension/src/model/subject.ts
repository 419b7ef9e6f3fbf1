import type {
  IControlState,
  IFinding,
  ISubject,
  State
} from '../generated/records';
import { STATE_SYMBOLS } from '../generated/words';
import { pathOf, sortControls } from './format';
import { iamView, type IIamView } from './iam';
import { alikeFindings, isMended } from './mended';

/** One reason in a line; its place is told where others read the same. */
export interface ILineMessage {
  text: string;
  path: string | null;
  /** It was so before the fix. */
  isMended: boolean;
}

/** What is to be said about one control. */
export interface IControlLine {
  control: string;
  state: State;
  /** Why: the findings of this control, or the note beside its state. */
  messages: ILineMessage[];
  severity: IFinding['severity'] | null;
  /** All of it was so before the fix. */
  isMended: boolean;
}

/**
 * What is said of one request, in the order in which it is said.
 */
export interface ISubjectView {
  subject: ISubject;
  /** Nothing is to be said against it. */
  isQuiet: boolean;
  /** It was changed since: what IAM says is about the request before. */
  isFixed: boolean;
  iam: IIamView | null;
  /** Controls that want attention, the worst first. */
  lines: IControlLine[];
  passed: IControlState[];
}

const URGENCY: Readonly<Record<State, number>> = {
  fail: 0,
  warn: 1,
  depends: 2,
  exempt: 3,
  na: 4,
  pass: 5
};

/**
 * The picture of one subject of a report.
 *
 * @param isFixed - Whether it was sent with its fix.
 */
export function subjectView(subject: ISubject, isFixed = false): ISubjectView {
  const controls = sortControls(subject.controls).filter(
    ({ state }) => state in STATE_SYMBOLS
  );
  const lines = controlLines(subject, controls, isFixed);
  const iam = iamView(subject);
  return {
    subject,
    isQuiet: lines.length === 0 && (iam === null || iam.state === 'pass'),
    isFixed,
    iam,
    lines,
    passed: controls.filter(({ state }) => state === 'pass')
  };
}

function controlLines(
  subject: ISubject,
  controls: readonly IControlState[],
  isFixed: boolean
): IControlLine[] {
  const alike = alikeFindings(subject.findings);
  const messageOf = (finding: IFinding): ILineMessage => ({
    text: finding.message,
    path: alike.has(finding) ? pathOf(finding.pointer ?? '') || null : null,
    isMended: isFixed && !finding.waiver && isMended(finding, subject.fix)
  });
  const lines = controls
    .filter(({ state }) => ['fail', 'warn', 'depends'].includes(state))
    .map((control): IControlLine => {
      const findings = subject.findings.filter(
        ({ control: name }) => name === control.control
      );
      const messages = findings.map(messageOf);
      const left = findings.filter((_, index) => !messages[index]?.isMended);
      const severity = worst(left);
      const isPartly = left.length > 0 && left.length < findings.length;
      return {
        control: control.control,
        // What the fix left decides, where it mended the rest.
        state: isPartly ? stateOf(severity) : control.state,
        messages:
          messages.length > 0
            ? messages
            : control.note
              ? [{ text: control.note, path: null, isMended: false }]
              : [],
        severity: severity ?? worst(findings),
        isMended: findings.length > 0 && left.length === 0
      };
    })
    .sort((a, b) => URGENCY[a.state] - URGENCY[b.state]);
  // A finding whose control has no line of its own must not disappear.
  const shown = new Set(lines.map(({ control }) => control));
  for (const finding of subject.findings) {
    if (!shown.has(finding.control) && !finding.waiver) {
      lines.push({
        control: finding.control,
        state: stateOf(finding.severity),
        messages: [messageOf(finding)],
        severity: finding.severity,
        isMended: messageOf(finding).isMended
      });
    }
  }
  return lines;
}

function stateOf(severity: IFinding['severity'] | null): State {
  return severity === 'error' ? 'fail' : 'warn';
}

function worst(findings: readonly IFinding[]): IFinding['severity'] | null {
  for (const severity of ['error', 'warning', 'info'] as const) {
    if (findings.some(finding => finding.severity === severity)) {
      return severity;
    }
  }
  return null;
}
