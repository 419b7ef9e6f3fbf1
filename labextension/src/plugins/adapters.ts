import type { ISessionContext } from '@jupyterlab/apputils';
import { URLExt } from '@jupyterlab/coreutils';
import {
  ServerConnection,
  type Kernel,
  type KernelMessage,
  type KernelSpec
} from '@jupyterlab/services';
import type { JSONObject } from '@lumino/coreutils';
import { Signal, type ISignal } from '@lumino/signaling';
import type { Transport } from '../model/client';
import type {
  ICommHandlers,
  ICommPort,
  IKernelPort,
  KernelLife
} from '../model/kernelPort';
import type { IDocumentPort } from '../model/registry';
import { CARD_MIME } from '../generated/words';

/**
 * Requests to the routes of the server extension, with the cookies, tokens and
 * XSRF header that JupyterLab itself uses.
 */
export function serverTransport(
  settings: ServerConnection.ISettings
): Transport {
  const base = URLExt.join(settings.baseUrl, 'secure-ml-ext');
  return async (path, init) => {
    const reply = await ServerConnection.makeRequest(
      `${base}/${path}`,
      init,
      settings
    );
    const text = await reply.text();
    let body: unknown = null;
    try {
      body = JSON.parse(text);
    } catch {
      // A proxy's error page: its status is all that can be told.
    }
    return { status: reply.status, body };
  };
}

/**
 * A kernel connection of JupyterLab. Disposing of it leaves the connection to its owner.
 */
export class KernelPort implements IKernelPort {
  /**
   * @param kernel - The connection.
   * @param language - The language of the kernel's specification, where it is known.
   */
  constructor(kernel: Kernel.IKernelConnection, language: string | null) {
    this._kernel = kernel;
    this._language = language;
    kernel.statusChanged.connect(this._onStatus, this);
    kernel.iopubMessage.connect(this._onIOPub, this);
    kernel.disposed.connect(this.dispose, this);
  }

  get id(): string {
    return this._kernel.id;
  }

  get handlesComms(): boolean {
    return this._kernel.handleComms;
  }

  get lifeChanged(): ISignal<this, KernelLife> {
    return this._lifeChanged;
  }

  get executed(): ISignal<this, string> {
    return this._executed;
  }

  get displayed(): ISignal<this, unknown> {
    return this._displayed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._kernel.statusChanged.disconnect(this._onStatus, this);
    this._kernel.iopubMessage.disconnect(this._onIOPub, this);
    this._kernel.disposed.disconnect(this.dispose, this);
    Signal.clearData(this);
  }

  async language(): Promise<string> {
    // The specification is known before the kernel has started. Waiting for the kernel
    // would let cells that are run at once go before the guard.
    const name = this._language ?? (await this._kernel.info).language_info.name;
    return name.toLowerCase();
  }

  async evaluate(expression: string): Promise<string | null> {
    try {
      const future = this._kernel.requestExecute({
        code: '',
        silent: true,
        store_history: false,
        allow_stdin: false,
        stop_on_error: false,
        user_expressions: { value: expression } as JSONObject
      });
      const { content } = await future.done;
      if (content.status !== 'ok') {
        return null;
      }
      const value = (content as KernelMessage.IExecuteReply).user_expressions[
        'value'
      ] as { data?: { 'text/plain'?: string } } | undefined;
      return value?.data?.['text/plain'] ?? null;
    } catch {
      // The kernel was restarted or went away before it answered.
      return null;
    }
  }

  openComm(target: string, handlers: ICommHandlers): ICommPort {
    const kernel = this._kernel;
    const comm = kernel.createComm(target);
    comm.onMsg = message => handlers.onMessage(message.content.data);
    comm.onClose = () => handlers.onClose();
    comm.open();
    return {
      get isDisposed() {
        return comm.isDisposed;
      },
      send: data => {
        if (!comm.isDisposed) {
          comm.send(data as JSONObject);
        }
      },
      dispose: () => {
        comm.onMsg = () => undefined;
        comm.onClose = () => undefined;
        const answers =
          !kernel.isDisposed && kernel.connectionStatus === 'connected';
        if (
          !comm.isDisposed &&
          answers &&
          ['idle', 'busy'].includes(kernel.status)
        ) {
          comm.close();
        } else {
          comm.dispose();
        }
      }
    };
  }

  private _onStatus(_: Kernel.IKernelConnection, status: Kernel.Status): void {
    if (status === 'restarting' || status === 'autorestarting') {
      this._lifeChanged.emit('restarting');
      // The connection drops its queue right after this signal; what is queued in the
      // next microtask goes before the cells of "Restart and Run All".
      queueMicrotask(() => {
        if (!this._isDisposed) {
          this._lifeChanged.emit('ready');
        }
      });
    } else if (status === 'dead') {
      this._lifeChanged.emit('dead');
    }
  }

  private _onIOPub(
    _: Kernel.IKernelConnection,
    message: KernelMessage.IIOPubMessage
  ): void {
    const parent = (message.parent_header as { msg_id?: string }).msg_id ?? '';
    switch (message.header.msg_type) {
      case 'execute_input': {
        const { code } =
          message.content as KernelMessage.IExecuteInputMsg['content'];
        if (code.includes('secure_ml_ext')) {
          this._sources.set(parent, code);
        }
        break;
      }
      case 'status': {
        const code = this._sources.get(parent);
        const { execution_state } =
          message.content as KernelMessage.IStatusMsg['content'];
        if (code !== undefined && execution_state === 'idle') {
          this._sources.delete(parent);
          this._executed.emit(code);
        }
        break;
      }
      case 'display_data':
      case 'update_display_data': {
        const { data } =
          message.content as KernelMessage.IDisplayDataMsg['content'];
        if (data[CARD_MIME] !== undefined) {
          this._displayed.emit(data[CARD_MIME]);
        }
        break;
      }
    }
  }

  private _kernel: Kernel.IKernelConnection;
  private _isDisposed = false;
  private _language: string | null;
  private _sources = new Map<string, string>();
  private _lifeChanged = new Signal<this, KernelLife>(this);
  private _executed = new Signal<this, string>(this);
  private _displayed = new Signal<this, unknown>(this);
}

/**
 * A notebook or console of JupyterLab.
 */
export class DocumentPort implements IDocumentPort {
  /**
   * @param context - The session of the document.
   * @param specs - The kernel specifications of the server.
   */
  constructor(context: ISessionContext, specs: KernelSpec.IManager) {
    this._context = context;
    this._specs = specs;
    context.kernelChanged.connect(() => this._kernelChanged.emit());
    context.disposed.connect(() => {
      this._disposed.emit();
      Signal.clearData(this);
    });
  }

  get path(): string {
    return this._context.path;
  }

  get connection(): Kernel.IKernelConnection | null {
    return (!this._context.isDisposed && this._context.session?.kernel) || null;
  }

  get kernelId(): string | null {
    return this.connection?.id ?? null;
  }

  get kernelChanged(): ISignal<this, void> {
    return this._kernelChanged;
  }

  get disposed(): ISignal<this, void> {
    return this._disposed;
  }

  connect(): IKernelPort {
    if (!this.connection) {
      throw new Error('There is no kernel to connect to.');
    }
    const kernel = this.connection;
    const spec = this._specs.specs?.kernelspecs[kernel.name];
    return new KernelPort(kernel, spec?.language ?? null);
  }

  private _context: ISessionContext;
  private _specs: KernelSpec.IManager;
  private _kernelChanged = new Signal<this, void>(this);
  private _disposed = new Signal<this, void>(this);
}
