import { Signal } from '@lumino/signaling';
import type { IReport, ISubmission } from '../src/generated/records';
import type {
  ICommHandlers,
  IKernelPort,
  KernelLife
} from '../src/model/kernelPort';
import type { IDocumentPort } from '../src/model/registry';

/** A kernel without a kernel: what it was asked is kept, what it answers is set. */
export class FakeKernel implements IKernelPort {
  constructor(
    readonly id: string,
    options: Partial<FakeKernel> = {}
  ) {
    Object.assign(this, options);
  }

  handlesComms = true;
  speaks = 'python';
  reply: string | null = reprOf({ state: 'loaded' });
  isDisposed = false;
  evaluated: string[] = [];
  sent: Record<string, unknown>[] = [];
  comms: (ICommHandlers & { isDisposed: boolean })[] = [];
  readonly lifeChanged = new Signal<this, KernelLife>(this);
  readonly executed = new Signal<this, string>(this);
  readonly displayed = new Signal<this, unknown>(this);

  dispose(): void {
    this.isDisposed = true;
  }

  async language(): Promise<string> {
    return this.speaks;
  }

  async evaluate(expression: string): Promise<string | null> {
    this.evaluated.push(expression);
    return this.reply;
  }

  openComm(target: string, handlers: ICommHandlers) {
    const comm = { ...handlers, isDisposed: false };
    this.comms.push(comm);
    return {
      get isDisposed() {
        return comm.isDisposed;
      },
      send: (data: Record<string, unknown>) => {
        this.sent.push(data);
      },
      dispose: () => {
        comm.isDisposed = true;
      }
    };
  }

  /** Push through the comm that was opened last. */
  push(data: unknown): void {
    this.comms[this.comms.length - 1]?.onMessage(data);
  }

  hello(mode = 'warn', locked = false): void {
    this.push({
      records: [
        {
          type: 'hello',
          schema: 'secure-ml/spool@1',
          time: '2026-11-22T10:00:00Z',
          kernel: this.id,
          pid: 1,
          version: '0.1.0',
          mode,
          locked
        }
      ]
    });
  }
}

/** A document whose kernel can be exchanged. */
export class FakeDocument implements IDocumentPort {
  constructor(
    readonly path: string,
    private _kernel: FakeKernel | null
  ) {}

  readonly kernelChanged = new Signal<this, void>(this);
  readonly disposed = new Signal<this, void>(this);
  connected = 0;

  get connection(): FakeKernel | null {
    return this._kernel;
  }

  get kernelId(): string | null {
    return this._kernel?.id ?? null;
  }

  connect(): FakeKernel {
    this.connected += 1;
    return this._kernel as FakeKernel;
  }

  change(kernel: FakeKernel | null): void {
    this._kernel = kernel;
    this.kernelChanged.emit();
  }
}

/** What a kernel answers to the loading expression. */
export function reprOf(value: unknown): string {
  return `'${Buffer.from(JSON.stringify(value)).toString('hex')}'`;
}

/** Let promises settle. */
export function settle(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, 0));
}

/** A report with so many errors and warnings. */
export function report(error = 0, warning = 0): IReport {
  return {
    schema: 'secure-ml/report@1',
    subjects: [],
    summary: { error, warning, info: 0 }
  };
}

/** A submission, changed where a test needs it. */
export function submission(parts: Partial<ISubmission> = {}): ISubmission {
  return {
    type: 'submission',
    id: 's1',
    time: '2026-11-22T10:00:00.000Z',
    operation: 'CreateTrainingJob',
    name: 'abalone',
    action: 'warned',
    outcome: 'created',
    arn: null,
    account: null,
    region: null,
    endpoint: null,
    error: null,
    notebook: null,
    cell: null,
    report: report(),
    ...parts
  };
}
