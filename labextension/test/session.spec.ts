import { describe, expect, it } from 'vitest';
import { GuardSession } from '../src/model/session';
import { FakeKernel, reprOf, settle, submission } from './fakes';

async function loaded(kernel = new FakeKernel('k1')) {
  const session = new GuardSession(kernel, true);
  await settle();
  kernel.hello();
  return { kernel, session };
}

describe('GuardSession', () => {
  it('loads the guard, opens one comm, and is loaded once the kernel says hello', async () => {
    const kernel = new FakeKernel('k1');
    const session = new GuardSession(kernel, true);
    expect(session.state.phase).toBe('starting');
    await settle();
    expect(kernel.evaluated).toHaveLength(1);
    expect(kernel.comms).toHaveLength(1);
    expect(session.state.phase).toBe('loading');
    kernel.hello('block', true);
    expect(session.state).toEqual({
      phase: 'loaded',
      mode: 'block',
      locked: true,
      version: '0.1.0'
    });
  });

  it('never sends anything by itself: a message would defeat idle shutdown', async () => {
    const { kernel } = await loaded();
    expect(kernel.sent).toEqual([]);
  });

  it('leaves other languages alone', async () => {
    const kernel = new FakeKernel('k1', { speaks: 'r' });
    const session = new GuardSession(kernel, true);
    await settle();
    expect(session.state).toEqual({ phase: 'not-python', language: 'r' });
    expect(kernel.evaluated).toEqual([]);
    expect(kernel.comms).toEqual([]);
  });

  it("names the kernel's own interpreter where the package is missing", async () => {
    const kernel = new FakeKernel('k1', {
      reply: reprOf({ state: 'not-installed', python: '/opt/conda/bin/python' })
    });
    const session = new GuardSession(kernel, true);
    await settle();
    expect(session.state).toEqual({
      phase: 'not-installed',
      command: '/opt/conda/bin/python -m pip install secure_ml_ext'
    });
    expect(kernel.comms).toEqual([]);
  });

  it('says why loading failed, and tries again when asked', async () => {
    const kernel = new FakeKernel('k1', {
      reply: reprOf({ state: 'failed', message: 'ImportError: no msgspec' })
    });
    const session = new GuardSession(kernel, true);
    await settle();
    expect(session.state).toEqual({
      phase: 'failed',
      message: 'ImportError: no msgspec'
    });
    kernel.reply = reprOf({ state: 'loaded' });
    await session.load();
    kernel.hello();
    expect(session.state.phase).toBe('loaded');
  });

  it('without auto-load only looks whether somebody loaded it, and looks again after %load_ext', async () => {
    const kernel = new FakeKernel('k1');
    const session = new GuardSession(kernel, false);
    await settle();
    expect(kernel.evaluated).toEqual([]);
    kernel.comms[0]?.onClose();
    expect(session.state.phase).toBe('not-loaded');
    kernel.executed.emit('x = 1');
    expect(kernel.comms).toHaveLength(1);
    kernel.executed.emit('%load_ext secure_ml_ext');
    expect(kernel.comms).toHaveLength(2);
    kernel.hello();
    expect(session.state.phase).toBe('loaded');
  });

  it('loads although a comm that was tried before the guard was there is closed meanwhile', async () => {
    const kernel = new FakeKernel('k1');
    const session = new GuardSession(kernel, false);
    await settle();
    kernel.comms[0]?.onClose();
    for (const closes of ['before the reply', 'after the reply']) {
      kernel.executed.emit('%unload_ext secure_ml_ext');
      const tried = kernel.comms.length - 1;
      const loading = session.load();
      if (closes === 'before the reply') {
        kernel.comms[tried]?.onClose();
      }
      await loading;
      if (closes === 'after the reply') {
        kernel.comms[tried]?.onClose();
      }
      expect(kernel.comms, closes).toHaveLength(tried + 2);
      kernel.hello();
      expect(session.state.phase, closes).toBe('loaded');
      kernel.comms[tried + 1]?.onClose();
      expect(session.state.phase, closes).toBe('not-loaded');
    }
  });

  it('is not stuck when the guard is loaded and the kernel serves no panel', async () => {
    const kernel = new FakeKernel('k1');
    const session = new GuardSession(kernel, true);
    await settle();
    kernel.comms[0]?.onClose();
    expect(session.state.phase).toBe('not-loaded');
  });

  it('asks a guard that is loaded already for its mode', async () => {
    const { kernel, session } = await loaded();
    await session.load();
    expect(kernel.sent).toEqual([{ type: 'sync' }]);
    kernel.hello('fix');
    expect(session.state.phase).toBe('loaded');
  });

  it('keeps one row per submission, newest first, as outcomes come in', async () => {
    const { kernel, session } = await loaded();
    const first = submission({ id: 'a', outcome: 'pending' });
    const second = submission({ id: 'b', time: '2026-11-22T11:00:00.000Z' });
    kernel.push({ records: [first, second] });
    kernel.push({ records: [{ ...first, outcome: 'created', arn: 'arn:a' }] });
    expect(session.submissions.map(({ id }) => id)).toEqual(['b', 'a']);
    expect(session.submissions[1]?.arn).toBe('arn:a');
  });

  it('follows a change of mode and asks for one', async () => {
    const { kernel, session } = await loaded();
    session.setMode('fix');
    expect(kernel.sent).toEqual([{ type: 'set-mode', mode: 'fix' }]);
    expect(session.state).toMatchObject({ mode: 'warn' });
    kernel.push({
      records: [{ type: 'mode', time: '', mode: 'fix', locked: false }]
    });
    expect(session.state).toMatchObject({ mode: 'fix' });
  });

  it('after a restart forgets what the old process held and opens a new comm', async () => {
    const { kernel, session } = await loaded();
    kernel.displayed.emit({ held: 'h1' });
    kernel.push({ records: [submission()] });
    expect(session.holds('h1')).toBe(true);
    kernel.lifeChanged.emit('restarting');
    expect(session.holds('h1')).toBe(false);
    expect(session.submissions).toEqual([]);
    expect(kernel.comms[0]?.isDisposed).toBe(true);
    kernel.lifeChanged.emit('ready');
    await settle();
    expect(kernel.comms).toHaveLength(2);
    kernel.hello();
    expect(session.state.phase).toBe('loaded');
    expect(session.holds('h1')).toBe(false);
  });

  it('drops what the old comm still says after a restart', async () => {
    const { kernel, session } = await loaded();
    const old = kernel.comms[0];
    kernel.lifeChanged.emit('restarting');
    old?.onMessage({ records: [submission()] });
    expect(session.submissions).toEqual([]);
  });

  it('drops the answer to a load that a restart has overtaken', async () => {
    const kernel = new FakeKernel('k1');
    let answer: (repr: string) => void = () => undefined;
    kernel.evaluate = () =>
      new Promise(resolve => {
        answer = resolve;
      });
    const session = new GuardSession(kernel, true);
    await settle();
    kernel.lifeChanged.emit('restarting');
    answer(reprOf({ state: 'not-installed', python: 'python' }));
    await settle();
    expect(session.state.phase).toBe('starting');
  });

  it('sends a held request by its id alone, once', async () => {
    const { kernel, session } = await loaded();
    kernel.displayed.emit({ held: 'h1' });
    const first = session.sendWithFix('h1');
    const second = session.sendWithFix('h1');
    expect(kernel.sent).toEqual([{ type: 'send-with-fix', held: 'h1' }]);
    const sent = submission({ id: 'r', action: 'resent' });
    kernel.push({
      reply: { held: 'h1', ok: true, message: 'Created.', submission: sent }
    });
    expect((await first).ok).toBe(true);
    expect(await second).toBe(await first);
    expect(session.holds('h1')).toBe(false);
    expect(session.submissions[0]?.id).toBe('r');
  });

  it('refuses an id that this process never showed', async () => {
    const { kernel, session } = await loaded();
    const reply = await session.sendWithFix('from-a-saved-notebook');
    expect(reply.ok).toBe(false);
    expect(kernel.sent).toEqual([]);
  });

  it('answers a waiting send when the kernel is restarted', async () => {
    const { kernel, session } = await loaded();
    kernel.displayed.emit({ held: 'h1' });
    const reply = session.sendWithFix('h1');
    kernel.lifeChanged.emit('restarting');
    expect(await reply).toMatchObject({ ok: false, lost: 'restarted' });
  });

  it('takes a list of held ids from the kernel as the whole truth', async () => {
    const { kernel, session } = await loaded();
    kernel.displayed.emit({ held: 'old' });
    kernel.push({ records: [], held: ['h2'] });
    expect([session.holds('old'), session.holds('h2')]).toEqual([false, true]);
  });
});
