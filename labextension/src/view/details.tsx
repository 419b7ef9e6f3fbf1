import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { IControlState, IFinding } from '../generated/records';
import { controlTitle } from '../generated/words';
import {
  diffOfPatch,
  pathOf,
  sortControls,
  valueText,
  type IDiffLine
} from '../model/format';
import { alikeFindings } from '../model/mended';
import { Mark } from './chips';
import { stateText } from './text';

/**
 * The difference a fix makes: sign, path, value, and where the value came from.
 */
export function Diff(props: {
  lines: readonly IDiffLine[];
  trans: TranslationBundle;
}): JSX.Element {
  const { trans } = props;
  const signs = {
    '+': trans.__('add'),
    '−': trans.__('remove'),
    '~': trans.__('change')
  };
  return (
    <ul className="jp-SecureMl-diff" aria-label={trans.__('Fix')}>
      {props.lines.map((line, index) => (
        <li key={index} data-sign={line.sign}>
          <span aria-hidden="true" className="jp-SecureMl-sign">
            {line.sign}
          </span>
          <span className="jp-SecureMl-hidden">{signs[line.sign]}</span>
          <code>{line.path}</code>
          <span className="jp-SecureMl-value">
            {line.before && (
              <del>
                <Words text={line.before} />
              </del>
            )}
            {line.before && line.after && ' → '}
            <Words text={line.after} />
          </span>
          {line.source && (
            <span className="jp-SecureMl-source">
              {trans.__('from %1', line.source)}
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}

/**
 * A value whose parts break between them rather than at the hyphens of an id.
 */
function Words(props: { text: string }): JSX.Element {
  return (
    <>
      {props.text.split('  ').map((word, index) => (
        <React.Fragment key={index}>
          {index > 0 && ' '}
          <span className="jp-SecureMl-word">{word}</span>
        </React.Fragment>
      ))}
    </>
  );
}

/**
 * The findings of a request: what is wrong, and behind it rule, place, expected and
 * actual, references. `isOpen` shows all of it at once.
 */
export function Findings(props: {
  findings: readonly IFinding[];
  trans: TranslationBundle;
  isOpen?: boolean;
}): JSX.Element {
  const { trans } = props;
  const alike = alikeFindings(props.findings);
  return (
    <ul className="jp-SecureMl-findings" aria-label={trans.__('Findings')}>
      {props.findings.map((finding, index) => (
        <li key={index}>
          <details open={props.isOpen}>
            <summary>
              <Mark state={markOf(finding)} />
              <span>
                <strong>{controlTitle(finding.control, trans)}</strong>{' '}
                {finding.message}
                {alike.has(finding) && finding.pointer && (
                  <>
                    {' '}
                    <code className="jp-SecureMl-dim">
                      {pathOf(finding.pointer)}
                    </code>
                  </>
                )}
              </span>
            </summary>
            <Facts finding={finding} trans={trans} />
          </details>
        </li>
      ))}
    </ul>
  );
}

/**
 * Why a control is neither kept nor broken: what it depends on, or who waived it.
 */
export function Notes(props: {
  controls: readonly IControlState[];
  trans: TranslationBundle;
}): JSX.Element | null {
  const { trans } = props;
  const controls = sortControls([...props.controls]).filter(
    ({ state, note }) => note && (state === 'depends' || state === 'exempt')
  );
  return controls.length === 0 ? null : (
    <ul className="jp-SecureMl-notes" aria-label={trans.__('Notes')}>
      {controls.map(({ control, state, note }, index) => (
        <li key={index}>
          <Mark state={state} />
          <span>
            <span className="jp-SecureMl-hidden">
              {stateText(state, trans)}:{' '}
            </span>
            <strong>{controlTitle(control, trans)}</strong> {note}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Facts(props: {
  finding: IFinding;
  trans: TranslationBundle;
}): JSX.Element {
  const { finding, trans } = props;
  return (
    <dl className="jp-SecureMl-facts">
      {finding.why && <Fact term={trans.__('Why')}>{finding.why}</Fact>}
      <Fact term={trans.__('Rule')}>
        <code>{finding.rule}</code>
      </Fact>
      {finding.pointer && (
        <Fact term={trans.__('Where')}>
          <code>{pathOf(finding.pointer)}</code>
        </Fact>
      )}
      {hasValue(finding.expected) && finding.fix.length === 0 && (
        <Fact term={trans.__('Expected')}>
          <Words text={valueText(finding.expected)} />
        </Fact>
      )}
      {finding.fix.length > 0 && (
        <Fact term={trans.__('Change')}>
          <Diff lines={diffOfPatch(finding.fix)} trans={trans} />
        </Fact>
      )}
      {hasValue(finding.actual) && (
        <Fact term={trans.__('Found')}>
          <Words text={valueText(finding.actual)} />
        </Fact>
      )}
      {finding.missing.map(({ value, looked }) => (
        <Fact key={value} term={trans.__('Missing')}>
          {trans.__('%1, looked in %2', value, looked.join(', '))}
        </Fact>
      ))}
      {finding.waiver && (
        <Fact term={trans.__('Waived')}>
          {[
            finding.waiver.reason,
            finding.waiver.ticket,
            finding.waiver.expires
          ]
            .filter(Boolean)
            .join(' · ')}
        </Fact>
      )}
      {finding.references.length > 0 && (
        <Fact term={trans.__('See')}>
          <Words text={finding.references.join('  ')} />
        </Fact>
      )}
    </dl>
  );
}

/** A term and what is to be known of it, in a list of facts. */
export function Fact(props: {
  term: string;
  children: React.ReactNode;
}): JSX.Element {
  return (
    <div>
      <dt>{props.term}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}

function hasValue(value: unknown): boolean {
  return value !== null && value !== undefined && value !== '';
}

function markOf(finding: IFinding): 'fail' | 'warn' | 'exempt' {
  return finding.waiver
    ? 'exempt'
    : finding.severity === 'error'
      ? 'fail'
      : 'warn';
}
