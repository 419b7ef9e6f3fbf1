import type {
  ICard,
  IControlState,
  IFinding,
  IStatement,
  ISubject,
  State,
  Verdict
} from '../generated/records';
import { STATE_SYMBOLS } from '../generated/words';
import { pathOf, sortControls } from './format';
import { alikeFindings, isMended } from './mended';

/** One reason in a line; its place is told where others read the same. */
export interface ICardMessage {
  text: string;
  path: string | null;
  /** It was so before the fix. */
  isMended: boolean;
}

/** One line of the card's verdicts. */
export interface ICardLine {
  control: string;
  state: State;
  /** Why: the findings of this control, or the note beside its state. */
  messages: ICardMessage[];
  severity: IFinding['severity'] | null;
  /** All of it was so before the fix. */
  isMended: boolean;
}

/** The verdict of IAM in a line; absent where no policies were given. */
export interface IIamLine {
  verdict: Verdict;
  state: State;
  statements: IStatement[];
  question: string | null;
}

/** What stands at the right of the card's title. */
export type SentWord = 'not-sent' | 'sent' | 'sent-with-fix' | 'dry-run';

/**
 * What a card says of one request, in the order in which it says it.
 */
export interface ICardView {
  subject: ISubject;
  isQuiet: boolean;
  sent: SentWord;
  iam: IIamLine | null;
  /** Controls that want attention, the worst first. */
  lines: ICardLine[];
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

const VERDICT_STATE: Readonly<Record<Verdict, State>> = {
  allowed: 'pass',
  'explicitly-denied': 'fail',
  'implicitly-denied': 'fail',
  depends: 'depends',
  'not-evaluated': 'na'
};

/**
 * Whether anything that a saved output may hold can be shown as a card.
 *
 * A saved notebook can hold anything under our MIME type; what does not have the
 * shape of a card is refused as a whole. Strings are shown as text, whatever they hold.
 */
export function readCard(data: unknown): ICard | null {
  if (
    !isObject(data) ||
    !isObject(data.report) ||
    !Array.isArray(data.report.subjects)
  ) {
    return null;
  }
  const subjects = data.report.subjects;
  if (subjects.length === 0 || !subjects.every(isSubject)) {
    return null;
  }
  const code = isObject(data.code) ? data.code : null;
  return {
    report: data.report as unknown as ICard['report'],
    mode: text(data.mode, 'warn') as ICard['mode'],
    action: text(data.action, 'warned') as ICard['action'],
    held: typeof data.held === 'string' ? data.held : null,
    kernel: typeof data.kernel === 'string' ? data.kernel : null,
    changes: list(data.changes).filter(
      (change): change is ICard['changes'][number] =>
        isObject(change) && typeof change.path === 'string'
    ),
    code: code && {
      v3: text(code.v3, ''),
      v2: text(code.v2, ''),
      boto3: text(code.boto3, '')
    },
    request: isObject(data.request) ? data.request : {}
  };
}

/**
 * The picture of one subject of a card.
 *
 * @param wasSent - Whether it was sent with its fix since the card was made.
 */
export function cardView(
  card: ICard,
  subject: ISubject,
  wasSent = false
): ICardView {
  const sent = wasSent ? 'sent-with-fix' : sentWord(card);
  const alike = alikeFindings(subject.findings);
  const messageOf = (finding: IFinding): ICardMessage => ({
    text: finding.message,
    path: alike.has(finding) ? pathOf(finding.pointer ?? '') || null : null,
    isMended:
      sent === 'sent-with-fix' &&
      !finding.waiver &&
      isMended(finding, subject.fix)
  });
  const controls = sortControls(subject.controls).filter(
    ({ state }) => state in STATE_SYMBOLS
  );
  const open = controls.filter(({ state }) =>
    ['fail', 'warn', 'depends'].includes(state)
  );
  const lines = open
    .map((control): ICardLine => {
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
    if (!shown.has(finding.control) && finding.waiver === null) {
      lines.push({
        control: finding.control,
        state: stateOf(finding.severity),
        messages: [messageOf(finding)],
        severity: finding.severity,
        isMended: messageOf(finding).isMended
      });
    }
  }
  const { verdict, statements, question } = subject.iam;
  const iam =
    verdict === 'not-evaluated' || !(verdict in VERDICT_STATE)
      ? null
      : { verdict, state: VERDICT_STATE[verdict], statements, question };
  return {
    subject,
    isQuiet:
      lines.length === 0 &&
      (iam === null || iam.state === 'pass') &&
      card.action !== 'fixed',
    sent,
    iam,
    lines,
    passed: controls.filter(({ state }) => state === 'pass')
  };
}

function sentWord(card: ICard): SentWord {
  switch (card.action) {
    case 'blocked':
      return 'not-sent';
    case 'dry-run':
      return 'dry-run';
    case 'fixed':
    case 'resent':
      return 'sent-with-fix';
    default:
      return 'sent';
  }
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

function isSubject(data: unknown): boolean {
  return (
    isObject(data) &&
    typeof data.operation === 'string' &&
    isListOf(
      data.controls,
      control => isText(control.control) && isText(control.state)
    ) &&
    isListOf(
      data.findings,
      finding =>
        isText(finding.rule) &&
        isText(finding.control) &&
        isText(finding.message) &&
        Array.isArray(finding.references) &&
        Array.isArray(finding.missing)
    ) &&
    isObject(data.iam) &&
    isListOf(data.iam.statements, statement => isText(statement.layer)) &&
    isListOf(data.fix, step => isText(step.path))
  );
}

function isListOf(
  data: unknown,
  test: (item: Record<string, unknown>) => boolean
): boolean {
  return (
    Array.isArray(data) && data.every(item => isObject(item) && test(item))
  );
}

function isObject(data: unknown): data is Record<string, unknown> {
  return typeof data === 'object' && data !== null && !Array.isArray(data);
}

function isText(data: unknown): data is string {
  return typeof data === 'string';
}

function text(data: unknown, otherwise: string): string {
  return typeof data === 'string' ? data : otherwise;
}

function list(data: unknown): unknown[] {
  return Array.isArray(data) ? data : [];
}
