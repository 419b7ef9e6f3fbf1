import type {
  IJob,
  IJobList,
  IProblem,
  ISubmission,
  JobKind
} from '../generated/records';

/**
 * A row of the job list: what AWS says where it has been asked, else what the kernel said.
 */
export interface IJobRow extends Omit<IJob, 'action' | 'status'> {
  /** A word of AWS (`InProgress`), or `Sending`, `Submitted`, `NotSent`, `Refused`, `Failed`. */
  status: string;
  /** Groups statuses for the filter, the mark and its colour. */
  group: JobGroup;
}

/** The groups of states by which jobs can be filtered. */
export type JobGroup = 'running' | 'done' | 'ended' | 'unsent';

/** The groups in the order of the filter. */
export const JOB_GROUPS: readonly JobGroup[] = [
  'running',
  'done',
  'ended',
  'unsent'
];

/** The mark of a group: its shape differs, not its colour alone. */
export const GROUP_MARKS: Readonly<Record<JobGroup, string>> = {
  running: '●',
  done: '○',
  ended: '■',
  unsent: '⊘'
};

// Most particular first: `CreateEndpointConfig` starts like `CreateEndpoint`.
const KINDS: readonly [RegExp, JobKind][] = [
  [/HyperParameterTuning/, 'tuning'],
  [/TrainingJob/, 'training'],
  [/ProcessingJob/, 'processing'],
  [/TransformJob/, 'transform'],
  [/AutoML/, 'automl'],
  [/CompilationJob/, 'compilation'],
  [/LabelingJob/, 'labeling'],
  [/JobDefinition|MonitoringSchedule/, 'monitoring'],
  [/EndpointConfig/, 'endpoint-config'],
  [/Endpoint/, 'endpoint'],
  [/PipelineExecution/, 'pipeline-execution'],
  [/Pipeline/, 'pipeline'],
  [/NotebookInstance/, 'notebook-instance'],
  [/Domain/, 'domain'],
  [/FeatureGroup/, 'feature-group'],
  [/Model/, 'model']
];

/**
 * What kind of workload an operation makes.
 */
export function kindOf(operation: string): JobKind {
  return KINDS.find(([pattern]) => pattern.test(operation))?.[1] ?? 'other';
}

/**
 * The group of a status.
 */
export function groupOf(status: string): JobGroup {
  if (/^(NotSent|Refused)$/.test(status)) {
    return 'unsent';
  }
  if (/Fail|Stopped|Deleted|Expired|OutOfService/.test(status)) {
    return 'ended';
  }
  if (
    /^(Completed|Ready|InService|Succeeded|Active|Created|Scheduled)$/.test(
      status
    )
  ) {
    return 'done';
  }
  return 'running';
}

const OUTCOME_STATUS: Readonly<Record<ISubmission['outcome'], string>> = {
  pending: 'Sending',
  created: 'Submitted',
  'not-sent': 'NotSent',
  refused: 'Refused',
  failed: 'Failed'
};

/**
 * The row of a submission that AWS has not been asked about yet.
 */
export function rowOfSubmission(submission: ISubmission): IJobRow {
  const status = OUTCOME_STATUS[submission.outcome] ?? 'Submitted';
  const error = submission.error;
  return {
    id: submission.id,
    kind: kindOf(submission.operation),
    operation: submission.operation,
    name: submission.name,
    arn: submission.arn,
    region: submission.region,
    account: submission.account,
    status,
    group: groupOf(status),
    final: submission.outcome !== 'created' && submission.outcome !== 'pending',
    created: submission.time,
    as_of: null,
    reason: error ? `${error.code}: ${error.message}` : null,
    guarded: true,
    notebook: submission.notebook,
    cell: submission.cell,
    console_url: null,
    report: submission.report,
    problem: null
  };
}

/**
 * The row of a job as the server knows it.
 */
export function rowOfJob(job: IJob): IJobRow {
  const status = job.status ?? 'Submitted';
  return { ...job, status, group: groupOf(status) };
}

/**
 * Merge what the server lists with what the kernel has pushed since, newest first.
 *
 * The server knows the live state, the kernel knows first; one submission is one row.
 * A submission whose end the kernel has reported (refused, not sent) is told by the
 * kernel even where the server still lists it as under way.
 */
export function mergeJobs(
  listed: readonly IJob[],
  submissions: readonly ISubmission[]
): IJobRow[] {
  const rows = new Map<string, IJobRow>();
  for (const submission of submissions) {
    rows.set(submission.id, rowOfSubmission(submission));
  }
  for (const job of listed) {
    const pushed = rows.get(job.id);
    if (!pushed || !pushed.final) {
      const row = rowOfJob(job);
      rows.set(
        job.id,
        pushed && job.status === null
          ? { ...row, status: pushed.status, group: pushed.group }
          : row
      );
    }
  }
  return [...rows.values()].sort((a, b) =>
    a.created < b.created ? 1 : a.created > b.created ? -1 : 0
  );
}

/** What the list shows of all rows. */
export interface IJobFilter {
  group: JobGroup | 'all';
  text: string;
}

/**
 * The rows that match a filter; the text is looked for in name, kind and status.
 */
export function filterJobs(
  rows: readonly IJobRow[],
  filter: IJobFilter
): IJobRow[] {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter(row => {
    const text = `${row.name ?? ''} ${row.kind} ${row.status}`.toLowerCase();
    return (
      (filter.group === 'all' || row.group === filter.group) &&
      words.every(word => text.includes(word))
    );
  });
}

/** How many findings the kernel's requests have, each request counted by its last try. */
export function countFindings(submissions: readonly ISubmission[]): number {
  const last = new Map<string, ISubmission>();
  for (const submission of submissions) {
    const key = `${submission.operation} ${submission.name ?? submission.id}`;
    const known = last.get(key);
    if (!known || known.time < submission.time) {
      last.set(key, submission);
    }
  }
  let count = 0;
  for (const { report } of last.values()) {
    count += report.summary.error + report.summary.warning;
  }
  return count;
}

/** The list of jobs as it was last heard, and what hinders a newer one. */
export interface IJobsState {
  kernel: string | null;
  list: IJobList | null;
  problem: IProblem | null;
}
