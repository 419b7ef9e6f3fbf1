import { defineConfig } from '@playwright/test';

/**
 * A real JupyterLab with the embedded AWS, in the system's Chromium. One worker:
 * all tests share the server, and each leaves no kernel behind.
 */
export default defineConfig({
  testDir: '.',
  outputDir: '../../test-results',
  globalSetup: './server.ts',
  workers: 1,
  timeout: 120_000,
  // On a machine that is not ours a slow moment must not decide; a test that needed its
  // second try is listed as flaky.
  retries: process.env.CI ? 1 : 0,
  expect: { timeout: 20_000 },
  reporter: [['list']],
  use: {
    viewport: { width: 1280, height: 900 },
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
      args: [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync'
      ]
    }
  }
});
