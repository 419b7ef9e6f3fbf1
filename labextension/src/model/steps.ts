import type { IControlState, IReport, ISubject } from '../generated/records';
import { sortControls } from './format';
import { subjectView, type ISubjectView } from './subject';

/** What a call brings along: the steps of a pipeline. */
export interface IStepsView {
  /** Steps about which something is to be said, in the report's order. */
  rows: ISubjectView[];
  /** The others: nothing at all is to be said. */
  calm: ISubjectView[];
}

/**
 * The steps of a report: every subject but the first, which is the call itself.
 *
 * @param isFixed - Whether they were changed by the fix that was sent.
 */
export function stepsView(report: IReport, isFixed = false): IStepsView {
  const views = report.subjects
    .slice(1)
    .map(subject => subjectView(subject, isFixed));
  return {
    rows: views.filter(view => !isCalm(view)),
    calm: views.filter(isCalm)
  };
}

/** Whether a step can be counted among others like it. */
function isCalm({ isQuiet, subject }: ISubjectView): boolean {
  return isQuiet && subject.findings.length === 0 && !subject.note;
}

/**
 * What a step is called, and what it lies in: `step Train, in CheckMSE (if)` is `Train`
 * and `in CheckMSE (if)`. A place that is no step's is taken as it is.
 */
export function stepName(subject: ISubject): { name: string; inside: string } {
  const where = subject.where ?? '';
  const found = /^step (.+?)(?:, (in .+))?$/.exec(where);
  return {
    name: found?.[1] ?? (where || subject.name || subject.operation),
    inside: found?.[2] ?? ''
  };
}

/** How many open findings a step has, and how many of its controls are decided later. */
export function stepCounts({ subject, lines }: ISubjectView): {
  errors: number;
  warnings: number;
  notes: number;
  open: number;
} {
  const count = (wanted: string) =>
    subject.findings.filter(
      ({ severity, waiver }) => severity === wanted && !waiver
    ).length;
  return {
    errors: count('error'),
    warnings: count('warning'),
    notes: count('info'),
    open: lines.filter(({ state }) => state === 'depends').length
  };
}

const WORST = ['fail', 'warn', 'depends', 'pass', 'exempt', 'na'];

/** The worst state of each control over all subjects, in the order of the chips. */
export function worstControls(subjects: readonly ISubject[]): IControlState[] {
  const found = new Map<string, IControlState>();
  for (const control of subjects.flatMap(({ controls }) => controls)) {
    const known = found.get(control.control);
    if (!known || WORST.indexOf(control.state) < WORST.indexOf(known.state)) {
      found.set(control.control, control);
    }
  }
  return sortControls([...found.values()]);
}
