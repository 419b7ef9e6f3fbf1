import { CLIENT, expect, PROFILE, test } from './lab';

test('Lab 4, as a new user runs it', async ({ lab, page }) => {
  test.setTimeout(300_000);
  await page.setViewportSize({ width: 1280, height: 2400 });
  await lab.open('lab4.ipynb');
  await lab.guarded();
  await lab.showPanel();
  await lab.widen(420);
  await lab.runAll();

  // Without a VPC: warned, and sent.
  const open = lab.card(await lab.cellWith('credit-risk-open-'));
  await expect(open.locator('.jp-SecureMl-sent')).toHaveText('sent');
  const failing = open.locator('.jp-SecureMl-lines > [data-state="fail"]');
  await expect(failing.first()).toContainText('IAM would deny this');
  await expect(failing.nth(1)).toContainText('VPC');
  await expect(open.locator('.jp-SecureMl-diff')).toContainText('VpcConfig');
  await expect(open.locator('.jp-SecureMl-diff')).toContainText(/subnet-\w+/);
  await expect(open.getByRole('button', { name: 'Send with fix' })).toHaveCount(
    0
  );

  // Blocked: nothing sent, the error is short.
  const blockedCell = await lab.cellWith('credit-risk-blocked-');
  const blocked = lab.card(blockedCell);
  await expect(blocked.locator('.jp-SecureMl-sent')).toHaveText('not sent');
  await expect(lab.cell(blockedCell)).toContainText('RequestBlocked');

  // Fixed: sent, with the difference.
  const fixed = lab.card(await lab.cellWith('credit-risk-fixed-'));
  await expect(fixed.locator('.jp-SecureMl-sent')).toHaveText('sent with fix');
  await expect(fixed.locator('.jp-SecureMl-fixTitle')).toHaveText('Fixed');

  // Compliant: one quiet line. Foreign subnets: caught.
  const quiet = lab.cell(await lab.cellWith('credit-risk-compliant-'));
  await expect(quiet.locator('.jp-SecureMl-quiet')).toContainText('compliant');
  const foreign = lab.card(await lab.cellWith('credit-risk-foreign-'));
  await expect(foreign.locator('.jp-SecureMl-sent')).toHaveText('not sent');
  await expect(foreign).toContainText('Approved network');

  // The panel has heard of each of them, and knows the live state.
  await lab.ran(await lab.cellWith('%secure_ml status'));
  const row = (text: string) => lab.rows().filter({ hasText: text }).first();
  await expect(row('credit-risk-blocked-')).toContainText('Not sent');
  await expect(row('credit-risk-open-')).toContainText(/Stopp(ed|ing)/);
  await expect(row('credit-risk-prepare-')).toContainText('processing');
  await expect(
    row('credit-risk-compliant-').locator('[data-state="fail"]')
  ).toHaveCount(0);
  await expect(lab.page.locator('.jp-SecureMl-statusItem')).toContainText(
    /Guard: \w+ · \d+ findings/
  );
});

test('the card: why, the request, the code, and sending with the fix', async ({
  lab,
  page,
  context
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  lab.write('card.ipynb', [
    CLIENT,
    PROFILE,
    '%secure_ml mode block',
    'train("abalone")'
  ]);
  await lab.open('card.ipynb');
  await lab.guarded();
  await lab.showPanel();
  await lab.widen(420);
  await lab.runAll();
  await lab.ran(3);
  await page.keyboard.press('Escape');
  const card = lab.card(3);
  await expect(card).toBeVisible();
  await lab.picture('card-light', card);

  await card.getByRole('button', { name: 'Why?' }).click();
  await expect(card).toContainText('training-vpc');
  await expect(card).toContainText('cannot see or limit');
  await expect(card).toContainText('EnableNetworkIsolation');
  await card.getByRole('button', { name: 'Show request' }).click();
  const request = card.locator('.jp-SecureMl-request');
  await expect(request).toContainText('TrainingJobName');
  await expect(request).not.toContainText('hunter2');

  await card.getByRole('button', { name: 'Copy code' }).click();
  await page.getByRole('menuitem', { name: 'boto3' }).click();
  await expect
    .poll(() => page.evaluate(() => navigator.clipboard.readText()))
    .toContain('VpcConfig');
  await expect(card.locator('.jp-SecureMl-live')).toContainText(
    'Copied: boto3 code'
  );

  await card.getByRole('button', { name: 'Send with fix' }).click();
  await expect(card.locator('.jp-SecureMl-live')).toContainText('abalone');
  await expect(
    card.locator('.jp-SecureMl-live [data-ok="true"]')
  ).toBeVisible();
  await expect(card.locator('.jp-SecureMl-sent')).toHaveText('sent with fix');
  const mended = card.locator('.jp-SecureMl-lines > [data-mended]');
  await expect(mended.first()).toContainText('before the fix');
  await expect(mended.nth(1)).toContainText('was error');
  await expect(card.getByRole('button', { name: 'Send with fix' })).toHaveCount(
    0
  );
  const sent = lab.rows().first();
  await expect(sent).toContainText(/InProgress|Completed/);

  await card.getByRole('button', { name: 'Show request' }).click();

  // The row tells why and how, by keyboard too.
  await lab.rows().nth(1).locator('.jp-SecureMl-name').focus();
  await page.keyboard.press('Enter');
  await expect(lab.rows().nth(1).locator('.jp-SecureMl-details')).toContainText(
    'ResourceConfig.VolumeKmsKeyId'
  );
  await lab.rows().nth(1).locator('summary').first().click();
  await lab.picture('panel-light');
  await lab.theme('JupyterLab Dark');
  await lab.picture('panel-dark');
});

test('the guard button sets the mode, the status bar says it', async ({
  lab,
  page
}) => {
  lab.write('mode.ipynb', [CLIENT, 'train("moded")']);
  await lab.open('mode.ipynb');
  await lab.guarded();
  await lab.notebook().locator('.jp-SecureMl-guardButton').focus();
  await page.keyboard.press('Enter');
  await page.getByRole('menuitem', { name: /^block/ }).click();
  await lab.guarded('block');
  await expect(page.locator('.jp-SecureMl-statusItem')).toContainText(
    'Guard: block'
  );
  await lab.runAll();
  await expect(lab.cell(1)).toContainText('RequestBlocked');
  await expect(page.locator('.jp-SecureMl-statusItem')).toContainText(
    /Guard: block · [1-9]\d* findings/
  );
});
