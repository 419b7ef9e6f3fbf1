import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { controlTitle } from '../generated/words';
import type { SentWord } from '../model/card';
import type { IDiffLine } from '../model/format';
import type { IControlLine, ISubjectView } from '../model/subject';
import { Mark } from './chips';
import { Diff } from './details';
import { IamRow } from './iam';
import { sentText, stateText } from './text';

/**
 * What is said of one request: what has to be known about it, IAM's answer, the controls
 * that want attention, and those that pass.
 */
export function SubjectLines(props: {
  view: ISubjectView;
  trans: TranslationBundle;
}): JSX.Element {
  const { view, trans } = props;
  const { iam, lines, passed } = view;
  const { note } = view.subject;
  return (
    <>
      {note && <p className="jp-SecureMl-note">{note}</p>}
      {(iam || lines.length > 0 || passed.length > 0) && (
        <ul className="jp-SecureMl-lines" aria-label={trans.__('Verdict')}>
          {iam && <IamRow iam={iam} isBefore={view.isFixed} trans={trans} />}
          {lines.map((line, index) => (
            <Line key={index} line={line} trans={trans} />
          ))}
          {passed.length > 0 && (
            <li className="jp-SecureMl-passed" data-state="pass">
              <Mark state="pass" />
              <span>
                <span className="jp-SecureMl-hidden">
                  {stateText('pass', trans)}:{' '}
                </span>
                {passed
                  .map(({ control }) => controlTitle(control, trans))
                  .join(' · ')}
              </span>
            </li>
          )}
        </ul>
      )}
    </>
  );
}

/**
 * The difference that the fix makes, or has made.
 */
export function Fix(props: {
  lines: readonly IDiffLine[];
  isFixed: boolean;
  trans: TranslationBundle;
}): JSX.Element | null {
  const { lines, isFixed, trans } = props;
  return lines.length === 0 ? null : (
    <div className="jp-SecureMl-fix">
      <span className="jp-SecureMl-fixTitle" aria-hidden="true">
        {isFixed ? trans.__('Fixed') : trans.__('Fix')}
      </span>
      <Diff lines={lines} trans={trans} />
    </div>
  );
}

/**
 * The one line of a request against which nothing is to be said.
 */
export function QuietLine(props: {
  view: ISubjectView;
  /** What became of it, where that is not plain. */
  sent?: SentWord;
  trans: TranslationBundle;
}): JSX.Element {
  const { view, sent, trans } = props;
  const { operation, name } = view.subject;
  return (
    <div className="jp-SecureMl-quiet">
      <Mark state="pass" />
      <span>
        {operation} <strong>{name}</strong>{' '}
        {view.iam
          ? trans.__('compliant, allowed by IAM')
          : trans.__('compliant')}
        {(sent === 'not-sent' || sent === 'dry-run') &&
          `, ${sentText(sent, trans)}`}
      </span>
    </div>
  );
}

function Line(props: {
  line: IControlLine;
  trans: TranslationBundle;
}): JSX.Element {
  const { line, trans } = props;
  const word = severityText(line, trans);
  return (
    <li data-state={line.state} data-mended={line.isMended || undefined}>
      <Mark state={line.state} />
      <span className="jp-SecureMl-control">
        {controlTitle(line.control, trans)}
      </span>
      <span className="jp-SecureMl-message">
        {line.messages.map(({ text, path, isMended }, index) => (
          <span key={index} data-mended={isMended || undefined}>
            {isMended && !line.isMended
              ? trans.__('before the fix: %1', text)
              : text}
            {path && (
              <>
                {' '}
                <code className="jp-SecureMl-dim">{path}</code>
              </>
            )}
          </span>
        ))}
      </span>
      {line.isMended ? (
        <span
          className="jp-SecureMl-severity"
          title={trans.__('before the fix')}
        >
          {trans.__('was %1', word)}
        </span>
      ) : (
        <span className="jp-SecureMl-severity">{word}</span>
      )}
    </li>
  );
}

function severityText(line: IControlLine, trans: TranslationBundle): string {
  switch (line.severity) {
    case 'error':
      return trans.__('error');
    case 'warning':
      return trans.__('warning');
    case 'info':
      return trans.__('note');
    default:
      return stateText(line.state, trans);
  }
}
