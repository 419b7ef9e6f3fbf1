import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { ICard, ISubject } from '../generated/records';
import { cardView, fixesSteps, type ICardView } from '../model/card';
import { diffOfChanges, diffOfPatch } from '../model/format';
import { gravest } from '../model/iam';
import type { ISendReply } from '../model/session';
import { stepsView } from '../model/steps';
import { subjectView } from '../model/subject';
import { Mark } from './chips';
import { useCopied } from './copied';
import { Findings } from './details';
import { IamWhy } from './iam';
import { ReportNotes, Steps } from './steps';
import { Fix, QuietLine, SubjectLines } from './subject';
import { lostText, sentText } from './text';

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
 * The card under a cell: the call, and the steps that it brings along.
 */
export function CardView(props: ICardProps): JSX.Element | null {
  const { card, trans } = props;
  const subject = card.report.subjects[0];
  const [sending, setSending] = React.useState<Sending>({ phase: 'idle' });
  if (!subject) {
    return null;
  }
  const wasSent = sending.phase === 'done' && sending.reply.ok;
  const view = cardView(card, subject, wasSent);
  const steps = stepsView(card.report, fixesSteps(view));
  const isQuiet = view.isQuiet && steps.rows.every(step => step.isQuiet);
  const diff =
    card.changes.length > 0
      ? diffOfChanges(card.changes)
      : diffOfPatch(subject.fix);
  const rest = (
    <>
      <Steps steps={steps} trans={trans} />
      <ReportNotes notes={card.report.notes} trans={trans} />
    </>
  );
  return (
    <div className="jp-SecureMl-cards">
      <div
        className={isQuiet ? 'jp-SecureMl-quietCard' : 'jp-SecureMl-card'}
        role="group"
        aria-label={trans.__(
          'Secure ML: %1 %2',
          subject.operation,
          subject.name ?? ''
        )}
      >
        {isQuiet ? (
          <>
            <QuietLine view={view} sent={view.sent} trans={trans} />
            {rest}
          </>
        ) : (
          <>
            <Head view={view} trans={trans} />
            {view.isQuiet ? (
              <QuietLine view={view} trans={trans} />
            ) : (
              <SubjectLines view={view} trans={trans} />
            )}
            <Fix lines={diff} isFixed={view.isFixed} trans={trans} />
            {rest}
            <Actions
              {...props}
              view={view}
              sending={sending}
              setSending={setSending}
            />
          </>
        )}
      </div>
    </div>
  );
}

function Head(props: {
  view: ICardView;
  trans: TranslationBundle;
}): JSX.Element {
  const { view, trans } = props;
  const { operation, name } = view.subject;
  return (
    <div className="jp-SecureMl-cardHead">
      <span className="jp-SecureMl-cardTitle">
        <span className="jp-SecureMl-brand">{trans.__('Secure ML')}</span>
        {operation} <strong title={name ?? undefined}>{name}</strong>
      </span>
      <span className="jp-SecureMl-sent" data-sent={view.sent}>
        {sentText(view.sent, trans)}
      </span>
    </div>
  );
}

interface IActionsProps extends ICardProps {
  view: ICardView;
  sending: Sending;
  setSending: (sending: Sending) => void;
}

type Part = 'why' | 'request';

/** The buttons, what they said, and what they opened. */
function Actions(props: IActionsProps): JSX.Element {
  const { card, view, sending, trans } = props;
  const [copied, onCopied] = useCopied(trans);
  const [open, setOpen] = React.useState<Part | null>(null);
  const id = React.useId();
  return (
    <>
      <div className="jp-SecureMl-actions">
        <SendButton {...props} />
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
        {partsOf(props).map(({ part, label }) => (
          <button
            key={part}
            type="button"
            className="jp-SecureMl-button jp-mod-styled"
            aria-expanded={open === part}
            aria-controls={id}
            onClick={() => setOpen(open === part ? null : part)}
          >
            {label}
          </button>
        ))}
      </div>
      <div aria-live="polite" className="jp-SecureMl-live">
        <Sent sending={sending} trans={trans} />
        {copied}
      </div>
      <div id={id} hidden={open === null}>
        {open === 'why' && <Why view={view} trans={trans} />}
        {open === 'request' && <Request request={card.request} trans={trans} />}
      </div>
    </>
  );
}

/** What can be opened below the buttons. */
function partsOf(props: IActionsProps): { part: Part; label: string }[] {
  const { card, view, trans } = props;
  const parts: { part: Part; label: string }[] = [];
  if (view.subject.findings.length > 0 || view.iam?.statements.length) {
    parts.push({ part: 'why', label: trans.__('Why?') });
  }
  if (Object.keys(card.request).length > 0) {
    parts.push({ part: 'request', label: trans.__('Show request') });
  }
  return parts;
}

function SendButton(props: IActionsProps): JSX.Element | null {
  const { canSend, sending, setSending, trans } = props;
  const isWaiting = sending.phase === 'waiting';
  if (!canSend || (sending.phase === 'done' && sending.reply.ok)) {
    return null;
  }
  const send = async () => {
    setSending({ phase: 'waiting' });
    setSending({ phase: 'done', reply: await props.send() });
  };
  return (
    <button
      type="button"
      className="jp-SecureMl-button jp-mod-styled jp-mod-accept"
      disabled={isWaiting}
      onClick={() => void send()}
    >
      {isWaiting ? trans.__('Sending…') : trans.__('Send with fix')}
    </button>
  );
}

/** What came of *Send with fix*, and what the request is now. */
function Sent(props: {
  sending: Sending;
  trans: TranslationBundle;
}): JSX.Element | null {
  const { sending, trans } = props;
  if (sending.phase === 'idle') {
    return null;
  }
  if (sending.phase === 'waiting') {
    return (
      <p className="jp-SecureMl-dim">
        {trans.__('The kernel sends the request with the fix once it is free.')}
      </p>
    );
  }
  const { reply } = sending;
  const now = reply.ok ? reply.submission?.report : null;
  return (
    <>
      <p data-ok={reply.ok}>
        <Mark state={reply.ok ? 'pass' : 'fail'} />{' '}
        {reply.lost ? lostText(reply.lost, trans) : reply.message}
      </p>
      {now && <Now subjects={now.subjects} trans={trans} />}
    </>
  );
}

/** Both answers to what was sent, where they are good news. */
function Now(props: {
  subjects: readonly ISubject[];
  trans: TranslationBundle;
}): JSX.Element | null {
  const { subjects, trans } = props;
  const views = subjects.map(subject => subjectView(subject));
  const [head] = views;
  if (head && views.every(({ isQuiet }) => isQuiet)) {
    return <QuietLine view={head} trans={trans} />;
  }
  return gravest(subjects)?.verdict === 'allowed' ? (
    <p>
      <Mark state="pass" /> {trans.__('Checked again: IAM would allow this')}
    </p>
  ) : null;
}

function Why(props: {
  view: ICardView;
  trans: TranslationBundle;
}): JSX.Element {
  const { view, trans } = props;
  return (
    <>
      {view.iam && <IamWhy iam={view.iam} trans={trans} />}
      <Findings findings={view.subject.findings} trans={trans} isOpen />
    </>
  );
}

function Request(props: {
  request: ICard['request'];
  trans: TranslationBundle;
}): JSX.Element {
  return (
    <>
      <p className="jp-SecureMl-dim">
        {props.trans.__(
          'What the check reads is shown; everything else is masked.'
        )}
      </p>
      <pre className="jp-SecureMl-request">
        {JSON.stringify(props.request, null, 2)}
      </pre>
    </>
  );
}
