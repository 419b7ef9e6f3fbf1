import type { TranslationBundle } from '@jupyterlab/translation';
import { HTMLSelect } from '@jupyterlab/ui-components';
import * as React from 'react';
import type { ISubject } from '../generated/records';
import type { IBlank } from '../model/blank';
import { diffOfPatch } from '../model/format';
import { gravest, iamView } from '../model/iam';
import {
  GROUP_MARKS,
  JOB_GROUPS,
  type IJobFilter,
  type IJobRow,
  type JobGroup
} from '../model/jobs';
import { stepsView, worstControls } from '../model/steps';
import { BlankView, type OnBlank } from './blank';
import { Chips } from './chips';
import { useCopied } from './copied';
import { Diff, Findings, Notes } from './details';
import { IamBlock } from './iam';
import { ReportNotes, Steps } from './steps';
import { ageText, groupText, kindText, statusText } from './text';

/** What the user can do with a job. */
export interface IJobActions {
  copy(text: string): void;
}

/** What the list of jobs draws. */
export interface IJobsProps {
  /** Whether there are jobs at all, before the filter. */
  hasRows: boolean;
  rows: readonly IJobRow[];
  filter: IJobFilter;
  blank: IBlank | null;
  /** A problem that stands above the rows: they may be old. */
  notice: IBlank | null;
  trans: TranslationBundle;
  actions: IJobActions;
  onFilter: (filter: IJobFilter) => void;
  onBlank: OnBlank;
}

/** The time, once every 15 seconds, for the ages. */
function useNow(): number {
  const [now, setNow] = React.useState(() => Date.now());
  React.useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), 15_000);
    return () => window.clearInterval(timer);
  }, []);
  // A row that is newer than the last tick must not be of negative age.
  return Math.max(now, Date.now());
}

/**
 * The section of jobs: the filter, a notice, the rows or why there are none.
 */
export function JobsView(props: IJobsProps): JSX.Element {
  const { rows, trans, blank, notice } = props;
  const now = useNow();
  return (
    <div className="jp-SecureMl-jobs">
      {props.hasRows && <Filter {...props} />}
      {notice && (
        <BlankView
          blank={notice}
          trans={trans}
          onAction={props.onBlank}
          isNotice={rows.length > 0}
        />
      )}
      {blank && (!notice || blank.kind !== 'no-jobs') && (
        <BlankView blank={blank} trans={trans} onAction={props.onBlank} />
      )}
      {rows.length > 0 && (
        <>
          <div className="jp-SecureMl-columns" aria-hidden="true">
            <span>{trans.__('State')}</span>
            <span>{trans.__('Type')}</span>
            <span>{trans.__('Name')}</span>
            <span className="jp-SecureMl-age">{trans.__('Age')}</span>
            <span>{trans.__('Controls')}</span>
          </div>
          <ul
            className="jp-SecureMl-rows"
            aria-label={trans.__('Jobs of this kernel')}
          >
            {rows.map(row => (
              <JobRow
                key={row.id}
                row={row}
                now={now}
                trans={trans}
                actions={props.actions}
              />
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

function Filter(props: IJobsProps): JSX.Element {
  const { filter, trans, onFilter } = props;
  return (
    <div className="jp-SecureMl-filter" role="search">
      <HTMLSelect
        className="jp-SecureMl-select"
        aria-label={trans.__('State')}
        value={filter.group}
        onChange={event =>
          onFilter({ ...filter, group: event.target.value as JobGroup | 'all' })
        }
      >
        {(['all', ...JOB_GROUPS] as const).map(group => (
          <option key={group} value={group}>
            {groupText(group, trans)}
          </option>
        ))}
      </HTMLSelect>
      <input
        className="jp-SecureMl-search"
        type="search"
        placeholder={trans.__('Filter by name')}
        aria-label={trans.__('Filter jobs by name, type or state')}
        value={filter.text}
        onChange={event => onFilter({ ...filter, text: event.target.value })}
      />
    </div>
  );
}

interface IRowProps {
  row: IJobRow;
  now: number;
  trans: TranslationBundle;
  actions: IJobActions;
}

const JobRow = React.memo(function JobRow(props: IRowProps): JSX.Element {
  const { row, trans } = props;
  const [isOpen, setOpen] = React.useState(false);
  const id = React.useId();
  const { subjects } = row.report;
  const name = row.name ?? row.operation;
  const exact = new Date(row.created).toLocaleString();
  return (
    <li className="jp-SecureMl-row" data-group={row.group}>
      {/* The button carries the keyboard; a click anywhere on the line does the same. */}
      <div className="jp-SecureMl-line" onClick={() => setOpen(!isOpen)}>
        <span className="jp-SecureMl-sub">
          <span className="jp-SecureMl-status" title={row.reason ?? undefined}>
            <span className="jp-SecureMl-groupMark" aria-hidden="true">
              {GROUP_MARKS[row.group]}
            </span>
            {statusText(row.status, trans)}
          </span>
          <span className="jp-SecureMl-kind">{kindText(row.kind, trans)}</span>
        </span>
        <button
          type="button"
          className="jp-SecureMl-name"
          aria-expanded={isOpen}
          aria-controls={id}
          title={name}
          onClick={event => {
            event.stopPropagation();
            setOpen(!isOpen);
          }}
        >
          <span>{name.slice(0, -6)}</span>
          <span>{name.slice(-6)}</span>
        </button>
        <time className="jp-SecureMl-age" dateTime={row.created} title={exact}>
          {ageText(row.created, props.now, trans)}
        </time>
        <Chips
          controls={worstControls(subjects)}
          iam={gravest(subjects)}
          trans={trans}
        />
      </div>
      <div id={id} hidden={!isOpen}>
        {isOpen && <JobDetails {...props} />}
      </div>
    </li>
  );
});

function JobDetails(props: IRowProps): JSX.Element {
  const { row, trans, actions } = props;
  const [copied, onCopied] = useCopied(trans);
  const copy = (what: string, text: string) => {
    actions.copy(text);
    onCopied(what);
  };
  const { subjects, notes } = row.report;
  const subject = subjects[0];
  const patch = subject?.fix ?? [];
  const { arn } = row;
  return (
    <div className="jp-SecureMl-details">
      {row.reason && <p>{row.reason}</p>}
      {row.problem && (
        <p className="jp-SecureMl-dim">
          {[row.problem.message, row.problem.remedy].filter(Boolean).join(' ')}
        </p>
      )}
      {!row.guarded && (
        <p className="jp-SecureMl-dim">
          {trans.__(
            'This job was not sent through the guard; it was checked afterwards.'
          )}
        </p>
      )}
      {subject && (
        <SubjectDetails
          subject={subject}
          hasSteps={subjects.length > 1}
          trans={trans}
        />
      )}
      <Steps steps={stepsView(row.report)} trans={trans} onCopy={copy} />
      <ReportNotes notes={notes} trans={trans} />
      <div className="jp-SecureMl-actions">
        {patch.length > 0 && (
          <button
            type="button"
            className="jp-SecureMl-button jp-mod-styled"
            title={trans.__('As JSON Patch (RFC 6902)')}
            onClick={() =>
              copy(trans.__('JSON Patch'), JSON.stringify(patch, null, 2))
            }
          >
            {trans.__('Copy fix')}
          </button>
        )}
        {arn && (
          <button
            type="button"
            className="jp-SecureMl-button jp-mod-styled"
            onClick={() => copy(trans.__('ARN'), arn)}
          >
            {trans.__('Copy ARN')}
          </button>
        )}
        {row.console_url?.startsWith('https://') && (
          <a
            className="jp-SecureMl-link"
            href={row.console_url}
            target="_blank"
            rel="noopener noreferrer"
          >
            {trans.__('Open in console')}
          </a>
        )}
      </div>
      <div aria-live="polite" className="jp-SecureMl-live">
        {copied}
      </div>
    </div>
  );
}

/** Both answers to one request, IAM's and the baseline's, and the fix. */
function SubjectDetails(props: {
  subject: ISubject;
  hasSteps: boolean;
  trans: TranslationBundle;
}): JSX.Element {
  const { subject, trans } = props;
  const iam = iamView(subject);
  return (
    <>
      {subject.note && <p>{subject.note}</p>}
      {iam && <IamBlock iam={iam} trans={trans} />}
      {subject.findings.length > 0 ? (
        <Findings findings={subject.findings} trans={trans} />
      ) : (
        <p className="jp-SecureMl-dim">
          {props.hasSteps
            ? trans.__('The call itself breaks no rule.')
            : trans.__('No rule is broken.')}
        </p>
      )}
      <Notes controls={subject.controls} trans={trans} />
      {subject.fix.length > 0 && (
        <>
          <p className="jp-SecureMl-subtitle">{trans.__('Fix')}</p>
          <Diff lines={diffOfPatch(subject.fix)} trans={trans} />
        </>
      )}
    </>
  );
}
