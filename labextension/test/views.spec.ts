// @vitest-environment jsdom
import * as React from 'react';
import { createRoot, type Root } from 'react-dom/client';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ICard, ISubmission } from '../src/generated/records';
import { iamView } from '../src/model/iam';
import { readCard } from '../src/model/readCard';
import { CardView } from '../src/view/card';
import { Chips } from '../src/view/chips';
import { IamBlock } from '../src/view/iam';
import { submission } from './fakes';
import {
  card,
  control,
  denied,
  finding,
  iam,
  step,
  subject,
  trans
} from './reports';

let host: HTMLElement;
let root: Root;

beforeEach(() => {
  (globalThis as Record<string, unknown>).IS_REACT_ACT_ENVIRONMENT = true;
  host = document.body.appendChild(document.createElement('div'));
  root = createRoot(host);
});

afterEach(() => {
  React.act(() => root.unmount());
  host.remove();
});

function draw(element: React.ReactElement): void {
  React.act(() => root.render(element));
}

function drawCard(data: ICard, reply?: ISubmission): void {
  draw(
    React.createElement(CardView, {
      card: data,
      canSend: reply !== undefined,
      trans,
      send: async () => ({
        held: 'h',
        ok: true,
        message: 'abalone was sent with the fix.',
        submission: reply ?? null
      }),
      openCodeMenu: () => undefined
    })
  );
}

/** What is shown, one blank between words. */
function said(selector = '*'): string {
  const node = selector === '*' ? host : host.querySelector(selector);
  return (node?.textContent ?? '').replace(/\s+/g, ' ').trim();
}

function button(label: string): HTMLButtonElement {
  const found = [...host.querySelectorAll('button')].find(node =>
    node.textContent?.includes(label)
  );
  if (!found) {
    throw new Error(`There is no button "${label}".`);
  }
  return found;
}

async function click(label: string): Promise<void> {
  await React.act(async () => button(label).click());
}

describe("IAM's answer", () => {
  const block = (parts: Parameters<typeof subject>[0]) => {
    const view = iamView(subject(parts));
    if (!view) {
      throw new Error('IAM says nothing.');
    }
    draw(React.createElement(IamBlock, { iam: view, trans }));
  };

  it('is the verdict, the statement with its policy, and the difference', () => {
    block({ iam: denied() });
    expect(said('.jp-SecureMl-control')).toBe('IAM would deny this');
    expect(said('.jp-SecureMl-statements')).toBe(
      'scp:1 "DenyNoVpc" · sagemaker:VpcSubnets is absent (Null true)'
    );
    expect(host.querySelector('code')?.title).toBe(
      'Policy sm-mlops-dev-guardrails'
    );
    expect(said()).toContain('IAM denies it, the baseline has no objection');
  });

  it('folds more than three statements', async () => {
    block({ iam: denied(5) });
    const lists = host.querySelectorAll('.jp-SecureMl-statements');
    expect([...lists].map(list => list.children.length)).toEqual([3, 2]);
    expect((lists[1] as HTMLElement).hidden).toBe(true);
    expect(button('and 2 more').getAttribute('aria-expanded')).toBe('false');
    await click('and 2 more');
    expect((lists[1] as HTMLElement).hidden).toBe(false);
    expect(button('show fewer').getAttribute('aria-controls')).toBe(
      lists[1]?.id
    );
  });

  it('does not fold three', () => {
    block({ iam: denied(3) });
    expect(host.querySelectorAll('button')).toHaveLength(0);
  });

  it('asks what it depends on, and says what no change can help', () => {
    block({
      iam: iam({
        verdict: 'depends',
        question: 'Is the key sent?',
        outcomes: ['allowed if it is', 'explicitly-denied if it is not'],
        unsatisfiable: ['scp:1 "Key"']
      }),
      findings: [finding()]
    });
    expect(said()).toBe(
      "?IAM's answer dependsIs the key sent?allowed if it isexplicitly-denied if it is not" +
        'No request like this one can pass, whatever is changed: scp:1 "Key"' +
        'IAM may allow it, the baseline does not'
    );
  });

  it('calls a statement without a name by its policy and number', () => {
    const statement = { layer: 'identity', sid: null, why: '' };
    block({
      iam: iam({
        verdict: 'implicitly-denied',
        statements: [
          { ...statement, policy: 'execution', index: 2 },
          { ...statement, policy: 'identity[0]', index: -1 }
        ]
      })
    });
    const names = [...host.querySelectorAll('code')].map(
      node => node.textContent
    );
    expect(names).toEqual(['identity execution statement 2', 'identity[0]']);
  });
});

describe('the card', () => {
  it('says quietly what both answers allow', () => {
    drawCard(
      card({ action: 'passed' }, [
        subject({ iam: iam({ verdict: 'allowed' }) })
      ])
    );
    expect(said()).toBe('✓CreateTrainingJob abalone compliant, allowed by IAM');
  });

  it('says what was not sent, also where it is compliant', () => {
    drawCard(card({ action: 'dry-run' }));
    expect(said()).toBe(
      '✓CreateTrainingJob abalone compliant, dry run, not sent'
    );
  });

  it("has IAM's row first, and its policy behind Why", async () => {
    drawCard(
      card({ action: 'blocked' }, [
        subject({
          controls: [control('vpc', 'fail')],
          findings: [finding()],
          iam: denied()
        })
      ])
    );
    const rows = [...host.querySelectorAll('.jp-SecureMl-lines > li')];
    expect(
      rows.map(row => row.querySelector('.jp-SecureMl-control')?.textContent)
    ).toEqual(['IAM would deny this', 'VPC']);
    await click('Why?');
    expect(said('.jp-SecureMl-findings')).toContain(
      'sm-mlops-dev-guardrails, statement 0'
    );
  });

  it('tells what IAM says after the fix', async () => {
    const now = submission();
    now.report = card({}, [
      subject({
        iam: iam({ verdict: 'allowed' }),
        findings: [finding({ severity: 'warning' })]
      })
    ]).report;
    drawCard(card({ held: 'h' }, [subject({ iam: denied() })]), now);
    expect(said('.jp-SecureMl-iam')).not.toContain('before the fix');
    await click('Send with fix');
    expect(said('.jp-SecureMl-iam')).toContain('before the fix');
    expect(said('.jp-SecureMl-live')).toBe(
      '✓ abalone was sent with the fix.✓ Checked again: IAM would allow this'
    );
  });

  it('says nothing good of a pipeline while one of its steps is open', async () => {
    const allowed = iam({ verdict: 'allowed' });
    const now = submission();
    const say = async (other: typeof allowed) => {
      now.report = card({}, [
        subject({ iam: allowed }),
        step('step Train', { iam: other })
      ]).report;
      draw(React.createElement('p'));
      drawCard(card({ held: 'h' }, [subject({ iam: denied() })]), now);
      await click('Send with fix');
      return said('.jp-SecureMl-live');
    };
    expect(await say(iam({ verdict: 'depends' }))).toBe(
      '✓ abalone was sent with the fix.'
    );
    expect(await say(allowed)).toBe(
      '✓ abalone was sent with the fix.✓CreateTrainingJob abalone compliant, allowed by IAM'
    );
  });

  it('draws what an older guard saved', () => {
    const older = JSON.parse(
      JSON.stringify(card({}, [subject({ iam: denied() })]))
    );
    delete older.report.notes;
    delete older.report.subjects[0].note;
    delete older.report.subjects[0].iam.outcomes;
    delete older.report.subjects[0].iam.unsatisfiable;
    const read = readCard(older);
    if (!read) {
      throw new Error('It was not read.');
    }
    drawCard(read);
    expect(said('.jp-SecureMl-control')).toBe('IAM would deny this');
  });
});

describe('the card of a pipeline', () => {
  const pipeline = () => {
    const data = card({ action: 'blocked' }, [
      subject({
        operation: 'CreatePipeline',
        iam: iam({ verdict: 'allowed' })
      }),
      step('step Prepare', { iam: iam({ verdict: 'allowed' }) }),
      step('step Train, in Check (if)', {
        controls: [control('vpc', 'fail')],
        findings: [finding()],
        iam: denied(),
        fix: [
          { op: 'add', path: '/VpcConfig', value: { Subnets: ['subnet-1'] } }
        ]
      }),
      step('step Repack', { note: 'The SDK added this step.' })
    ]);
    data.report.notes = [
      { message: 'nothing to check here', where: 'step Notify', path: null }
    ];
    return data;
  };

  it('has a row for each step that has something to say, then the others, then notes', () => {
    drawCard(pipeline());
    const titles = [...host.querySelectorAll('.jp-SecureMl-stepTitle')];
    expect(titles.map(node => node.textContent)).toEqual([
      'Trainin Check (if)CreateTrainingJob',
      'RepackCreateTrainingJob'
    ]);
    expect(said('.jp-SecureMl-stepCounts')).toBe(
      'IAM✕IAM would deny this✕11 error'
    );
    expect(said('.jp-SecureMl-calm')).toBe(
      '✓ 1 step compliant, allowed by IAM'
    );
    expect(said('.jp-SecureMl-reportNotes')).toBe(
      '–step Notify: nothing to check here'
    );
    expect(said('.jp-SecureMl-quiet')).toBe(
      '✓CreatePipeline abalone compliant, allowed by IAM'
    );
  });

  it('opens a step to the lines of a single card, with its own fix', async () => {
    drawCard(pipeline());
    expect(host.querySelector('.jp-SecureMl-diff')).toBeNull();
    const train = button('Train');
    expect(train.getAttribute('aria-expanded')).toBe('false');
    await click('Train');
    expect(train.getAttribute('aria-expanded')).toBe('true');
    const body = document.getElementById(
      train.getAttribute('aria-controls') ?? ''
    );
    expect(body?.textContent).toContain('"DenyNoVpc"');
    expect(body?.textContent).toContain('no subnets or security groups');
    expect(body?.querySelector('.jp-SecureMl-diff')?.textContent).toContain(
      'subnet-1'
    );
    await click('Repack');
    expect(said()).toContain('The SDK added this step.');
    await click('1 step compliant');
    expect(said('.jp-SecureMl-calm ul')).toBe('Prepare CreateTrainingJob');
  });

  it('is quiet where every step is', () => {
    const data = pipeline();
    data.report.subjects.splice(2, 1);
    data.action = 'passed';
    drawCard(data);
    expect(host.querySelector('.jp-SecureMl-card')).toBeNull();
    expect(said('.jp-SecureMl-quiet')).toContain('CreatePipeline abalone');
    expect(host.querySelectorAll('.jp-SecureMl-step')).toHaveLength(1);
  });
});

describe('the chips of a job', () => {
  it("begin with IAM's answer in words, and count it", () => {
    draw(
      React.createElement(Chips, {
        controls: [control('vpc', 'pass')],
        iam: iamView(subject({ iam: denied() })),
        trans
      })
    );
    expect(said('.jp-SecureMl-chips')).toBe(
      'IAM✕IAM would deny thisVPC✓VPC: passes'
    );
    expect(said('.jp-SecureMl-counts')).toBe('✕11 fails✓11 passes');
  });

  it('have none where IAM was not asked', () => {
    draw(
      React.createElement(Chips, {
        controls: [control('vpc', 'pass')],
        iam: null,
        trans
      })
    );
    expect(said('.jp-SecureMl-chips')).toBe('VPC✓VPC: passes');
  });
});
