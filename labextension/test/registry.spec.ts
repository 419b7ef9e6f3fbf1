import { describe, expect, it } from 'vitest';
import { GuardRegistry } from '../src/model/registry';
import { FakeDocument, FakeKernel, settle, submission } from './fakes';

describe('GuardRegistry', () => {
  it('keeps two notebooks with two kernels apart', async () => {
    const registry = new GuardRegistry();
    const kernels = [new FakeKernel('k1'), new FakeKernel('k2')] as const;
    const documents = kernels.map(
      (kernel, index) => new FakeDocument(`${index}.ipynb`, kernel)
    );
    documents.forEach(document => registry.add(document));
    await settle();
    kernels.forEach(kernel => kernel.hello());
    kernels[1].push({ records: [submission({ id: 'two' })] });

    registry.follow(documents[0] ?? null);
    expect(registry.current?.id).toBe('k1');
    expect(registry.current?.submissions).toEqual([]);
    registry.follow(documents[1] ?? null);
    expect(registry.current?.submissions.map(({ id }) => id)).toEqual(['two']);
  });

  it('shares one session between two documents on one kernel', () => {
    const registry = new GuardRegistry();
    const first = new FakeDocument('a.ipynb', new FakeKernel('k1'));
    const second = new FakeDocument(
      'console',
      new FakeKernel('k1', { handlesComms: false })
    );
    registry.add(first);
    const session = registry.session('k1');
    registry.add(second);
    expect(registry.session('k1')).toBe(session);
    expect(second.connected).toBe(0);
  });

  it('moves to the connection that takes part in comms', async () => {
    const registry = new GuardRegistry();
    registry.add(
      new FakeDocument('console', new FakeKernel('k1', { handlesComms: false }))
    );
    const session = registry.session('k1');
    registry.add(new FakeDocument('a.ipynb', new FakeKernel('k1')));
    expect(session?.isDisposed).toBe(true);
    expect(registry.session('k1')?.handlesComms).toBe(true);
  });

  it('goes over to the other document when the first one is closed', () => {
    const registry = new GuardRegistry();
    const first = new FakeDocument('a.ipynb', new FakeKernel('k1'));
    const second = new FakeDocument('b.ipynb', new FakeKernel('k1'));
    registry.add(first);
    registry.add(second);
    registry.follow(first);
    const session = registry.session('k1');
    first.disposed.emit();
    expect(session?.isDisposed).toBe(true);
    expect(registry.document).toBe(second);
    expect(registry.current?.isDisposed).toBe(false);
  });

  it('ends a session with the switch to another kernel, and says so', () => {
    const registry = new GuardRegistry();
    const document = new FakeDocument('a.ipynb', new FakeKernel('k1'));
    registry.add(document);
    registry.follow(document);
    const session = registry.current;
    let told = 0;
    registry.currentChanged.connect(() => {
      told += 1;
    });
    document.change(new FakeKernel('k2'));
    expect(session?.isDisposed).toBe(true);
    expect(registry.current?.id).toBe('k2');
    expect(told).toBe(1);
    document.change(null);
    expect(registry.current).toBeNull();
    expect(told).toBe(2);
  });
});
