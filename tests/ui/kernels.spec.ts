import { CLIENT, expect, PROFILE, test } from './lab';

test('Restart and Run All: the guard is there before the first cell', async ({
  lab
}) => {
  lab.write('race.ipynb', [`${CLIENT}\ntrain("first")`]);
  await lab.open('race.ipynb');
  await lab.guarded();
  await lab.showPanel();
  for (const round of [1, 2]) {
    await lab.restart('Restart Kernel and Run All Cells…');
    await expect(lab.card(0), `round ${round}`).toBeVisible();
    await expect(lab.rows()).toHaveCount(1);
    await lab.cell(0).locator('.cm-content').click();
    await lab.menu('Edit', 'Clear Outputs of All Cells');
    await expect(lab.card(0)).toHaveCount(0);
  }
});

test('a restart takes the button, the jobs and the mode with it', async ({
  lab
}) => {
  lab.write('restart.ipynb', [
    CLIENT,
    PROFILE,
    '%secure_ml mode block',
    'train("held")'
  ]);
  await lab.open('restart.ipynb');
  await lab.guarded();
  await lab.showPanel();
  await lab.runAll();
  const send = lab.card(3).getByRole('button', { name: 'Send with fix' });
  await expect(send).toBeVisible();
  await expect(lab.rows()).toHaveCount(1);
  await lab.restart();
  await expect(send).toHaveCount(0);
  await expect(lab.card(3)).toBeVisible();
  await expect(lab.rows()).toHaveCount(0);
  await lab.guarded('warn');
  await expect(lab.panel()).toContainText('no SageMaker job yet');
});

test('a reloaded page still sends what the kernel holds', async ({
  lab,
  page
}) => {
  lab.write('reload.ipynb', [
    CLIENT,
    PROFILE,
    '%secure_ml mode block',
    'train("reloaded")'
  ]);
  await lab.open('reload.ipynb');
  await lab.guarded();
  await lab.runAll();
  const send = lab.card(3).getByRole('button', { name: 'Send with fix' });
  await expect(send).toBeVisible();
  await lab.menu('File', 'Save Notebook');
  await page.reload();
  await lab.notebook().waitFor();
  await expect(send).toBeVisible({ timeout: 40_000 });
  await send.click();
  await expect(lab.card(3).locator('.jp-SecureMl-sent')).toHaveText(
    'sent with fix'
  );
  await expect(send).toHaveCount(0);
});

test('two notebooks with two kernels keep their jobs apart', async ({
  lab,
  page
}) => {
  lab.write('one.ipynb', [CLIENT, 'train("one")']);
  lab.write('two.ipynb', [CLIENT, '%secure_ml mode observe', 'train("two")']);
  await lab.open('one.ipynb');
  await lab.guarded();
  await lab.showPanel();
  await lab.runAll();
  await expect(lab.rows()).toHaveCount(1);

  await lab.openBeside('two.ipynb');
  await lab.guarded();
  await lab.showPanel();
  await expect(lab.rows()).toHaveCount(0);
  await lab.runAll();
  await expect(lab.rows()).toHaveText([/two/]);
  await lab.guarded('observe');
  await expect(lab.card(2)).toHaveCount(0);

  const tab = (name: string) =>
    page.locator('#jp-main-dock-panel .lm-TabBar-tab', { hasText: name });
  await tab('one.ipynb').click();
  await lab.guarded('warn');
  await expect(lab.rows()).toHaveText([/one/]);
  await expect(page.locator('.jp-SecureMl-statusItem')).toContainText(
    'Guard: warn'
  );
  await tab('two.ipynb').click();
  await expect(lab.rows()).toHaveText([/two/]);
  await expect(page.locator('.jp-SecureMl-statusItem')).toContainText(
    'Guard: observe'
  );
});

test('a saved output submits nothing and runs nothing', async ({
  lab,
  page
}) => {
  const evil = '<img src=x onerror="window.pwned = true"><b>bold</b>';
  const card = {
    report: {
      schema: 'secure-ml/report@1',
      subjects: [
        {
          path: null,
          kind: 'request',
          operation: 'CreateTrainingJob',
          name: evil,
          where: null,
          controls: [
            { control: 'vpc', state: 'fail', pointer: null, note: null }
          ],
          findings: [
            {
              rule: evil,
              control: 'vpc',
              severity: 'error',
              pointer: '/VpcConfig',
              message: evil,
              expected: evil,
              actual: null,
              fix: [],
              references: [evil],
              missing: [],
              waiver: null
            }
          ],
          iam: {
            verdict: 'explicitly-denied',
            question: null,
            outcomes: [],
            unsatisfiable: [],
            statements: [
              { layer: 'scp:1', policy: evil, sid: evil, index: 0, why: evil }
            ]
          },
          fix: []
        }
      ],
      summary: { error: 1, warning: 0, info: 0 }
    },
    mode: 'block',
    action: 'blocked',
    held: '00112233445566778899aabbccddeeff',
    kernel: 'KERNEL',
    changes: [{ path: '/A', before: null, after: evil, source: evil }],
    code: { v3: evil, v2: evil, boto3: evil },
    request: { TrainingJobName: evil }
  };
  const output = {
    output_type: 'display_data',
    metadata: {},
    data: { 'application/vnd.secure-ml.report.v1+json': card }
  };
  const broken = {
    output_type: 'display_data',
    metadata: {},
    data: { 'application/vnd.secure-ml.report.v1+json': { report: 7 } }
  };
  lab.write('saved.ipynb', [
    { source: '1', outputs: [output] },
    { source: '2', outputs: [broken] }
  ]);
  await lab.open('saved.ipynb');
  await lab.guarded();
  const shown = lab.card(0);
  await expect(shown).toContainText('<b>bold</b>');
  await expect(shown).toContainText('IAM would deny this');
  await expect(
    shown.getByRole('button', { name: 'Send with fix' })
  ).toHaveCount(0);
  await shown.getByRole('button', { name: 'Why?' }).click();
  await expect(shown.locator('img, b')).toHaveCount(0);
  await expect(lab.cell(1)).toContainText('holds no report');
  expect(await page.evaluate(() => 'pwned' in window)).toBe(false);
});
