import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { IStatement } from '../generated/records';
import type { IIamView } from '../model/iam';
import { Mark } from './chips';
import { Fact } from './details';
import { differenceText, verdictText } from './text';

/** How many statements are shown at once. */
const SHOWN = 3;

/** What IAM's row draws. */
export interface IIamProps {
  iam: IIamView;
  /** It is about the request before the fix that was sent. */
  isBefore?: boolean;
  trans: TranslationBundle;
}

/**
 * IAM's answer: the verdict, what it depends on, each statement that decides, and where
 * the baseline's answer differs.
 */
export function IamRow(props: IIamProps): JSX.Element {
  const { iam, isBefore, trans } = props;
  const differs = differenceText(iam.verdict, iam.baseline, trans);
  return (
    <li
      className="jp-SecureMl-iam"
      data-state={iam.state}
      data-mended={isBefore || undefined}
    >
      <Mark state={iam.state} />
      <span className="jp-SecureMl-control">
        {verdictText(iam.verdict, trans)}
      </span>
      <div className="jp-SecureMl-message">
        {iam.question && <p>{iam.question}</p>}
        {iam.outcomes.length > 0 && (
          <ul
            className="jp-SecureMl-outcomes"
            aria-label={trans.__('What each answer means')}
          >
            {iam.outcomes.map((outcome, index) => (
              <li key={index}>{outcome}</li>
            ))}
          </ul>
        )}
        <Statements statements={iam.statements} trans={trans} />
        {iam.unsatisfiable.length > 0 && (
          <p>
            {trans.__(
              'No request like this one can pass, whatever is changed: %1',
              iam.unsatisfiable.join(', ')
            )}
          </p>
        )}
        {differs && <p>{differs}</p>}
      </div>
      {isBefore && (
        <span className="jp-SecureMl-severity">
          {trans.__('before the fix')}
        </span>
      )}
    </li>
  );
}

/** IAM's row where no other row stands beside it. */
export function IamBlock(props: IIamProps): JSX.Element {
  return (
    <ul className="jp-SecureMl-lines" aria-label={props.trans.__('IAM')}>
      <IamRow {...props} />
    </ul>
  );
}

function Statements(props: {
  statements: readonly IStatement[];
  trans: TranslationBundle;
}): JSX.Element | null {
  const { statements, trans } = props;
  const [isOpen, setOpen] = React.useState(false);
  const id = React.useId();
  const more = statements.length - SHOWN;
  if (statements.length === 0) {
    return null;
  }
  const items = (some: readonly IStatement[]) =>
    some.map((statement, index) => (
      <li key={index}>
        <StatementName statement={statement} trans={trans} />
        {statement.why && ` · ${statement.why}`}
      </li>
    ));
  const label = trans.__('Statements that decide');
  return (
    <>
      <ul className="jp-SecureMl-statements" aria-label={label}>
        {items(statements.slice(0, SHOWN))}
      </ul>
      {more > 0 && (
        <>
          <ul
            id={id}
            className="jp-SecureMl-statements"
            aria-label={label}
            hidden={!isOpen}
          >
            {items(statements.slice(SHOWN))}
          </ul>
          <button
            type="button"
            className="jp-SecureMl-more"
            aria-expanded={isOpen}
            aria-controls={id}
            onClick={() => setOpen(!isOpen)}
          >
            {isOpen
              ? trans.__('show fewer')
              : trans._n('and %1 more', 'and %1 more', more)}
          </button>
        </>
      )}
    </>
  );
}

/** How a statement is called: `scp:1 "DenyNoVpc"`; its policy is told on hover. */
function StatementName(props: {
  statement: IStatement;
  trans: TranslationBundle;
}): JSX.Element {
  const { statement, trans } = props;
  const { layer, policy, sid, index } = statement;
  // A policy without a name is called by its place: identity[0].
  const isPlace = policy.startsWith(`${layer}[`);
  const parts = sid
    ? [layer, `"${sid}"`]
    : [
        isPlace ? '' : layer,
        policy,
        index >= 0 ? trans.__('statement %1', index) : ''
      ];
  return (
    <code title={policy ? trans.__('Policy %1', policy) : undefined}>
      {parts.filter(Boolean).join(' ')}
    </code>
  );
}

/**
 * The statements in full: the policy that holds each, and what it looks at.
 */
export function IamWhy(props: IIamProps): JSX.Element | null {
  const { iam, trans } = props;
  if (iam.statements.length === 0) {
    return null;
  }
  return (
    <ul className="jp-SecureMl-findings" aria-label={trans.__('IAM')}>
      {iam.statements.map((statement, index) => (
        <li key={index}>
          <details open>
            <summary>
              <Mark state={iam.state} />
              <span>
                <strong>{trans.__('IAM')}</strong>{' '}
                <StatementName statement={statement} trans={trans} />
              </span>
            </summary>
            <dl className="jp-SecureMl-facts">
              {statement.why && (
                <Fact term={trans.__('Why')}>{statement.why}</Fact>
              )}
              <Fact term={trans.__('Layer')}>
                <code>{statement.layer}</code>
              </Fact>
              {statement.policy && (
                <Fact term={trans.__('Policy')}>
                  <code>{statement.policy}</code>
                  {statement.index >= 0 &&
                    `, ${trans.__('statement %1', statement.index)}`}
                </Fact>
              )}
            </dl>
          </details>
        </li>
      ))}
    </ul>
  );
}
