import { describe, expect, it } from 'vitest';
import { baselineOf, gravest, iamView } from '../src/model/iam';
import { differenceText } from '../src/view/text';
import { denied, finding, iam, subject, trans } from './reports';

const waiver = {
  rule: '*',
  scope: '*',
  reason: '',
  ticket: null,
  expires: null
};

describe('iamView', () => {
  it('says nothing where no policies were given', () => {
    expect(iamView(subject())).toBeNull();
  });

  it.each(['constructor', 'later-word', undefined])(
    'says nothing of a verdict it does not know: %s',
    verdict => {
      expect(iamView(subject({ iam: iam({ verdict } as never) }))).toBeNull();
    }
  );

  it('leaves out the action that the headline names, and nothing else', () => {
    const whys = [
      'denies sagemaker:CreateTrainingJob: the key is absent',
      'would deny sagemaker:CreateTrainingJob: the key is absent',
      'denies sagemaker:CreateTrainingJob on arn:aws:x: the key is absent',
      'denies iam:PassRole: the key is absent'
    ];
    const view = iamView(
      subject({
        iam: iam({
          verdict: 'explicitly-denied',
          statements: whys.map((why, index) => ({
            layer: 'scp:1',
            policy: 'p',
            sid: null,
            index,
            why
          }))
        })
      })
    );
    expect(view?.statements.map(({ why }) => why)).toEqual([
      'the key is absent',
      'the key is absent',
      whys[2],
      whys[3]
    ]);
  });

  it('tells outcomes only where the answer depends on something', () => {
    const outcomes = ['allowed if it is absent', 'denied if it is "false"'];
    const of = (verdict: 'depends' | 'allowed') =>
      iamView(subject({ iam: iam({ verdict, outcomes, question: 'Is it?' }) }));
    expect(of('depends')).toMatchObject({ state: 'depends', outcomes });
    expect(of('allowed')).toMatchObject({ state: 'pass', outcomes: [] });
  });

  it('reads what older guards report', () => {
    const older = { verdict: 'implicitly-denied' } as never;
    expect(iamView(subject({ iam: older }))).toMatchObject({
      state: 'fail',
      statements: [],
      outcomes: [],
      unsatisfiable: []
    });
  });
});

describe('gravest', () => {
  it('is the worst of several answers', () => {
    const of = (...verdicts: string[]) =>
      gravest(
        verdicts.map(verdict => subject({ iam: iam({ verdict } as never) }))
      )?.verdict;
    expect(of('allowed', 'depends', 'allowed')).toBe('depends');
    expect(of('explicitly-denied', 'implicitly-denied')).toBe(
      'explicitly-denied'
    );
    expect(of('not-evaluated', 'allowed')).toBe('allowed');
    expect(of('not-evaluated')).toBeUndefined();
    expect(gravest([])).toBeNull();
  });
});

describe('the two answers', () => {
  it('take the baseline by its gravest open finding', () => {
    const of = (...findings: Parameters<typeof finding>[0][]) =>
      baselineOf(subject({ findings: findings.map(finding) }));
    expect(of({ severity: 'warning' }, { severity: 'error' })).toBe('error');
    expect(of({ severity: 'info' }, { severity: 'warning' })).toBe('warning');
    expect(of({ severity: 'info' })).toBe('content');
    expect(of({ severity: 'error', waiver })).toBe('content');
  });

  it('name the difference, and only where there is one', () => {
    const of = (verdict: string, baseline: string) =>
      differenceText(verdict as never, baseline as never, trans);
    expect(of('allowed', 'error')).toBe('IAM allows it, the baseline does not');
    expect(of('explicitly-denied', 'content')).toBe(
      'IAM denies it, the baseline has no objection'
    );
    expect(of('depends', 'content')).toBe(
      'IAM may deny it, the baseline has no objection'
    );
    expect(of('allowed', 'content')).toBeNull();
    expect(of('explicitly-denied', 'error')).toBeNull();
    expect(of('implicitly-denied', 'error')).toBeNull();
  });

  it('agree in the fixture of the demo', () => {
    const view = iamView(subject({ iam: denied(), findings: [finding()] }));
    expect([view?.verdict, view?.baseline]).toEqual([
      'explicitly-denied',
      'error'
    ]);
  });
});
