import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { INote, State } from '../generated/records';
import { diffOfPatch } from '../model/format';
import { stepCounts, stepName, type IStepsView } from '../model/steps';
import type { ISubjectView } from '../model/subject';
import { Counts, IamChip, Mark } from './chips';
import { Findings } from './details';
import { IamWhy } from './iam';
import { Fix, SubjectLines } from './subject';

/** What the list of steps draws. */
export interface IStepsProps {
  steps: IStepsView;
  trans: TranslationBundle;
  /** Copy a step's fix; without it there is no such button. */
  onCopy?: (what: string, text: string) => void;
}

/**
 * The steps of a pipeline: a row for each about which something is to be said, and one
 * line for all others.
 */
export function Steps(props: IStepsProps): JSX.Element | null {
  const { steps, trans } = props;
  if (steps.rows.length + steps.calm.length === 0) {
    return null;
  }
  return (
    <div className="jp-SecureMl-steps">
      {steps.rows.length > 0 && (
        <ul aria-label={trans.__('Steps')}>
          {steps.rows.map((view, index) => (
            <StepRow
              key={index}
              {...props}
              view={view}
              isFirstOpen={steps.rows.length === 1}
            />
          ))}
        </ul>
      )}
      {steps.calm.length > 0 && <CalmSteps {...props} />}
    </div>
  );
}

/**
 * What was seen and not checked, and why.
 */
export function ReportNotes(props: {
  notes: readonly INote[] | undefined;
  trans: TranslationBundle;
}): JSX.Element | null {
  const { notes, trans } = props;
  return !notes || notes.length === 0 ? null : (
    <ul
      className="jp-SecureMl-reportNotes"
      aria-label={trans.__('Seen and not checked')}
    >
      {notes.map(({ path, where, message }, index) => {
        const place = [path, where].filter(Boolean).join(' ');
        return (
          <li key={index}>
            <Mark state="na" />
            <span>{place ? `${place}: ${message}` : message}</span>
          </li>
        );
      })}
    </ul>
  );
}

function StepRow(
  props: IStepsProps & { view: ISubjectView; isFirstOpen: boolean }
): JSX.Element {
  const { view, trans } = props;
  const [isOpen, setOpen] = React.useState(props.isFirstOpen);
  const id = React.useId();
  const { name, inside } = stepName(view.subject);
  return (
    <li className="jp-SecureMl-step">
      {/* The button carries the keyboard; a click anywhere on the line does the same. */}
      <div className="jp-SecureMl-stepLine" onClick={() => setOpen(!isOpen)}>
        <span className="jp-SecureMl-stepTitle">
          <button
            type="button"
            className="jp-SecureMl-disclose"
            aria-expanded={isOpen}
            aria-controls={id}
            onClick={event => {
              event.stopPropagation();
              setOpen(!isOpen);
            }}
          >
            {name}
          </button>
          {inside && <span className="jp-SecureMl-inside">{inside}</span>}
          <span className="jp-SecureMl-inside">{view.subject.operation}</span>
        </span>
        <StepCounts view={view} trans={trans} />
      </div>
      <div id={id} className="jp-SecureMl-stepBody" hidden={!isOpen}>
        {isOpen && <StepBody {...props} />}
      </div>
    </li>
  );
}

function StepBody(props: IStepsProps & { view: ISubjectView }): JSX.Element {
  const { view, trans, onCopy } = props;
  const { findings, fix } = view.subject;
  const [isOpen, setOpen] = React.useState(false);
  const id = React.useId();
  const hasWhy = findings.length > 0 || !!view.iam?.statements.length;
  return (
    <>
      <SubjectLines view={view} trans={trans} />
      <Fix lines={diffOfPatch(fix)} isFixed={view.isFixed} trans={trans} />
      <div className="jp-SecureMl-actions">
        {hasWhy && (
          <button
            type="button"
            className="jp-SecureMl-button jp-mod-styled"
            aria-expanded={isOpen}
            aria-controls={id}
            onClick={() => setOpen(!isOpen)}
          >
            {trans.__('Why?')}
          </button>
        )}
        {onCopy && fix.length > 0 && (
          <button
            type="button"
            className="jp-SecureMl-button jp-mod-styled"
            title={trans.__(
              "As JSON Patch (RFC 6902), relative to the step's arguments"
            )}
            onClick={() =>
              onCopy(trans.__('JSON Patch'), JSON.stringify(fix, null, 2))
            }
          >
            {trans.__('Copy fix')}
          </button>
        )}
      </div>
      <div id={id} hidden={!isOpen}>
        {isOpen && (
          <>
            {view.iam && <IamWhy iam={view.iam} trans={trans} />}
            <Findings findings={findings} trans={trans} isOpen />
          </>
        )}
      </div>
    </>
  );
}

function StepCounts(props: {
  view: ISubjectView;
  trans: TranslationBundle;
}): JSX.Element {
  const { view, trans } = props;
  const { errors, warnings, notes, open } = stepCounts(view);
  const counts: { state: State; count: number; word: string }[] = [
    {
      state: 'fail' as const,
      count: errors,
      word: trans._n('error', 'errors', errors)
    },
    {
      state: 'warn' as const,
      count: warnings + notes,
      word: warningWord(warnings, notes, trans)
    },
    { state: 'depends' as const, count: open, word: trans.__('decided later') }
  ].filter(({ count }) => count > 0);
  return (
    <span className="jp-SecureMl-stepCounts">
      {view.iam && (
        <ul className="jp-SecureMl-chips" aria-label={trans.__('IAM')}>
          <IamChip iam={view.iam} trans={trans} />
        </ul>
      )}
      {counts.length > 0 && (
        <Counts counts={counts} label={trans.__('Findings')} />
      )}
    </span>
  );
}

function warningWord(
  warnings: number,
  notes: number,
  trans: TranslationBundle
): string {
  if (notes === 0) {
    return trans._n('warning', 'warnings', warnings);
  }
  return warnings === 0
    ? trans._n('note', 'notes', notes)
    : trans.__('warnings and notes');
}

function CalmSteps(props: IStepsProps): JSX.Element {
  const { steps, trans } = props;
  const [isOpen, setOpen] = React.useState(false);
  const id = React.useId();
  const count = steps.calm.length;
  const isAllowed = steps.calm.every(({ iam }) => iam !== null);
  return (
    <div className="jp-SecureMl-calm">
      <button
        type="button"
        className="jp-SecureMl-disclose"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setOpen(!isOpen)}
      >
        <Mark state="pass" />{' '}
        {isAllowed
          ? trans._n(
              '%1 step compliant, allowed by IAM',
              '%1 steps compliant, allowed by IAM',
              count
            )
          : trans._n('%1 step compliant', '%1 steps compliant', count)}
      </button>
      <ul id={id} hidden={!isOpen} aria-label={trans.__('Compliant steps')}>
        {isOpen &&
          steps.calm.map(({ subject }, index) => {
            const { name, inside } = stepName(subject);
            return (
              <li key={index}>
                {name}{' '}
                <span className="jp-SecureMl-inside">
                  {[inside, subject.operation].filter(Boolean).join(' · ')}
                </span>
              </li>
            );
          })}
      </ul>
    </div>
  );
}
