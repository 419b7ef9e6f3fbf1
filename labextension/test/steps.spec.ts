import { describe, expect, it } from 'vitest';
import {
  stepCounts,
  stepName,
  stepsView,
  worstControls
} from '../src/model/steps';
import { subjectView } from '../src/model/subject';
import { card, control, denied, finding, iam, step, subject } from './reports';

const allowed = iam({ verdict: 'allowed' });

describe('stepsView', () => {
  it('counts those together about which nothing is to be said', () => {
    const { report } = card({}, [
      subject({ operation: 'CreatePipeline' }),
      step('step Prepare', {
        iam: allowed,
        controls: [control('vpc', 'pass')]
      }),
      step('step Train', { findings: [finding()] }),
      step('step Evaluate', { iam: denied() }),
      step('step Repack', { note: 'The SDK added this step.' }),
      step('step Model', { controls: [control('vpc', 'depends')] }),
      step('step Register', {
        findings: [finding({ severity: 'info', control: 'private-image' })]
      }),
      step('step Tell', { iam: allowed })
    ]);
    const { rows, calm } = stepsView(report);
    const places = (views: typeof rows) =>
      views.map(view => view.subject.where);
    expect(places(rows)).toEqual([
      'step Train',
      'step Evaluate',
      'step Repack',
      'step Model',
      'step Register'
    ]);
    expect(places(calm)).toEqual(['step Prepare', 'step Tell']);
  });

  it('has no steps where the call brings none along', () => {
    expect(stepsView(card().report)).toEqual({ rows: [], calm: [] });
  });

  it('tells a step that the fix changed', () => {
    const fix = [
      { op: 'add' as const, path: '/VpcConfig', value: { Subnets: ['a'] } }
    ];
    const { report } = card({}, [
      subject(),
      step('step Train', {
        controls: [control('vpc', 'fail')],
        findings: [finding({ fix })],
        fix
      })
    ]);
    const line = (isFixed: boolean) =>
      stepsView(report, isFixed).rows[0]?.lines[0]?.isMended;
    expect([line(false), line(true)]).toEqual([false, true]);
  });
});

describe('stepName', () => {
  it.each([
    ['step Train', 'Train', ''],
    ['step Train, in CheckMSE (if)', 'Train', 'in CheckMSE (if)'],
    [
      'step Train, in Inner (else), in Outer (if)',
      'Train',
      'in Inner (else), in Outer (if)'
    ],
    ['cell 3, line 12', 'cell 3, line 12', '']
  ])('%s', (where, name, inside) => {
    expect(stepName(step(where))).toEqual({ name, inside });
  });

  it('is the name or the operation where there is no place', () => {
    expect(stepName(subject()).name).toBe('abalone');
    expect(stepName(subject({ name: null })).name).toBe('CreateTrainingJob');
  });
});

describe('the row of a step', () => {
  it('counts open findings and what is decided later', () => {
    const waiver = {
      rule: '',
      scope: '',
      reason: '',
      ticket: null,
      expires: null
    };
    const view = subjectView(
      step('step Train', {
        controls: [control('vpc', 'fail'), control('output-kms', 'depends')],
        findings: [
          finding(),
          finding({ waiver }),
          finding({ severity: 'warning' }),
          finding({ severity: 'info' })
        ]
      })
    );
    expect(stepCounts(view)).toEqual({
      errors: 1,
      warnings: 1,
      notes: 1,
      open: 1
    });
  });
});

describe('worstControls', () => {
  it('has each control once, in the order of the chips', () => {
    const subjects = [
      subject({ controls: [control('tags', 'na'), control('vpc', 'pass')] }),
      step('step A', { controls: [control('vpc', 'fail')] }),
      step('step B', {
        controls: [control('vpc', 'depends'), control('tags', 'exempt')]
      })
    ];
    expect(
      worstControls(subjects).map(each => [each.control, each.state])
    ).toEqual([
      ['vpc', 'fail'],
      ['tags', 'exempt']
    ]);
    expect(worstControls([])).toEqual([]);
  });
});
