import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../..');
const PYTHON = process.env.PYTHON_ENV || join(ROOT, '.venv/bin/python');

/**
 * Kernels that a test needs beside the usual one: an environment without our package,
 * a language that is not Python, and one whose administrator locked the mode.
 */
function writeKernels(work: string): void {
  const bare = [
    'import sys',
    `sys.path = [p for p in sys.path if p != ${JSON.stringify(ROOT)} and p]`,
    "sys.meta_path = [f for f in sys.meta_path if 'editable' not in repr(f).lower()]",
    'from ipykernel import kernelapp',
    'kernelapp.launch_new_instance()'
  ].join('\n');
  const config = join(work, '.demo', 'locked.json');
  const usual = [PYTHON, '-m', 'ipykernel_launcher', '-f', '{connection_file}'];
  const kernels = {
    locked: usual,
    other: usual,
    bare: [PYTHON, '-c', bare, '-f', '{connection_file}']
  };
  for (const [name, argv] of Object.entries(kernels)) {
    const folder = join(work, '.demo/jupyter-data/kernels', name);
    mkdirSync(folder, { recursive: true });
    const language = name === 'other' ? 'r' : 'python';
    writeFileSync(
      join(folder, 'kernel.json'),
      JSON.stringify({
        argv,
        display_name: name,
        language,
        env: name === 'locked' ? { SECURE_ML_CONFIG: config } : {}
      })
    );
  }
  const content = { schema: 'secure-ml/config@1', mode: 'block' };
  writeFileSync(config, JSON.stringify({ ...content, locked: ['mode'] }));
}

/**
 * Start the demo as a user would, and end it after the last test.
 */
export default async function start(): Promise<() => Promise<void>> {
  const work = mkdtempSync(join(tmpdir(), 'secure-ml-ui-'));
  writeKernels(work);
  const demo = spawn(
    PYTHON,
    ['-m', 'secure_ml_ext.demo', '--no-browser', '--work', work],
    { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] }
  );
  let said = '';
  const url = await new Promise<URL>((done, fail) => {
    const read = (data: Buffer) => {
      said += data.toString();
      const found = /^Open (http:\S+)/m.exec(said);
      if (found?.[1]) {
        done(new URL(found[1]));
      }
    };
    demo.stdout.on('data', read);
    demo.stderr.on('data', read);
    demo.on('exit', code =>
      fail(new Error(`The demo ended (exit ${code}).\n${said}`))
    );
  });
  process.env.SECURE_ML_UI_BASE = url.origin;
  process.env.SECURE_ML_UI_TOKEN = url.searchParams.get('token') ?? '';
  process.env.SECURE_ML_UI_WORK = work;
  return async () => {
    const ended = new Promise(done => demo.once('exit', done));
    demo.kill('SIGINT');
    await ended;
    rmSync(work, { recursive: true, force: true });
  };
}
