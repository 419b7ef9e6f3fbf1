// Open a JupyterLab in Chromium and print, as JSON, what the console said and which of our plugins
// are there. Usage: node load.mjs <url> <path of Chromium>
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../package.json', import.meta.url));
const { chromium } = require('@playwright/test');

const [url, executablePath] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
try {
  const page = await browser.newPage();
  const messages = [];
  page.on('console', message => messages.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', error => messages.push(`exception: ${error.message}`));
  await page.goto(`${url}/lab?reset`);
  await page.waitForFunction(() => globalThis.jupyterapp?.started, null, { timeout: 60000 });
  const found = await page.evaluate(async () => {
    const app = globalThis.jupyterapp;
    await app.started;
    const ours = app.listPlugins().filter(id => id.startsWith('secure-ml-ext:'));
    await app.activateDeferredPlugins?.();
    return {
      version: app.version,
      plugins: Object.fromEntries(ours.map(id => [id, app.isPluginActivated(id)]))
    };
  });
  // Views are loaded on first use, each asking for its shared packages only then.
  await page.evaluate(async () => {
    const { commands } = globalThis.jupyterapp;
    await commands.execute('secure-ml-ext:show-panel');
    const notebook = await commands.execute('notebook:create-new', {
      kernelName: 'python3'
    });
    await notebook.sessionContext.ready;
    await notebook.sessionContext.session.kernel.info;
  });
  for (const place of ['.jp-NotebookPanel', '.jp-SidePanel']) {
    await page.locator(`${place} [class*="jp-SecureMl-"]`).first().waitFor();
  }
  await page.waitForTimeout(1500);
  // A server that is told to stop while kernels run takes its time.
  await page.evaluate(() => globalThis.jupyterapp.serviceManager.sessions.shutdownAll());
  console.log(JSON.stringify({ ...found, messages }));
} finally {
  await browser.close();
}
