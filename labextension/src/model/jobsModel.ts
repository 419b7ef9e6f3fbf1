import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import { Signal, type ISignal } from '@lumino/signaling';
import type { IJobList } from '../generated/records';
import type { RestClient } from './client';
import { Failure } from './failure';
import { mergeJobs, type IJobFilter, type IJobRow } from './jobs';
import type { GuardRegistry } from './registry';
import type { GuardSession } from './session';

/**
 * The jobs of the kernel the user looks at.
 *
 * The server is asked when the kernel has said something, when an event came, when
 * somebody looks, and at intervals only while a job is under way.
 */
export class JobsModel implements IDisposable {
  constructor(options: JobsModel.IOptions) {
    this._client = options.client;
    this._registry = options.registry;
    this._isOffline = options.isOffline ?? (() => false);
    this._poll = new Poll({
      name: 'secure-ml-ext:jobs',
      factory: () => this._ask(),
      frequency: {
        interval: options.interval ?? 10_000,
        backoff: true,
        max: 300_000
      },
      standby: () => this._standby()
    });
    this._registry.currentChanged.connect(this._onCurrent, this);
    this._onCurrent();
  }

  /** The kernel whose jobs these are. */
  get kernel(): string | null {
    return this._kernel;
  }

  /** The rows, newest first. */
  get rows(): readonly IJobRow[] {
    return this._rows;
  }

  /** What the server last said about this kernel. */
  get list(): IJobList | null {
    return (this._kernel && this._lists.get(this._kernel)) || null;
  }

  /** Why the server could not be asked, until it can be again. */
  get failure(): Failure | null {
    return this._failure;
  }

  get filter(): IJobFilter {
    return this._filter;
  }
  set filter(filter: IJobFilter) {
    this._filter = filter;
    this._changed.emit();
  }

  /** Whether anybody sees the list; nobody asks the server otherwise. */
  get isVisible(): boolean {
    return this._isVisible;
  }
  set isVisible(isVisible: boolean) {
    if (isVisible !== this._isVisible) {
      this._isVisible = isVisible;
      if (isVisible) {
        this.refresh();
      }
    }
  }

  /** Milliseconds between two questions while a job is under way. */
  get interval(): number {
    return this._poll.frequency.interval;
  }
  set interval(interval: number) {
    this._poll.frequency = { ...this._poll.frequency, interval };
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._poll.isDisposed;
  }

  dispose(): void {
    if (!this.isDisposed) {
      this._poll.dispose();
      this._session?.changed.disconnect(this._onSession, this);
      Signal.clearData(this);
    }
  }

  /**
   * Ask the server now, or as soon as somebody looks.
   */
  refresh(): void {
    this._isDue = true;
    void this._poll.refresh();
  }

  /**
   * Somebody else (an event of the server) says that a kernel's jobs have changed.
   */
  touch(kernel: string | null): void {
    if (kernel === null || kernel === this._kernel) {
      this.refresh();
    }
  }

  private _onCurrent(): void {
    const session = this._registry.current;
    const kernel = this._registry.document?.kernelId ?? null;
    if (session !== this._session) {
      this._session?.changed.disconnect(this._onSession, this);
      this._session = session;
      this._session?.changed.connect(this._onSession, this);
    }
    if (kernel !== this._kernel) {
      this._kernel = kernel;
      this._failure = null;
    }
    this._heard = session?.submissions;
    this._merge();
    this.refresh();
  }

  private _onSession(): void {
    const submissions = this._session?.submissions;
    const isNew = submissions !== this._heard;
    this._heard = submissions;
    this._merge();
    if (isNew) {
      this.refresh();
    }
  }

  private async _ask(): Promise<void> {
    const kernel = this._kernel;
    this._isDue = false;
    if (kernel === null) {
      return;
    }
    let failure: Failure | null = null;
    try {
      this._lists.set(kernel, await this._client.jobs(kernel));
    } catch (reason) {
      failure = Failure.from(reason);
    }
    // The user may look at another kernel by now: a late reply must not show there.
    if (this.isDisposed || kernel !== this._kernel) {
      return;
    }
    this._failure = failure;
    this._merge();
    if (failure) {
      // The poll backs off on a rejection.
      throw failure;
    }
  }

  private _merge(): void {
    this._rows = mergeJobs(
      this.list?.jobs ?? [],
      this._session?.submissions ?? []
    );
    this._changed.emit();
  }

  private _standby(): boolean | Poll.Standby {
    const isMoving =
      this._failure !== null ||
      !!this.list?.problem ||
      this._rows.some(row => !row.final);
    if (!this._isVisible || this._isOffline() || !(this._isDue || isMoving)) {
      return true;
    }
    return 'when-hidden';
  }

  private _client: RestClient;
  private _registry: GuardRegistry;
  private _isOffline: () => boolean;
  private _poll: Poll<void>;
  private _session: GuardSession | null = null;
  private _heard: unknown = undefined;
  private _kernel: string | null = null;
  private _lists = new Map<string, IJobList>();
  private _rows: IJobRow[] = [];
  private _failure: Failure | null = null;
  private _filter: IJobFilter = { group: 'all', text: '' };
  private _isVisible = false;
  private _isDue = true;
  private _changed = new Signal<this, void>(this);
}

export namespace JobsModel {
  /** What the model works with. */
  export interface IOptions {
    client: RestClient;
    registry: GuardRegistry;
    /** Milliseconds between two questions while a job is under way. */
    interval?: number;
    /** Whether the browser has lost the server. */
    isOffline?: () => boolean;
  }
}
