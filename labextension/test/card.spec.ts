import { describe, expect, it } from 'vitest';
import { cardView, fixesSteps } from '../src/model/card';
import { readCard } from '../src/model/readCard';
import { card, control, denied, finding, iam, subject } from './reports';

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
      iam: iam({ verdict: 'implicitly-denied' })
    });
    const view = cardView(card({ action: 'passed' }), denied);
    expect(view.isQuiet).toBe(false);
    expect(view.iam?.state).toBe('fail');
  });

  it('is quiet where IAM allows what the baseline does not object to', () => {
    const allowed = subject({ iam: iam({ verdict: 'allowed' }) });
    const view = cardView(card({ action: 'passed' }), allowed);
    expect([view.isQuiet, view.iam?.verdict]).toEqual([true, 'allowed']);
  });

  it('tells what IAM said before the fix from what it says now', () => {
    const before = subject({ iam: denied() });
    expect(cardView(card(), before).isFixed).toBe(false);
    expect(cardView(card({ action: 'fixed' }), before).isFixed).toBe(true);
    expect(cardView(card(), before, true).isFixed).toBe(true);
  });

  it.each([
    ['CreatePipeline', 'fixed', true],
    ['UpdatePipeline', 'fixed', true],
    // The definition is not in the request, so no fix can have changed it.
    ['StartPipelineExecution', 'fixed', false],
    ['CreatePipeline', 'warned', false]
  ] as const)('%s %s changed the steps: %s', (operation, action, changed) => {
    const view = cardView(card({ action }), subject({ operation }));
    expect(fixesSteps(view)).toBe(changed);
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

  it('reads what older guards saved, without notes and outcomes', () => {
    const { note, ...older } = subject({ controls: [control('vpc', 'pass')] });
    const { outcomes, unsatisfiable, ...verdict } = denied();
    const data = card({}, [{ ...older, iam: verdict } as never]) as never as {
      report: { notes?: unknown };
    };
    delete data.report.notes;
    const read = readCard(data);
    expect(read?.report.notes).toEqual([]);
    expect(read?.report.subjects).toEqual([
      { ...subject({ controls: older.controls }), iam: denied() }
    ]);
    expect([note, outcomes, unsatisfiable]).toEqual([null, [], []]);
  });

  it('makes text of what is drawn as text', () => {
    const bad = { toString: 'no' };
    const read = readCard(
      card({}, [
        subject({
          name: bad,
          where: bad,
          note: bad,
          findings: [finding({ why: bad, pointer: bad, waiver: 'x' } as never)],
          iam: iam({
            verdict: 'depends',
            question: bad,
            outcomes: ['allowed', bad],
            unsatisfiable: [bad],
            statements: [{ layer: 'scp:1', sid: bad, index: 'x', why: bad }]
          } as never)
        } as never)
      ])
    );
    expect(read?.report.subjects[0]).toMatchObject({
      name: null,
      where: null,
      note: null,
      findings: [{ why: '', pointer: '', waiver: null }],
      iam: {
        question: null,
        outcomes: ['allowed'],
        unsatisfiable: [],
        statements: [
          { layer: 'scp:1', policy: '', sid: null, index: -1, why: '' }
        ]
      }
    });
  });

  it('keeps the notes that are notes', () => {
    const data = card();
    data.report.notes = [
      { message: 'nothing to check', where: 'step Notify', path: null },
      { message: 7 } as never,
      null as never
    ];
    expect(readCard(data)?.report.notes).toEqual([
      { message: 'nothing to check', where: 'step Notify', path: null }
    ]);
  });

  it('makes nothing of an id that is no string', () => {
    expect(readCard({ ...card(), held: { toString: 1 } })?.held).toBeNull();
  });
});
