import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';
import type { IKernelPort } from './kernelPort';
import { GuardSession } from './session';

/**
 * A notebook or console, as far as its kernel is concerned.
 */
export interface IDocumentPort {
  /** Where the document is, for people. */
  readonly path: string;
  readonly kernelId: string | null;
  /** Identifies the connection: a new one to the same kernel is another object. */
  readonly connection: object | null;
  /** Emits when either of the above has changed. */
  readonly kernelChanged: ISignal<IDocumentPort, void>;
  readonly disposed: ISignal<IDocumentPort, void>;
  /** Use the present connection; only called while there is one. */
  connect(): IKernelPort;
}

interface IEntry {
  session: GuardSession;
  connection: object;
}

/**
 * One guard session per kernel, and which document the user is looking at.
 *
 * Two documents on one kernel share a session; two kernels never do.
 */
export class GuardRegistry implements IDisposable {
  constructor(options: GuardRegistry.IOptions = {}) {
    this.autoLoad = options.autoLoad ?? true;
  }

  /** Whether guards of kernels met from now on are loaded without being asked for. */
  autoLoad: boolean;

  /** The document the user is looking at, or looked at last. */
  get document(): IDocumentPort | null {
    return this._document;
  }

  /** The guard of that document's kernel. */
  get current(): GuardSession | null {
    const id = this._document?.kernelId;
    return (id && this._entries.get(id)?.session) || null;
  }

  /** Emits when the document, its kernel or that kernel's session has changed. */
  get currentChanged(): ISignal<this, void> {
    return this._currentChanged;
  }

  /** Emits when any session came, went or changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The guard of a kernel, whatever the user looks at. */
  session(kernel: string | null): GuardSession | null {
    return (kernel && this._entries.get(kernel)?.session) || null;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    for (const { session } of this._entries.values()) {
      session.dispose();
    }
    this._entries.clear();
    Signal.clearData(this);
  }

  /**
   * Watch a document until it is closed.
   */
  add(document: IDocumentPort): void {
    this._documents.add(document);
    document.kernelChanged.connect(this._reconcile, this);
    document.disposed.connect(this._remove, this);
    this._document ??= document;
    this._reconcile();
  }

  /**
   * Follow a document; null when there is none to follow.
   */
  follow(document: IDocumentPort | null): void {
    if (document !== this._document) {
      this._document = document;
      this._currentChanged.emit();
    }
  }

  private _remove(document: IDocumentPort): void {
    this._documents.delete(document);
    document.kernelChanged.disconnect(this._reconcile, this);
    document.disposed.disconnect(this._remove, this);
    this._reconcile();
    if (document === this._document) {
      this.follow([...this._documents].pop() ?? null);
    }
  }

  /** Bring the sessions in line with the connections that the documents hold now. */
  private _reconcile(): void {
    if (this._isDisposed) {
      return;
    }
    const before = this.current;
    const wanted = new Map<string, IDocumentPort[]>();
    for (const document of this._documents) {
      if (document.kernelId && document.connection) {
        wanted.set(document.kernelId, [
          ...(wanted.get(document.kernelId) ?? []),
          document
        ]);
      }
    }
    for (const [id, entry] of this._entries) {
      if (
        !wanted
          .get(id)
          ?.some(document => document.connection === entry.connection)
      ) {
        this._entries.delete(id);
        entry.session.dispose();
      }
    }
    for (const [id, documents] of wanted) {
      const entry = this._entries.get(id);
      if (!entry?.session.handlesComms) {
        this._connect(id, documents, entry);
      }
    }
    if (
      before !== this.current ||
      this._kernelSeen !== this._document?.kernelId
    ) {
      this._currentChanged.emit();
    }
    this._kernelSeen = this._document?.kernelId;
    this._changed.emit();
  }

  /** Prefer the connection that takes part in comms; one per kernel does. */
  private _connect(
    id: string,
    documents: IDocumentPort[],
    known: IEntry | undefined
  ): void {
    for (const document of documents) {
      const port = document.connect();
      const last = document === documents[documents.length - 1];
      if (!port.handlesComms && (known || !last)) {
        port.dispose();
        continue;
      }
      known?.session.dispose();
      const session = new GuardSession(port, this.autoLoad);
      session.changed.connect(() => this._changed.emit());
      this._entries.set(id, {
        session,
        connection: document.connection as object
      });
      return;
    }
  }

  private _documents = new Set<IDocumentPort>();
  private _document: IDocumentPort | null = null;
  private _kernelSeen: string | null | undefined = null;
  private _entries = new Map<string, IEntry>();
  private _isDisposed = false;
  private _changed = new Signal<this, void>(this);
  private _currentChanged = new Signal<this, void>(this);
}

export namespace GuardRegistry {
  /** What a registry starts with. */
  export interface IOptions {
    autoLoad?: boolean;
  }
}
