import { CLIENT, expect, test } from './lab';

test('without a notebook the panel says so', async ({ lab }) => {
  await lab.open();
  const panel = await lab.showPanel();
  await expect(panel.locator('[data-kind="no-notebook"]')).toBeVisible();
  await expect(panel).toContainText('Open a notebook to see the jobs');
  await panel.getByRole('button', { name: 'New notebook' }).click();
  await expect(
    lab.page.locator('.jp-Dialog, .jp-NotebookPanel').first()
  ).toBeVisible();
});

test('a kernel that was shut down is not guarded', async ({ lab }) => {
  lab.write('down.ipynb', ['1']);
  await lab.open('down.ipynb');
  await lab.guarded();
  const panel = await lab.showPanel();
  await lab.menu('Kernel', 'Shut Down Kernel');
  await expect(panel.locator('[data-kind="no-kernel"]')).toBeVisible();
  await panel.getByRole('button', { name: 'Choose kernel' }).click();
  await expect(lab.page.locator('.jp-Dialog')).toContainText('Select Kernel');
});

test('a kernel without the package is told how to get it', async ({ lab }) => {
  lab.write('bare.ipynb', ['1'], 'bare');
  await lab.open('bare.ipynb');
  const panel = await lab.showPanel();
  const blank = panel.locator('[data-kind="not-installed"]');
  await expect(blank).toContainText('not installed in this kernel');
  await expect(blank.locator('code')).toHaveText(
    /python\S* -m pip install secure_ml_ext$/
  );
  await expect(lab.notebook().locator('.jp-SecureMl-guardButton')).toHaveText(
    'not installed'
  );
  // It leaves no trace in the user's namespace.
  await lab.run(0);
  await expect(lab.cell(0)).toContainText('[1]');
});

test('a kernel that is not Python is left alone', async ({ lab }) => {
  lab.write('other.ipynb', ['1'], 'other');
  await lab.open('other.ipynb');
  const panel = await lab.showPanel();
  await expect(panel.locator('[data-kind="not-python"]')).toContainText(
    'This kernel speaks r'
  );
});

test('a mode that the organisation locked is shown and cannot be changed', async ({
  lab,
  page
}) => {
  lab.write('locked.ipynb', ['%secure_ml status'], 'locked');
  await lab.open('locked.ipynb');
  await lab.guarded('block');
  const button = lab.notebook().locator('.jp-SecureMl-guardButton');
  await expect(button).toHaveAccessibleName(
    'Guard: block, locked by your administrator'
  );
  await button.click();
  const items = page.getByRole('menuitem');
  await expect(items.filter({ hasText: /^warn/ })).toHaveClass(
    /lm-mod-disabled/
  );
  await expect(items.filter({ hasText: 'locked by' })).toBeVisible();
  await page.keyboard.press('Escape');
  await lab.run(0);
  await expect(lab.cell(0)).toContainText('fixed by your organisation');
});

test('an unloaded guard can be loaded again, from the panel and by hand', async ({
  lab
}) => {
  lab.write('unload.ipynb', [
    '%unload_ext secure_ml_ext',
    '%load_ext secure_ml_ext',
    `${CLIENT}\ntrain("again")`
  ]);
  await lab.open('unload.ipynb');
  await lab.guarded();
  const panel = await lab.showPanel();
  await lab.run(0);
  await expect(panel.locator('[data-kind="not-loaded"]')).toBeVisible();
  await expect(lab.page.locator('.jp-SecureMl-statusItem')).toContainText(
    'Guard: off'
  );
  await panel.getByRole('button', { name: 'Load guard' }).click();
  await lab.guarded();
  await lab.run(0);
  await expect(panel.locator('[data-kind="not-loaded"]')).toBeVisible();
  await lab.run(1);
  await lab.guarded();
  await lab.run(2);
  await expect(lab.card(2)).toBeVisible();
});

// What AWS or the server may answer, in the shape of the OpenAPI document.
const failures = [
  {
    status: 403,
    body: {
      code: 'access-denied',
      message: 'AWS refused sagemaker:DescribeTrainingJob.',
      remedy: 'Ask for sagemaker:DescribeTrainingJob.',
      action: 'sagemaker:DescribeTrainingJob'
    },
    shows: 'sagemaker:DescribeTrainingJob',
    button: 'Try again'
  },
  {
    status: 401,
    body: {
      code: 'no-credentials',
      message: 'There are no AWS credentials.',
      remedy: 'Attach a role to this space.'
    },
    shows: 'Attach a role to this space.',
    button: 'Try again'
  },
  {
    status: 404,
    body: null,
    shows: 'The server extension secure_ml_ext is not running.',
    button: 'Copy check command'
  }
];

for (const { status, body, shows, button } of failures) {
  test(`an answer ${status} becomes a sentence and a button`, async ({
    lab,
    page
  }) => {
    lab.write('failing.ipynb', ['1']);
    await page.route(/secure-ml-ext\/(jobs|profile)/, route =>
      route.fulfill(
        body
          ? { status, json: body }
          : { status, body: '<html>404</html>', contentType: 'text/html' }
      )
    );
    await lab.open('failing.ipynb');
    await lab.guarded();
    const panel = await lab.showPanel();
    const said = panel.locator('[data-kind="problem"]');
    await expect(said).toHaveCount(2);
    await expect(said.first()).toContainText(shows);
    await page.unroute(/secure-ml-ext\/(jobs|profile)/);
    await expect(
      said.first().getByRole('button', { name: button })
    ).toBeVisible();
    await panel
      .locator('.jp-SecureMl-header')
      .getByRole('button')
      .first()
      .click();
    await expect(said).toHaveCount(0);
    await expect(panel).toContainText('no SageMaker job yet');
  });
}

test('the setting keeps the guard out until it is asked for', async ({
  lab,
  page
}) => {
  lab.write('manual.ipynb', ['1']);
  const settings = `${process.env.SECURE_ML_UI_BASE}/lab/api/settings/secure-ml-ext:client`;
  const headers = { Authorization: `token ${process.env.SECURE_ML_UI_TOKEN}` };
  const save = (raw: string) =>
    page.request.put(settings, { headers, data: { raw } });
  expect((await save('{"autoLoad": false}')).ok()).toBe(true);
  try {
    await lab.open('manual.ipynb');
    const panel = await lab.showPanel();
    await expect(panel.locator('[data-kind="not-loaded"]')).toBeVisible();
    await panel.getByRole('button', { name: 'Load guard' }).click();
    await lab.guarded();
  } finally {
    await save('{}');
  }
});
