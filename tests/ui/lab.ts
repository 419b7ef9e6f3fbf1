import AxeBuilder from '@axe-core/playwright';
import {
  test as base,
  expect,
  type Locator,
  type Page
} from '@playwright/test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const TOKEN = () => process.env.SECURE_ML_UI_TOKEN ?? '';

/** Python that a test's notebook starts with. */
export const CLIENT = `import boto3, time
stamp = time.strftime("-%H%M%S")
sm = boto3.client("sagemaker")
account = boto3.client("sts").get_caller_identity()["Account"]
def train(name, **extra):
    return sm.create_training_job(
        TrainingJobName=name + stamp,
        RoleArn=f"arn:aws:iam::{account}:role/sm-mlops-dev-execution-role",
        AlgorithmSpecification={"TrainingImage": f"{account}.dkr.ecr.eu-west-1.amazonaws.com/x:1",
                                "TrainingInputMode": "File"},
        HyperParameters={"password": "hunter2"},
        OutputDataConfig={"S3OutputPath": "s3://sm-mlops-dev-eu-west-1-models/ui"},
        ResourceConfig={"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10},
        StoppingCondition={"MaxRuntimeInSeconds": 600}, **extra) and None`;

/** Fetch the environment without printing it, so that fixes are complete. */
export const PROFILE = `from IPython.utils.capture import capture_output
with capture_output():
    get_ipython().run_line_magic("secure_ml", "profile")`;

/** What of the page is ours. */
const OURS = [
  '#secure-ml-ext-panel',
  '.jp-SecureMl-output',
  '.jp-SecureMl-guardButton',
  '.jp-SecureMl-statusItem'
];

/**
 * JupyterLab as the tests use it.
 */
export class Lab {
  constructor(readonly page: Page) {}

  /** What the browser's console said that must not be said. */
  readonly complaints: string[] = [];

  /** Put a notebook into the server's folder. */
  write(
    name: string,
    cells: (string | { source: string; outputs: unknown[] })[],
    kernel = 'python3'
  ): void {
    const notebook = {
      nbformat: 4,
      nbformat_minor: 5,
      metadata: {
        kernelspec: { name: kernel, display_name: kernel, language: 'python' }
      },
      cells: cells.map((cell, index) => ({
        cell_type: 'code',
        id: `cell-${index}`,
        metadata: {},
        execution_count: null,
        source: typeof cell === 'string' ? cell : cell.source,
        outputs: typeof cell === 'string' ? [] : cell.outputs
      }))
    };
    const work = process.env.SECURE_ML_UI_WORK ?? '';
    writeFileSync(join(work, name), JSON.stringify(notebook));
  }

  async open(path = '', app = 'lab/tree'): Promise<void> {
    const base = process.env.SECURE_ML_UI_BASE;
    const at = path ? `${app}/${path}` : 'lab';
    await this.page.goto(`${base}/${at}?token=${TOKEN()}&reset`);
    if (app === 'lab/tree') {
      await this.page.locator('#jp-main-dock-panel').waitFor();
    }
    if (path) {
      await this.notebook().waitFor();
    }
  }

  /** Open a notebook from the file browser, beside those that are open. */
  async openBeside(name: string): Promise<void> {
    await this.menu('File', 'Open from Path');
    await this.page.locator('.jp-Dialog input').fill(name);
    await this.page.locator('.jp-Dialog .jp-mod-accept').click();
    // Until it is in front, the notebook before it is what every other step would find.
    await this.page
      .locator('#jp-main-dock-panel .lm-TabBar-tab.lm-mod-current', {
        hasText: name
      })
      .waitFor();
    await this.notebook().waitFor();
  }

  /** The notebook in front. */
  notebook(): Locator {
    return this.page.locator('.jp-NotebookPanel:not(.lm-mod-hidden)');
  }

  cell(index: number): Locator {
    return this.notebook().locator('.jp-Notebook-cell').nth(index);
  }

  /** The index of the code cell that holds a text. */
  async cellWith(text: string): Promise<number> {
    const cells = this.notebook().locator('.jp-Notebook-cell');
    const sources = await cells.evaluateAll(nodes =>
      nodes.map(node => node.querySelector('.cm-content')?.textContent ?? '')
    );
    const index = sources.findIndex(source => source.includes(text));
    expect(index, text).toBeGreaterThan(0);
    return index;
  }

  card(index: number): Locator {
    return this.cell(index).locator('.jp-SecureMl-card');
  }

  /** Choose from the menu bar, e.g. `menu('Kernel', 'Restart Kernel…')`. */
  async menu(...path: string[]): Promise<void> {
    const [first = '', ...rest] = path;
    await this.page
      .locator('.lm-MenuBar-item', { hasText: first })
      .first()
      .click();
    for (const label of rest) {
      await this.page
        .locator('.lm-Menu-item', { hasText: label })
        .first()
        .click();
    }
  }

  /** Wait until the guard of the notebook in front is loaded. */
  async guarded(mode = 'warn'): Promise<void> {
    await expect(
      this.notebook().locator('.jp-SecureMl-guardButton')
    ).toHaveText(mode, { timeout: 40_000 });
  }

  async runAll(): Promise<void> {
    await this.menu('Run', 'Run All Cells');
  }

  /** Run one cell and wait until it has a number. */
  async run(index: number): Promise<void> {
    await this.cell(index).locator('.cm-content').click();
    await this.page.keyboard.press('Control+Enter');
    await this.ran(index);
  }

  async ran(index: number): Promise<void> {
    await expect(
      this.cell(index).locator('.jp-InputArea-prompt').first()
    ).toHaveText(/\[\d+\]/, { timeout: 60_000 });
  }

  async restart(label = 'Restart Kernel…'): Promise<void> {
    await this.menu('Kernel', label);
    await this.page.locator('.jp-Dialog .jp-mod-accept').click();
  }

  panel(): Locator {
    return this.page.locator('#secure-ml-ext-panel');
  }

  async showPanel(): Promise<Locator> {
    if (!(await this.panel().isVisible())) {
      await this.page.locator('[data-id="secure-ml-ext-panel"]').click();
    }
    await expect(this.panel()).toBeVisible();
    return this.panel();
  }

  rows(): Locator {
    return this.panel().locator('.jp-SecureMl-row');
  }

  /** Make the left side bar so wide. */
  async widen(width: number): Promise<void> {
    const handle = this.page
      .locator('#jp-main-split-panel > .lm-SplitPanel-handle')
      .first();
    const panel = await this.panel().boundingBox();
    const box = await handle.boundingBox();
    if (!panel || !box) {
      throw new Error('The side bar is not open.');
    }
    await this.page.mouse.move(box.x + 2, 400);
    await this.page.mouse.down();
    await this.page.mouse.move(panel.x + width, 400, { steps: 4 });
    await this.page.mouse.up();
  }

  /**
   * Keep a picture for the README; only with UPDATE_IMAGES, so that a test run leaves
   * the tree as it was.
   */
  async picture(name: string, part?: Locator): Promise<void> {
    if (!process.env.UPDATE_IMAGES) {
      return;
    }
    const path = join(__dirname, '../../docs/images', `${name}.png`);
    await part?.evaluate(node => node.scrollIntoView({ block: 'center' }));
    const box = await part?.boundingBox();
    // A little of what is around it, so that its border is seen.
    const clip = box && {
      x: box.x - 2,
      y: box.y - 2,
      width: box.width + 4,
      height: box.height + 4
    };
    await this.page.screenshot({ path, ...(clip && { clip }) });
  }

  /** What axe finds wrong with what is ours, in the theme that is shown. */
  async violations(): Promise<[string, string[]][]> {
    let axe = new AxeBuilder({ page: this.page });
    for (const part of OURS) {
      axe = axe.include(part);
    }
    const { violations } = await axe.analyze();
    return violations.map(({ id, nodes }) => [
      id,
      nodes.map(node => `${node.target} ${node.failureSummary}`)
    ]);
  }

  async theme(name: string): Promise<void> {
    await this.menu('Settings', 'Theme', name);
    await expect(this.page.locator('body')).toHaveAttribute(
      'data-jp-theme-name',
      name
    );
    await expect(this.page.locator('#jupyterlab-splash')).toHaveCount(0);
  }
}

/** A test with a JupyterLab, which must not complain and leaves no kernel behind. */
export const test = base.extend<{ lab: Lab }>({
  lab: async ({ page, request }, use) => {
    const lab = new Lab(page);
    page.on('console', message => {
      if (
        /Unsatisfied version|secure-ml-ext.*(fail|error)/i.test(message.text())
      ) {
        lab.complaints.push(message.text());
      }
    });
    page.on('pageerror', error => {
      // Notebook 7 throws in its own code; what is ours names our files.
      if (/secure-ml-ext/.test(error.stack ?? '')) {
        lab.complaints.push(error.message);
      }
    });
    await use(lab);
    const base = process.env.SECURE_ML_UI_BASE;
    const headers = { Authorization: `token ${TOKEN()}` };
    const sessions = await request.get(`${base}/api/sessions`, { headers });
    for (const session of (await sessions.json()) as { id: string }[]) {
      await request.delete(`${base}/api/sessions/${session.id}`, { headers });
    }
    expect(lab.complaints).toEqual([]);
  }
});

export { expect };
