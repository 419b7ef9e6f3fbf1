import {
  ILabShell,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  ICommandPalette,
  Notification,
  type ISessionContext
} from '@jupyterlab/apputils';
import { IConsoleTracker } from '@jupyterlab/console';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IConnectionStatus, type KernelSpec } from '@jupyterlab/services';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { Widget } from '@lumino/widgets';
import type { Mode } from '../generated/records';
import { MODES } from '../generated/words';
import { RestClient } from '../model/client';
import { JobsModel } from '../model/jobsModel';
import { ProfileModel } from '../model/profileModel';
import { GuardRegistry, type IDocumentPort } from '../model/registry';
import type { GuardSession, IKernelError } from '../model/session';
import { CommandIDs, ISecureMl, NO_ARGUMENTS } from '../tokens';
import { modeText } from '../view/text';
import { DocumentPort, serverTransport } from './adapters';

/** The id of the plugin, and of its settings. */
const PLUGIN_ID = 'secure-ml-ext:client';

interface ITracker {
  readonly currentWidget: Widget | null;
  readonly currentChanged: { connect(slot: () => void): boolean };
  readonly widgetAdded: {
    connect(slot: (sender: unknown, widget: Widget) => void): boolean;
  };
  forEach(fn: (widget: Widget) => void): void;
}

/**
 * Follow what the user looks at: in JupyterLab the main area decides, in Notebook 7
 * (which has no `ILabShell`) the trackers do. A widget that is neither notebook nor
 * console leaves the last one in place.
 */
function followDocuments(
  registry: GuardRegistry,
  trackers: ITracker[],
  shell: ILabShell | null,
  specs: KernelSpec.IManager
): void {
  const documents = new Map<Widget, IDocumentPort>();
  const add = (widget: Widget) => {
    const context = (widget as Widget & { sessionContext?: ISessionContext })
      .sessionContext;
    if (context && !documents.has(widget)) {
      const document = new DocumentPort(context, specs);
      documents.set(widget, document);
      widget.disposed.connect(() => documents.delete(widget));
      registry.add(document);
    }
  };
  const follow = (widget: Widget | null) => {
    const document = widget && documents.get(widget);
    if (document) {
      registry.follow(document);
    }
  };
  for (const tracker of trackers) {
    tracker.forEach(add);
    tracker.widgetAdded.connect((_, widget) => {
      add(widget);
      follow(shell?.currentWidget ?? tracker.currentWidget);
    });
    tracker.currentChanged.connect(() => {
      if (!shell || shell.currentWidget === tracker.currentWidget) {
        follow(tracker.currentWidget);
      }
    });
    follow(tracker.currentWidget);
  }
  shell?.currentChanged.connect((_, change) => follow(change.newValue));
}

/** Say what the kernel says went wrong, where the user looks. */
function notifyErrors(registry: GuardRegistry): void {
  const known = new WeakSet<GuardSession>();
  registry.changed.connect(() => {
    const session = registry.current;
    if (session && !known.has(session)) {
      known.add(session);
      session.failed.connect((_: GuardSession, error: IKernelError) => {
        Notification.warning(
          [error.message, error.remedy].filter(Boolean).join(' '),
          {
            autoClose: 8000
          }
        );
      });
    }
  });
}

/**
 * Holds the connection to the server and to the kernels' guards; the other plugins draw.
 */
export const clientPlugin: JupyterFrontEndPlugin<ISecureMl> = {
  id: PLUGIN_ID,
  description:
    'Connects to the guards of the kernels and to the server extension.',
  autoStart: true,
  provides: ISecureMl,
  optional: [
    INotebookTracker,
    IConsoleTracker,
    ILabShell,
    ISettingRegistry,
    IConnectionStatus,
    ICommandPalette,
    ITranslator
  ],
  activate: (
    app: JupyterFrontEnd,
    notebooks: INotebookTracker | null,
    consoles: IConsoleTracker | null,
    shell: ILabShell | null,
    settingRegistry: ISettingRegistry | null,
    connection: IConnectionStatus | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ): ISecureMl => {
    const trans = (translator ?? nullTranslator).load('secure_ml_ext');
    const client = new RestClient(
      serverTransport(app.serviceManager.serverSettings)
    );
    const registry = new GuardRegistry();
    const jobs = new JobsModel({
      client,
      registry,
      isOffline: () => connection?.isConnected === false
    });
    const profile = new ProfileModel(client);

    const trackers = [notebooks, consoles].filter(tracker => tracker !== null);
    const start = () =>
      followDocuments(
        registry,
        trackers as unknown as ITracker[],
        shell,
        app.serviceManager.kernelspecs
      );
    // The setting decides whether the first kernel's guard is loaded: it is read first.
    void (settingRegistry?.load(PLUGIN_ID) ?? Promise.resolve(null))
      .then(settings => {
        const read = () => {
          registry.autoLoad = settings?.composite['autoLoad'] !== false;
          jobs.interval =
            Math.max(2, Number(settings?.composite['refreshSeconds'] ?? 10)) *
            1000;
        };
        read();
        settings?.changed.connect(read);
      })
      .catch(reason =>
        console.warn(`${PLUGIN_ID}: the settings cannot be read.`, reason)
      )
      .then(start);

    app.serviceManager.events.stream.connect((_, event) => {
      if (/\bsecure-ml\/(submission|decision)$/.test(String(event.schema_id))) {
        const kernel = (event as unknown as { kernel?: unknown }).kernel;
        jobs.touch(typeof kernel === 'string' ? kernel : null);
      }
    });
    notifyErrors(registry);

    const { commands } = app;
    commands.addCommand(CommandIDs.loadGuard, {
      label: trans.__('Load the guard into this kernel'),
      describedBy: NO_ARGUMENTS,
      isEnabled: () => registry.current !== null,
      execute: () => registry.current?.load()
    });
    commands.addCommand(CommandIDs.setMode, {
      describedBy: {
        args: {
          type: 'object',
          required: ['mode'],
          properties: {
            mode: {
              type: 'string',
              oneOf: MODES.map(mode => ({ const: mode }))
            }
          }
        }
      },
      label: args => {
        const mode = args['mode'] as Mode | undefined;
        return mode
          ? trans.__('Guard: %1', modeText(mode, trans).title)
          : trans.__('Set guard mode');
      },
      caption: args =>
        args['mode'] ? modeText(args['mode'] as Mode, trans).effect : '',
      isToggled: args => {
        const state = registry.current?.state;
        return state?.phase === 'loaded' && state.mode === args['mode'];
      },
      isEnabled: () => {
        const state = registry.current?.state;
        return state?.phase === 'loaded' && !state.locked;
      },
      execute: args => registry.current?.setMode(args['mode'] as Mode)
    });
    commands.addCommand(CommandIDs.refresh, {
      label: trans.__('Refresh jobs and environment'),
      describedBy: NO_ARGUMENTS,
      execute: () => {
        jobs.refresh();
        return profile.refresh(true);
      }
    });
    registry.changed.connect(() =>
      commands.notifyCommandChanged(CommandIDs.setMode)
    );
    registry.currentChanged.connect(() => commands.notifyCommandChanged());
    if (palette) {
      const category = trans.__('Secure ML');
      palette.addItem({ command: CommandIDs.loadGuard, category });
      palette.addItem({ command: CommandIDs.refresh, category });
      for (const mode of MODES) {
        palette.addItem({
          command: CommandIDs.setMode,
          category,
          args: { mode }
        });
      }
    }
    return { client, registry, jobs, profile };
  }
};
