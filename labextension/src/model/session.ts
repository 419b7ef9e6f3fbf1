import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';
import { PromiseDelegate } from '@lumino/coreutils';
import type {
  IDecision,
  ISubmission,
  Mode,
  SpoolRecord
} from '../generated/records';
import { COMM_TARGET } from '../generated/words';
import type { ICommPort, IKernelPort, KernelLife } from './kernelPort';
import { installCommand, LOAD_EXPRESSION, readLoadReply } from './loader';

/**
 * The guard of one kernel, as far as this browser can see it.
 */
export type GuardState =
  | { phase: 'starting' }
  | { phase: 'not-python'; language: string }
  | { phase: 'not-loaded' }
  | { phase: 'loading' }
  | { phase: 'loaded'; mode: Mode; locked: boolean; version: string }
  | { phase: 'not-installed'; command: string }
  | { phase: 'failed'; message: string }
  /** Another connection to this kernel takes part in comms. */
  | { phase: 'elsewhere' }
  | { phase: 'dead' };

/** Why a kernel no longer holds a request. */
export type LostReason = 'restarted' | 'unloaded' | 'gone';

/** What the kernel answers when it is asked to send a held request. */
export interface ISendReply {
  held: string;
  ok: boolean;
  message: string;
  submission: ISubmission | null;
  /** Set where there was nobody to answer. */
  lost?: LostReason;
}

/** An error that the kernel reports about a message it was sent. */
export interface IKernelError {
  code: string;
  message: string;
  remedy: string;
}

/**
 * Follows the guard of one kernel: loads it, holds one comm to it, and keeps what it says.
 *
 * The kernel pushes and this class never polls: a comm message counts as activity
 * and would defeat idle shutdown.
 */
export class GuardSession implements IDisposable {
  /**
   * @param port - The kernel.
   * @param autoLoad - Whether the guard is loaded without being asked for.
   */
  constructor(port: IKernelPort, autoLoad: boolean) {
    this._port = port;
    this._autoLoad = autoLoad;
    port.lifeChanged.connect(this._onLife, this);
    port.executed.connect(this._onExecuted, this);
    port.displayed.connect(this._onDisplayed, this);
    void this._begin();
  }

  /** The kernel's id. */
  get id(): string {
    return this._port.id;
  }

  /** Whether the session can talk to the guard at all. */
  get handlesComms(): boolean {
    return this._port.handlesComms;
  }

  get state(): GuardState {
    return this._state;
  }

  /** What the kernel's requests came to, newest first. */
  get submissions(): readonly ISubmission[] {
    return this._submissions;
  }

  /** The audit trail as this comm has heard it. */
  get decisions(): readonly IDecision[] {
    return this._decisions;
  }

  /** Emits when anything above has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Emits each submission as it arrives. */
  get submitted(): ISignal<this, ISubmission> {
    return this._submitted;
  }

  /** Emits what the kernel says went wrong. */
  get failed(): ISignal<this, IKernelError> {
    return this._failed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._forget('gone');
    this._port.dispose();
    Signal.clearData(this);
  }

  /**
   * Load the guard into the kernel, whatever the setting says.
   */
  async load(): Promise<void> {
    const epoch = this._epoch;
    this._setState({ phase: 'loading' });
    this._asked = true;
    const reply = readLoadReply(await this._port.evaluate(LOAD_EXPRESSION));
    if (this._isStale(epoch)) {
      return;
    }
    this._asked = false;
    if (reply.state === 'not-installed') {
      this._setState({
        phase: 'not-installed',
        command: installCommand(reply.python)
      });
    } else if (reply.state === 'failed') {
      this._setState({ phase: 'failed', message: reply.message });
    } else if (this._comm && this._answered) {
      // It was loaded all the time; its greeting says in which mode.
      this._comm.send({ type: 'sync' });
    } else {
      // A comm that was tried before the guard was there is about to be closed.
      this._drop('unloaded');
      this._open();
    }
  }

  /**
   * Ask the guard to change its mode; it answers with a record.
   */
  setMode(mode: Mode): void {
    this._comm?.send({ type: 'set-mode', mode });
  }

  /**
   * Whether this very kernel process still holds the request with this id.
   */
  holds(held: string | null): boolean {
    return held !== null && this._comm !== null && this._held.has(held);
  }

  /**
   * Ask the kernel to send a request it holds, with the fix. Only the id travels.
   *
   * @returns The kernel's answer; `ok` is false when the kernel went away before it answered.
   */
  sendWithFix(held: string): Promise<ISendReply> {
    const pending = this._replies.get(held);
    if (pending) {
      return pending.promise;
    }
    if (!this.holds(held)) {
      return Promise.resolve(lost(held, 'gone'));
    }
    const reply = new PromiseDelegate<ISendReply>();
    this._replies.set(held, reply);
    this._comm?.send({ type: 'send-with-fix', held });
    return reply.promise;
  }

  private async _begin(): Promise<void> {
    const epoch = this._epoch;
    const language = await this._port.language();
    if (this._isStale(epoch)) {
      return;
    }
    if (language !== 'python') {
      this._setState({ phase: 'not-python', language });
    } else if (this._autoLoad) {
      await this.load();
    } else {
      this._open();
    }
  }

  /**
   * Open the comm. Where the guard is not loaded the kernel closes it at once.
   */
  private _open(): void {
    if (this._comm) {
      return;
    }
    if (!this._port.handlesComms) {
      this._setState({ phase: 'elsewhere' });
      return;
    }
    const comm = this._port.openComm(COMM_TARGET, {
      onMessage: data => {
        if (this._comm === comm) {
          this._answered = true;
          this._onMessage(data);
        }
      },
      onClose: () => {
        if (this._comm === comm) {
          this._drop('unloaded');
          // While the kernel is asked to load the guard, its reply decides.
          if (!this._asked) {
            this._setState({ phase: 'not-loaded' });
          }
        }
      }
    });
    this._comm = comm;
    this._answered = false;
  }

  private _onLife(_: IKernelPort, life: KernelLife): void {
    this._forget('restarted');
    if (life === 'dead') {
      this._setState({ phase: 'dead' });
    } else {
      this._setState({ phase: 'starting' });
      if (life === 'ready') {
        void this._begin();
      }
    }
  }

  /**
   * Somebody may have loaded the guard by hand: try the comm once more.
   */
  private _onExecuted(_: IKernelPort, code: string): void {
    const waiting = ['not-loaded', 'not-installed', 'failed'].includes(
      this._state.phase
    );
    if (waiting && code.includes('secure_ml_ext')) {
      this._open();
    }
  }

  /**
   * A card that arrives from the kernel now holds an id of this very process; one that
   * is read from a saved notebook does not come this way.
   */
  private _onDisplayed(_: IKernelPort, data: unknown): void {
    const held = (data as { held?: unknown } | null)?.held;
    if (typeof held === 'string') {
      this._held.add(held);
      this._changed.emit();
    }
  }

  private _onMessage(data: unknown): void {
    const message = data as {
      records?: SpoolRecord[];
      held?: string[];
      reply?: ISendReply;
      error?: IKernelError;
    } | null;
    if (Array.isArray(message?.held)) {
      this._held = new Set(message.held);
    }
    for (const record of message?.records ?? []) {
      this._onRecord(record);
    }
    if (message?.reply) {
      const reply = message.reply;
      this._held.delete(reply.held);
      if (reply.submission) {
        this._onRecord({ ...reply.submission, type: 'submission' });
      }
      this._replies.get(reply.held)?.resolve(reply);
      this._replies.delete(reply.held);
    }
    if (message?.error) {
      this._failed.emit(message.error);
    }
    this._changed.emit();
  }

  private _onRecord(record: SpoolRecord): void {
    switch (record.type) {
      case 'hello':
        this._state = {
          phase: 'loaded',
          mode: record.mode,
          locked: record.locked,
          version: record.version
        };
        break;
      case 'mode':
        if (this._state.phase === 'loaded') {
          this._state = {
            ...this._state,
            mode: record.mode,
            locked: record.locked
          };
        }
        break;
      case 'submission':
        this._submissions = [
          record,
          ...this._submissions.filter(known => known.id !== record.id)
        ].sort((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : 0));
        this._submitted.emit(record);
        break;
      case 'decision':
        this._decisions = [...this._decisions.slice(-499), record];
        break;
    }
  }

  /** Drop everything that died with the kernel process; what was asked of it is stale. */
  private _forget(why: LostReason): void {
    this._epoch += 1;
    this._asked = false;
    this._drop(why);
  }

  /** Drop what the guard said, and the comm. */
  private _drop(why: LostReason): void {
    const comm = this._comm;
    this._comm = null;
    comm?.dispose();
    this._held.clear();
    for (const [held, reply] of this._replies) {
      reply.resolve(lost(held, why));
    }
    this._replies.clear();
    this._submissions = [];
    this._decisions = [];
  }

  private _isStale(epoch: number): boolean {
    return this._isDisposed || epoch !== this._epoch;
  }

  private _setState(state: GuardState): void {
    this._state = state;
    this._changed.emit();
  }

  private _port: IKernelPort;
  private _autoLoad: boolean;
  private _state: GuardState = { phase: 'starting' };
  private _comm: ICommPort | null = null;
  private _answered = false;
  private _asked = false;
  private _epoch = 0;
  private _isDisposed = false;
  private _held = new Set<string>();
  private _replies = new Map<string, PromiseDelegate<ISendReply>>();
  private _submissions: ISubmission[] = [];
  private _decisions: IDecision[] = [];
  private _changed = new Signal<this, void>(this);
  private _submitted = new Signal<this, ISubmission>(this);
  private _failed = new Signal<this, IKernelError>(this);
}

function lost(held: string, reason: LostReason): ISendReply {
  return { held, ok: false, message: '', submission: null, lost: reason };
}
