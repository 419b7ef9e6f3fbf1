import type { IIam, IStatement, ISubject, State } from '../generated/records';

/** What IAM would decide, where it was asked. */
export type Answer = Exclude<IIam['verdict'], 'not-evaluated'>;

/** The gravest thing that the baseline says: notes and waived findings count as nothing. */
export type Baseline = 'error' | 'warning' | 'content';

/** IAM's answer, and the baseline's beside it. */
export interface IIamView {
  verdict: Answer;
  state: State;
  /** What would have to be known; the outcomes say what each answer to it means. */
  question: string | null;
  outcomes: string[];
  /** The statements that decide. */
  statements: IStatement[];
  /** Statements that no change to the request can satisfy. */
  unsatisfiable: string[];
  baseline: Baseline;
}

const STATES: Readonly<Record<Answer, State>> = {
  allowed: 'pass',
  'explicitly-denied': 'fail',
  'implicitly-denied': 'fail',
  depends: 'depends'
};

const GRAVITY: readonly Answer[] = [
  'allowed',
  'depends',
  'implicitly-denied',
  'explicitly-denied'
];

/**
 * IAM's answer to a request; null where no policies were given, or where the verdict is
 * none that this version knows. Reports of older guards lack members, and are read too.
 */
export function iamView(subject: ISubject): IIamView | null {
  const iam: Partial<IIam> = subject.iam;
  const verdict = iam.verdict as Answer;
  if (!Object.prototype.hasOwnProperty.call(STATES, verdict)) {
    return null;
  }
  return {
    verdict,
    state: STATES[verdict],
    question: iam.question || null,
    outcomes: verdict === 'depends' ? (iam.outcomes ?? []) : [],
    statements: (iam.statements ?? []).map(statement => ({
      ...statement,
      why: reasonOf(statement, subject.operation)
    })),
    unsatisfiable: iam.unsatisfiable ?? [],
    baseline: baselineOf(subject)
  };
}

/** The gravest of IAM's answers to several requests; null where it was not asked. */
export function gravest(subjects: readonly ISubject[]): IIamView | null {
  let found: IIamView | null = null;
  for (const subject of subjects) {
    const view = iamView(subject);
    if (
      view &&
      (!found || GRAVITY.indexOf(view.verdict) > GRAVITY.indexOf(found.verdict))
    ) {
      found = view;
    }
  }
  return found;
}

/** The gravest finding that nobody has waived. */
export function baselineOf(subject: ISubject): Baseline {
  const open = subject.findings.filter(({ waiver }) => !waiver);
  return (
    (['error', 'warning'] as const).find(severity =>
      open.some(finding => finding.severity === severity)
    ) ?? 'content'
  );
}

/** Why a statement decides, without the action that the headline names. */
function reasonOf(statement: IStatement, operation: string): string {
  const why = statement.why ?? '';
  const start = ['denies', 'would deny']
    .map(verb => `${verb} sagemaker:${operation}: `)
    .find(text => why.startsWith(text));
  return start ? why.slice(start.length) : why;
}
