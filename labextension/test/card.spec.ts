import { describe, expect, it } from 'vitest';
import type { ICard, IFinding, ISubject } from '../src/generated/records';
import { cardView, readCard } from '../src/model/card';

function finding(parts: Partial<IFinding> = {}): IFinding {
  return {
    rule: 'training-vpc',
    control: 'vpc',
    severity: 'error',
    pointer: '/VpcConfig',
    message: 'no subnets or security groups',
    expected: null,
    actual: null,
    fix: [],
    references: [],
    missing: [],
    waiver: null,
    ...parts
  };
}

function subject(parts: Partial<ISubject> = {}): ISubject {
  return {
    path: null,
    kind: 'request',
    operation: 'CreateTrainingJob',
    name: 'abalone',
    where: null,
    controls: [],
    findings: [],
    iam: {
      verdict: 'not-evaluated',
      question: null,
      outcomes: [],
      unsatisfiable: [],
      statements: []
    },
    fix: [],
    ...parts
  };
}

function card(parts: Partial<ICard> = {}): ICard {
  return {
    report: {
      schema: 'secure-ml/report@1',
      subjects: [subject()],
      summary: { error: 0, warning: 0, info: 0 }
    },
    mode: 'warn',
    action: 'warned',
    held: null,
    kernel: null,
    changes: [],
    code: null,
    request: {},
    ...parts
  };
}

const control = (name: string, state: string) =>
  ({ control: name, state, pointer: null, note: null }) as never;

describe('cardView', () => {
  it('puts the worst first and what passes on one line', () => {
    const view = cardView(
      card({ action: 'blocked' }),
      subject({
        controls: [
          control('isolation', 'warn'),
          control('output-kms', 'pass'),
          control('vpc', 'fail'),
          control('tags', 'na')
        ],
        findings: [
          finding(),
          finding({
            control: 'isolation',
            severity: 'warning',
            message: 'open'
          })
        ]
      })
    );
    expect(view.lines.map(line => [line.control, line.severity])).toEqual([
      ['vpc', 'error'],
      ['isolation', 'warning']
    ]);
    expect(view.passed.map(({ control: name }) => name)).toEqual([
      'output-kms'
    ]);
    expect([view.sent, view.isQuiet, view.iam]).toEqual([
      'not-sent',
      false,
      null
    ]);
  });

  it('is quiet where nothing is wrong, but not where something was changed', () => {
    const good = subject({ controls: [control('vpc', 'pass')] });
    expect(cardView(card({ action: 'passed' }), good).isQuiet).toBe(true);
    expect(cardView(card({ action: 'fixed' }), good)).toMatchObject({
      isQuiet: false,
      sent: 'sent-with-fix'
    });
  });

  it('is not quiet where IAM would deny what the baseline allows', () => {
    const denied = subject({
      controls: [control('vpc', 'pass')],
      iam: {
        verdict: 'implicitly-denied',
        question: null,
        outcomes: [],
        unsatisfiable: [],
        statements: []
      }
    });
    const view = cardView(card({ action: 'passed' }), denied);
    expect(view.isQuiet).toBe(false);
    expect(view.iam?.state).toBe('fail');
  });

  it('hides no finding whose control has no line', () => {
    const view = cardView(
      card(),
      subject({
        controls: [control('vpc', 'pass')],
        findings: [finding({ control: 'platform' })]
      })
    );
    expect(view.lines.map(line => line.control)).toEqual(['platform']);
  });
});

describe('the lines of a card', () => {
  it('tell the place of findings that read the same', () => {
    const view = cardView(
      card(),
      subject({
        controls: [control('store-kms', 'fail'), control('vpc', 'fail')],
        findings: [
          finding({ control: 'store-kms', pointer: '/Online/Kms' }),
          finding({ control: 'store-kms', pointer: '/Offline/Kms' }),
          finding()
        ]
      })
    );
    expect(
      view.lines.map(line => line.messages.map(({ path }) => path))
    ).toEqual([[null], ['Online.Kms', 'Offline.Kms']]);
  });

  it('are history where the fix that was sent mended them', () => {
    const add = (path: string, value: unknown) => ({
      op: 'add' as const,
      path,
      value
    });
    const fixed = subject({
      controls: [
        control('vpc', 'fail'),
        control('isolation', 'fail'),
        control('traffic-encryption', 'fail'),
        control('private-image', 'fail')
      ],
      findings: [
        finding({
          fix: [add('/NetworkConfig', { VpcConfig: { Subnets: [] } })]
        }),
        finding({
          control: 'isolation',
          fix: [add('/NetworkConfig', { EnableNetworkIsolation: true })]
        }),
        finding({
          control: 'traffic-encryption',
          severity: 'warning',
          message: 'left'
        }),
        finding({
          control: 'traffic-encryption',
          fix: [add('/NetworkConfig/Encrypt', true)]
        }),
        finding({ control: 'private-image' })
      ],
      fix: [
        add('/NetworkConfig', { Encrypt: true, VpcConfig: { Subnets: [] } })
      ]
    } as never);
    const picture = (wasSent: boolean) =>
      cardView(card(), fixed, wasSent).lines.map(line => [
        line.control,
        line.state,
        line.isMended
      ]);
    expect(picture(true)).toEqual(
      expect.arrayContaining([
        ['vpc', 'fail', true],
        ['isolation', 'fail', false],
        ['traffic-encryption', 'warn', false],
        ['private-image', 'fail', false]
      ])
    );
    expect(picture(false).some(([, , isMended]) => isMended)).toBe(false);
  });
});

describe('readCard', () => {
  it('reads what the guard writes', () => {
    const data = card({ held: 'h', kernel: 'k' });
    expect(readCard(JSON.parse(JSON.stringify(data)))).toEqual(data);
  });

  it.each([
    null,
    'text',
    {},
    { report: { subjects: [] } },
    { report: { subjects: [{ operation: 7 }] } },
    { report: { subjects: [{ ...subject(), findings: [{ rule: {} }] }] } },
    { report: { subjects: [{ ...subject(), iam: null }] } }
  ])('refuses what is no card: %j', data => {
    expect(readCard(data)).toBeNull();
  });

  it('makes nothing of an id that is no string', () => {
    expect(readCard({ ...card(), held: { toString: 1 } })?.held).toBeNull();
  });
});
