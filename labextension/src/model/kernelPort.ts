import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';

/**
 * The part of a kernel connection that the guard needs, so that the model can be
 * read and tested without JupyterLab.
 */
export interface IKernelPort extends IDisposable {
  /** The kernel's id. */
  readonly id: string;
  /** Whether this connection takes part in comms (one connection per kernel does). */
  readonly handlesComms: boolean;
  /** What happens to the kernel process. */
  readonly lifeChanged: ISignal<IKernelPort, KernelLife>;
  /** Emits the source of each cell after the kernel has run it. */
  readonly executed: ISignal<IKernelPort, string>;
  /** Emits each display of a MIME type that the port was told to watch, as the kernel sends it. */
  readonly displayed: ISignal<IKernelPort, unknown>;
  /** The kernel's language, in lower case, once the kernel has said it. */
  language(): Promise<string>;
  /** Evaluate a Python expression silently; resolves with its `repr`, or null if that failed. */
  evaluate(expression: string): Promise<string | null>;
  /** Open a comm; `onClose` is also called when the target does not exist. */
  openComm(target: string, handlers: ICommHandlers): ICommPort;
}

/** `restarting`: its state is lost; `ready`: it takes requests again; `dead`: it will not come back. */
export type KernelLife = 'restarting' | 'ready' | 'dead';

/** What a comm hands over. */
export interface ICommHandlers {
  onMessage: (data: unknown) => void;
  onClose: () => void;
}

/** An open comm. */
export interface ICommPort extends IDisposable {
  send(data: Record<string, unknown>): void;
}
