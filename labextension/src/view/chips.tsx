import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { IControlState, State } from '../generated/records';
import { CHIP_LABELS, controlTitle, STATE_SYMBOLS } from '../generated/words';
import { countStates } from '../model/format';
import type { IIamView } from '../model/iam';
import { stateText, verdictText } from './text';

/**
 * The shape of a state; its word stands beside it or in its name.
 */
export function Mark(props: { state: State }): JSX.Element {
  return (
    <span
      className="jp-SecureMl-mark"
      data-state={props.state}
      aria-hidden="true"
    >
      {STATE_SYMBOLS[props.state]}
    </span>
  );
}

/**
 * One control of a job: its short name and the shape of its state.
 */
export function Chip(props: {
  control: IControlState;
  trans: TranslationBundle;
}): JSX.Element {
  const { control, trans } = props;
  const label =
    (CHIP_LABELS as Record<string, string>)[control.control] ?? control.control;
  const word = stateText(control.state, trans);
  const text = `${controlTitle(control.control, trans)}: ${word}`;
  return (
    <li
      className="jp-SecureMl-chip"
      data-state={control.state}
      title={control.note ? `${text} — ${control.note}` : text}
    >
      <span aria-hidden="true">{label}</span>
      <Mark state={control.state} />
      <span className="jp-SecureMl-hidden">{text}</span>
    </li>
  );
}

/**
 * IAM's answer as a chip.
 */
export function IamChip(props: {
  iam: IIamView;
  trans: TranslationBundle;
}): JSX.Element {
  const { iam, trans } = props;
  const text = verdictText(iam.verdict, trans);
  return (
    <li className="jp-SecureMl-chip" data-state={iam.state} title={text}>
      <span aria-hidden="true">{trans.__('IAM')}</span>
      <Mark state={iam.state} />
      <span className="jp-SecureMl-hidden">{text}</span>
    </li>
  );
}

/**
 * A count per state, for where there is no room for one chip per control.
 */
export function Counts(props: {
  counts: readonly { state: State; count: number; word: string }[];
  label: string;
}): JSX.Element {
  return (
    <ul className="jp-SecureMl-counts" aria-label={props.label}>
      {props.counts.map(({ state, count, word }) => (
        <li
          key={state}
          className="jp-SecureMl-chip"
          data-state={state}
          title={`${count} ${word}`}
        >
          <Mark state={state} />
          <span aria-hidden="true">{count}</span>
          <span className="jp-SecureMl-hidden">{`${count} ${word}`}</span>
        </li>
      ))}
    </ul>
  );
}

/**
 * The chips of a job: IAM's answer, then its controls. In a narrow panel they fold into one
 * count (see `jobs.css`); what is folded away is folded away for screen readers too.
 */
export function Chips(props: {
  controls: readonly IControlState[];
  iam: IIamView | null;
  trans: TranslationBundle;
}): JSX.Element {
  const { controls, iam, trans } = props;
  // Narrow: what wants attention; all is well is one tick.
  const counts = countStates(iam ? [iam, ...controls] : controls)
    .filter(({ state }) => state !== 'na' && state !== 'exempt')
    .map(entry => ({ ...entry, word: stateText(entry.state, trans) }));
  const label = trans.__('Controls');
  return (
    <div className="jp-SecureMl-chipBox">
      <ul className="jp-SecureMl-chips" aria-label={label}>
        {iam && <IamChip iam={iam} trans={trans} />}
        {controls.map(control => (
          <Chip key={control.control} control={control} trans={trans} />
        ))}
      </ul>
      <Counts counts={counts} label={label} />
    </div>
  );
}
