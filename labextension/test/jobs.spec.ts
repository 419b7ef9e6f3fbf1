import { describe, expect, it } from 'vitest';
import type { IJob } from '../src/generated/records';
import {
  countFindings,
  filterJobs,
  groupOf,
  kindOf,
  mergeJobs
} from '../src/model/jobs';
import { report, submission } from './fakes';

function job(parts: Partial<IJob> = {}): IJob {
  return {
    id: 's1',
    kind: 'training',
    operation: 'CreateTrainingJob',
    name: 'abalone',
    arn: 'arn:1',
    region: null,
    account: null,
    status: 'InProgress',
    final: false,
    created: '2026-11-22T10:00:00.000Z',
    as_of: null,
    reason: null,
    guarded: true,
    action: 'warned',
    notebook: null,
    cell: null,
    console_url: null,
    report: report(),
    problem: null,
    ...parts
  };
}

describe('mergeJobs', () => {
  it('shows a job the moment the kernel says so, and its live state once AWS was asked', () => {
    const pushed = submission();
    expect(mergeJobs([], [pushed])[0]?.status).toBe('Submitted');
    const rows = mergeJobs([job()], [pushed]);
    expect(rows.map(row => [row.id, row.status])).toEqual([
      ['s1', 'InProgress']
    ]);
  });

  it('keeps the word of the kernel where the server knows no state', () => {
    expect(mergeJobs([job({ status: null })], [submission()])[0]?.status).toBe(
      'Submitted'
    );
  });

  it('leaves no ghost of a refused or blocked request', () => {
    const refused = submission({
      outcome: 'refused',
      error: { code: 'AccessDeniedException', message: 'no' }
    });
    const row = mergeJobs([job()], [refused])[0];
    expect(row).toMatchObject({
      status: 'Refused',
      group: 'unsent',
      final: true,
      reason: 'AccessDeniedException: no'
    });
    expect(
      mergeJobs([], [submission({ outcome: 'not-sent' })])[0]?.status
    ).toBe('NotSent');
  });

  it('sorts newest first', () => {
    const rows = mergeJobs(
      [job({ id: 'old', created: '2026-11-22T09:00:00Z' })],
      [submission({ id: 'new', time: '2026-11-22T11:00:00Z' })]
    );
    expect(rows.map(({ id }) => id)).toEqual(['new', 'old']);
  });
});

describe('filterJobs', () => {
  it('filters by group and by every word of the text', () => {
    const rows = mergeJobs(
      [
        job({ id: '1', name: 'abalone-1', status: 'Completed', final: true }),
        job({ id: '2', name: 'abalone-2' }),
        job({ id: '3', name: 'prep', kind: 'processing' })
      ],
      []
    );
    const ids = (group: 'all' | 'running', text: string) =>
      filterJobs(rows, { group, text }).map(({ id }) => id);
    expect(ids('running', '')).toEqual(['2', '3']);
    expect(ids('all', 'ABA compl')).toEqual(['1']);
    expect(ids('all', 'process')).toEqual(['3']);
  });
});

describe('words', () => {
  it.each([
    ['CreateTrainingJob', 'training'],
    ['CreateHyperParameterTuningJob', 'tuning'],
    ['CreateEndpointConfig', 'endpoint-config'],
    ['CreateEndpoint', 'endpoint'],
    ['CreateModel', 'model'],
    ['CreateAutoMLJobV2', 'automl'],
    ['CreateModelQualityJobDefinition', 'monitoring'],
    ['CreateSomethingNew', 'other']
  ])('%s makes %s', (operation, kind) => {
    expect(kindOf(operation)).toBe(kind);
  });

  it.each([
    ['InProgress', 'running'],
    ['Stopping', 'running'],
    ['Creating', 'running'],
    ['Completed', 'done'],
    ['Stopped', 'ended'],
    ['Failed', 'ended'],
    ['NotSent', 'unsent']
  ])('%s is %s', (status, group) => {
    expect(groupOf(status)).toBe(group);
  });
});

describe('countFindings', () => {
  it('counts a request by its last try', () => {
    const blocked = submission({ id: 'a', report: report(2, 1) });
    const fixed = submission({
      id: 'b',
      time: '2026-11-22T10:01:00.000Z',
      report: report(0, 1)
    });
    const other = submission({ id: 'c', name: 'other', report: report(1) });
    expect(countFindings([blocked])).toBe(3);
    expect(countFindings([fixed, blocked, other])).toBe(2);
  });
});
