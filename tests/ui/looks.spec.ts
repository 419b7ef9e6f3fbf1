import { CLIENT, expect, PROFILE, test } from './lab';

const THEMES = [
  'JupyterLab Light',
  'JupyterLab Dark',
  'JupyterLab Dark High Contrast'
];

test('accessible in light, dark and high contrast', async ({ lab, page }) => {
  lab.write('axe.ipynb', [
    CLIENT,
    PROFILE,
    '%secure_ml mode block',
    'train("axe")'
  ]);
  await page.setViewportSize({ width: 1400, height: 1300 });
  await lab.open('axe.ipynb');
  await lab.guarded();
  await lab.showPanel();
  await lab.widen(420);
  await lab.runAll();
  await expect(lab.rows()).toHaveCount(1);
  await lab.panel().locator('.jp-AccordionPanel-title').first().click();
  await expect(lab.panel().locator('.jp-SecureMl-values')).toBeVisible();
  await lab.rows().first().locator('.jp-SecureMl-name').click();
  await lab.rows().first().locator('summary').first().click();
  await lab.card(3).getByRole('button', { name: 'Why?' }).click();
  for (const theme of THEMES) {
    await lab.theme(theme);
    expect(await lab.violations(), theme).toEqual([]);
  }
  await lab.theme('JupyterLab Light');
});

test('narrow, the chips fold into a count; wide, there are columns', async ({
  lab
}) => {
  lab.write('width.ipynb', [`${CLIENT}\ntrain("width")`]);
  await lab.open('width.ipynb');
  await lab.guarded();
  const panel = await lab.showPanel();
  await lab.runAll();
  const chips = lab.rows().first().locator('.jp-SecureMl-chips');
  const counts = lab.rows().first().locator('.jp-SecureMl-counts');
  const columns = panel.locator('.jp-SecureMl-columns');
  await lab.widen(300);
  await expect(counts).toBeVisible();
  await expect(chips).toBeHidden();
  await lab.widen(450);
  await expect(chips).toBeVisible();
  await expect(counts).toBeHidden();
  await expect(columns).toBeHidden();
  await lab.widen(700);
  await expect(columns).toBeVisible();
  const width = await panel.evaluate(node =>
    [...node.querySelectorAll('.jp-SecureMl-body')].map(
      body => body.scrollWidth - body.clientWidth
    )
  );
  expect(width.every(overflow => overflow <= 0)).toBe(true);
});

test('Notebook 7: the guard, its button and the card are there too', async ({
  lab,
  page
}) => {
  lab.write('seven.ipynb', [`${CLIENT}\ntrain("seven")`]);
  await lab.open('seven.ipynb', 'notebooks');
  await lab.guarded();
  await lab.runAll();
  await expect(lab.card(0)).toBeVisible();
  await lab.notebook().locator('.jp-SecureMl-guardButton').click();
  await page.getByRole('menuitem', { name: /^observe/ }).click();
  await lab.guarded('observe');
});
