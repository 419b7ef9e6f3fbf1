import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { ICard, ISubject } from '../generated/records';
import { controlTitle } from '../generated/words';
import { cardView, type ICardLine } from '../model/card';
import { diffOfChanges, diffOfPatch } from '../model/format';
import type { ISendReply } from '../model/session';
import { Mark } from './chips';
import { useCopied } from './copied';
import { Diff, Findings, StatementText } from './details';
import { lostText, sentText, stateText, verdictText } from './text';

/** What a card needs beside its data. */
export interface ICardProps {
  card: ICard;
  /** Whether the kernel process that made the card still holds its request. */
  canSend: boolean;
  trans: TranslationBundle;
  send: () => Promise<ISendReply>;
  /** Open a menu of code to copy below the button; `onCopied` hears what was. */
  openCodeMenu: (anchor: HTMLElement, onCopied: (what: string) => void) => void;
}

type Sending =
  | { phase: 'idle' }
  | { phase: 'waiting' }
  | { phase: 'done'; reply: ISendReply };

/**
 * The card under a cell.
 */
export function CardView(props: ICardProps): JSX.Element {
  const { card } = props;
  return (
    <div className="jp-SecureMl-cards">
      {card.report.subjects.map((subject, index) => (
        <SubjectCard key={index} {...props} subject={subject} />
      ))}
    </div>
  );
}

function SubjectCard(props: ICardProps & { subject: ISubject }): JSX.Element {
  const { card, subject, trans } = props;
  const [sending, setSending] = React.useState<Sending>({ phase: 'idle' });
  const [copied, onCopied] = useCopied(trans);
  const wasSent = sending.phase === 'done' && sending.reply.ok;
  const view = cardView(card, subject, wasSent);
  const [open, setOpen] = React.useState<'why' | 'request' | null>(null);
  const id = React.useId();
  const name = subject.name ?? '';

  if (view.isQuiet) {
    return (
      <div
        className="jp-SecureMl-quiet"
        role="group"
        aria-label={trans.__('Secure ML: %1 %2', subject.operation, name)}
      >
        <Mark state="pass" />
        <span>
          {subject.operation} <strong>{name}</strong> {trans.__('compliant')}
        </span>
      </div>
    );
  }

  const send = async () => {
    setSending({ phase: 'waiting' });
    setSending({ phase: 'done', reply: await props.send() });
  };
  const toggle = (part: 'why' | 'request') =>
    setOpen(open === part ? null : part);
  const diff =
    card.changes.length > 0
      ? diffOfChanges(card.changes)
      : diffOfPatch(subject.fix);

  return (
    <div
      className="jp-SecureMl-card"
      role="group"
      aria-label={trans.__('Secure ML: %1 %2', subject.operation, name)}
    >
      <div className="jp-SecureMl-cardHead">
        <span className="jp-SecureMl-cardTitle">
          <span className="jp-SecureMl-brand">{trans.__('Secure ML')}</span>
          {subject.operation} <strong title={name}>{name}</strong>
        </span>
        <span className="jp-SecureMl-sent" data-sent={view.sent}>
          {sentText(view.sent, trans)}
        </span>
      </div>
      <ul className="jp-SecureMl-lines" aria-label={trans.__('Verdict')}>
        {view.iam && (
          <li data-state={view.iam.state}>
            <Mark state={view.iam.state} />
            <span className="jp-SecureMl-control">
              {verdictText(view.iam.verdict, trans)}
            </span>
            <span className="jp-SecureMl-message">
              {view.iam.statements.map((statement, index) => (
                <StatementText key={index} statement={statement} />
              ))}
              {view.iam.question}
            </span>
          </li>
        )}
        {view.lines.map((line, index) => (
          <Line key={index} line={line} trans={trans} />
        ))}
        {view.passed.length > 0 && (
          <li className="jp-SecureMl-passed" data-state="pass">
            <Mark state="pass" />
            <span>
              <span className="jp-SecureMl-hidden">
                {stateText('pass', trans)}:{' '}
              </span>
              {view.passed
                .map(({ control }) => controlTitle(control, trans))
                .join(' · ')}
            </span>
          </li>
        )}
      </ul>
      {diff.length > 0 && (
        <div className="jp-SecureMl-fix">
          <span className="jp-SecureMl-fixTitle" aria-hidden="true">
            {card.action === 'fixed' || wasSent
              ? trans.__('Fixed')
              : trans.__('Fix')}
          </span>
          <Diff lines={diff} trans={trans} />
        </div>
      )}
      <div className="jp-SecureMl-actions">
        {props.canSend && !wasSent && (
          <button
            type="button"
            className="jp-SecureMl-button jp-mod-styled jp-mod-accept"
            disabled={sending.phase === 'waiting'}
            onClick={() => void send()}
          >
            {sending.phase === 'waiting'
              ? trans.__('Sending…')
              : trans.__('Send with fix')}
          </button>
        )}
        {card.code && (
          <button
            type="button"
            className="jp-SecureMl-button jp-mod-styled"
            aria-haspopup="menu"
            onClick={event => props.openCodeMenu(event.currentTarget, onCopied)}
          >
            {trans.__('Copy code')} <span aria-hidden="true">▾</span>
          </button>
        )}
        {subject.findings.length > 0 && (
          <button
            type="button"
            className="jp-SecureMl-button jp-mod-styled"
            aria-expanded={open === 'why'}
            aria-controls={id}
            onClick={() => toggle('why')}
          >
            {trans.__('Why?')}
          </button>
        )}
        {Object.keys(card.request).length > 0 && (
          <button
            type="button"
            className="jp-SecureMl-button jp-mod-styled"
            aria-expanded={open === 'request'}
            aria-controls={id}
            onClick={() => toggle('request')}
          >
            {trans.__('Show request')}
          </button>
        )}
      </div>
      <div aria-live="polite" className="jp-SecureMl-live">
        {sending.phase === 'waiting' && (
          <p className="jp-SecureMl-dim">
            {trans.__(
              'The kernel sends the request with the fix once it is free.'
            )}
          </p>
        )}
        {sending.phase === 'done' && (
          <p data-ok={sending.reply.ok}>
            <Mark state={sending.reply.ok ? 'pass' : 'fail'} />{' '}
            {sending.reply.lost
              ? lostText(sending.reply.lost, trans)
              : sending.reply.message}
          </p>
        )}
        {copied}
      </div>
      <div id={id} hidden={open === null}>
        {open === 'why' && (
          <Findings findings={subject.findings} trans={trans} isOpen />
        )}
        {open === 'request' && (
          <>
            <p className="jp-SecureMl-dim">
              {trans.__(
                'What the check reads is shown; everything else is masked.'
              )}
            </p>
            <pre className="jp-SecureMl-request">
              {JSON.stringify(card.request, null, 2)}
            </pre>
          </>
        )}
      </div>
    </div>
  );
}

function Line(props: {
  line: ICardLine;
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

function severityText(line: ICardLine, trans: TranslationBundle): string {
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
