import { describe, expect, it } from 'vitest';
import { blankJobs, blankProblem, type IBlankInput } from '../src/model/blank';
import { Failure } from '../src/model/failure';
import {
  ageOf,
  countStates,
  diffOfChanges,
  pathOf,
  valueText
} from '../src/model/format';
import { installCommand, readLoadReply } from '../src/model/loader';
import type { GuardState } from '../src/model/session';
import { reprOf } from './fakes';

const NOW = Date.parse('2026-11-22T12:00:00Z');

describe('ageOf', () => {
  it.each([
    ['2026-11-22T11:59:30Z', { value: 30, unit: 'second' }],
    ['2026-11-22T11:57:01Z', { value: 2, unit: 'minute' }],
    ['2026-11-21T12:00:00Z', { value: 24, unit: 'hour' }],
    ['2026-11-20T11:00:00Z', { value: 2, unit: 'day' }],
    ['2026-11-22T12:00:09Z', { value: 0, unit: 'second' }],
    ['soon', null]
  ])('%s', (iso, age) => {
    expect(ageOf(iso, NOW)).toEqual(age);
  });
});

describe('a difference', () => {
  it('reads pointers as people write paths', () => {
    expect(pathOf('/VpcConfig/Subnets/0')).toBe('VpcConfig.Subnets[0]');
    expect(pathOf('/Tags/-')).toBe('Tags[]');
    expect(pathOf('/a~1b/c~0d')).toBe('a/b.c~d');
  });

  it('says values plainly', () => {
    expect(valueText(['subnet-1', 'subnet-2'])).toBe('subnet-1  subnet-2');
    expect(valueText({ Subnets: ['s'], Flag: true })).toBe(
      'Subnets: s  Flag: true'
    );
    expect(valueText({ deep: { er: 1 } })).toBe('deep.er: 1');
    expect(
      valueText({
        VpcConfig: { SecurityGroupIds: [], Subnets: ['a', 'b'] },
        Traffic: true
      })
    ).toBe(
      'Traffic: true  VpcConfig.Subnets: a  b  VpcConfig.SecurityGroupIds: –'
    );
    expect(valueText({ SecurityGroupIds: [], Subnets: [] })).toBe(
      'Subnets: –  SecurityGroupIds: –'
    );
    expect(valueText([{ Key: 'team', Value: 'x' }])).toBe(
      '[0].Key: team  [0].Value: x'
    );
    expect([valueText([]), valueText(null)]).toEqual(['–', '']);
    expect(valueText(false)).toBe('false');
  });

  it('tells adding, changing and removing apart', () => {
    const line = (before: unknown, after: unknown) =>
      diffOfChanges([{ path: '/A', before, after, source: null }])[0]?.sign;
    expect([line(null, 'x'), line('x', 'y'), line('x', null)]).toEqual([
      '+',
      '~',
      '−'
    ]);
    expect(line(null, false)).toBe('+');
  });

  it('counts states in the order of importance', () => {
    const states = ['pass', 'fail', 'pass', 'warn'] as const;
    expect(countStates(states.map(state => ({ state })))).toEqual([
      { state: 'fail', count: 1 },
      { state: 'warn', count: 1 },
      { state: 'pass', count: 2 }
    ]);
  });
});

describe('blankJobs', () => {
  const input = (
    guard: GuardState | null,
    parts: Partial<IBlankInput> = {}
  ): IBlankInput => ({
    hasDocument: true,
    kernel: 'k',
    guard,
    rows: 0,
    shown: 0,
    ...parts
  });
  const guard: GuardState = {
    phase: 'loaded',
    mode: 'warn',
    locked: false,
    version: ''
  };

  it.each([
    [input(null, { hasDocument: false }), 'no-notebook', 'open-notebook'],
    [input(null, { kernel: null }), 'no-kernel', 'choose-kernel'],
    [input({ phase: 'dead' }), 'no-kernel', 'choose-kernel'],
    [
      input({ phase: 'not-python', language: 'r' }),
      'not-python',
      'choose-kernel'
    ],
    [input({ phase: 'not-loaded' }), 'not-loaded', 'load-guard'],
    [
      input({ phase: 'not-installed', command: 'c' }),
      'not-installed',
      'copy-install'
    ],
    [input({ phase: 'failed', message: 'm' }), 'load-failed', 'load-guard'],
    [input({ phase: 'starting' }), 'starting', null],
    [input({ phase: 'loading' }), 'loading', null],
    [input(guard), 'no-jobs', null],
    [input(guard, { rows: 3 }), 'no-match', null]
  ])('%j', (given, kind, action) => {
    expect(blankJobs(given)).toMatchObject({ kind, action });
  });

  it('is silent where there are rows', () => {
    expect(
      blankJobs(input({ phase: 'not-loaded' }, { rows: 1, shown: 1 }))
    ).toBeNull();
  });
});

describe('failures', () => {
  it('tells a missing server extension from an error of ours', () => {
    const missing = Failure.fromReply(404, null);
    expect(missing.code).toBe('server-missing');
    expect(blankProblem(missing).action).toBe('copy-server-check');
    const ours = Failure.fromReply(404, {
      code: 'not-found',
      message: 'No kernel.',
      remedy: 'Start one.'
    });
    expect([ours.code, blankProblem(ours).action]).toEqual([
      'not-found',
      'retry'
    ]);
  });

  it('tells a server that is away from one that answers', () => {
    expect(Failure.from(new TypeError('fetch failed')).code).toBe(
      'server-unreachable'
    );
    expect(Failure.fromReply(502, null).code).toBe('unexpected');
    expect(Failure.fromReply(403, null).code).toBe('unauthorized');
  });
});

describe('loading', () => {
  it('reads the reply whatever text it holds', () => {
    const reply = { state: 'failed', message: `it's "ä"\n` };
    expect(readLoadReply(reprOf(reply))).toEqual(reply);
    expect(readLoadReply(null).state).toBe('failed');
    expect(readLoadReply("'zz'").state).toBe('failed');
    expect(readLoadReply("'7b'").state).toBe('failed');
  });

  it('quotes a path with a blank', () => {
    expect(installCommand('C:\\My Python\\python.exe')).toBe(
      '"C:\\My Python\\python.exe" -m pip install secure_ml_ext'
    );
  });
});
