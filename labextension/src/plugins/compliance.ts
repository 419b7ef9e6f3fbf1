import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Clipboard, ICommandPalette } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { IBlank } from '../model/blank';
import { CommandIDs, ISecureMl, NO_ARGUMENTS } from '../tokens';
import { SecureMlPanel } from '../view/panel';

/** The id of the plugin, and of its settings. */
const PLUGIN_ID = 'secure-ml-ext:compliance';

/** Third-party panels stand between 501 and 899. */
const RANK = 620;

type Side = 'left' | 'right';

/** Do what the button of a blank state says. */
function blankAction(
  app: JupyterFrontEnd,
  secureMl: ISecureMl
): (blank: IBlank) => void {
  const { commands } = app;
  const run = (...ids: string[]) => {
    const id = ids.find(known => commands.hasCommand(known));
    return id ? commands.execute(id) : Promise.resolve();
  };
  return blank => {
    switch (blank.action) {
      case 'open-notebook':
        void run('notebook:create-new', 'launcher:create');
        break;
      case 'choose-kernel':
        void run('notebook:change-kernel', 'console:change-kernel');
        break;
      case 'load-guard':
        void secureMl.registry.current?.load();
        break;
      case 'copy-install':
      case 'copy-server-check':
        Clipboard.copyToSystem(blank.copy ?? '');
        break;
      default:
        secureMl.jobs.refresh();
        void secureMl.profile.refresh(true);
    }
  };
}

/**
 * The side panel.
 */
export const compliancePlugin: JupyterFrontEndPlugin<void> = {
  id: PLUGIN_ID,
  description:
    'A side panel with the environment and the jobs of the running kernel.',
  autoStart: true,
  requires: [ISecureMl],
  optional: [ISettingRegistry, ILayoutRestorer, ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    secureMl: ISecureMl,
    settingRegistry: ISettingRegistry | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('secure_ml_ext');
    const { commands, shell } = app;
    const panel = new SecureMlPanel({
      secureMl,
      trans,
      actions: { copy: text => Clipboard.copyToSystem(text) },
      onBlank: blankAction(app, secureMl),
      onRefresh: () => void commands.execute(CommandIDs.refresh),
      onSettings: () => {
        if (commands.hasCommand('settingeditor:open')) {
          void commands.execute('settingeditor:open', { query: 'Secure ML' });
        }
      }
    });
    let side: Side | null = null;
    const place = (wanted: Side) => {
      if (wanted !== side) {
        side = wanted;
        shell.add(panel, wanted, { rank: RANK, type: 'Secure ML' });
      }
    };
    restorer?.add(panel, panel.id);
    void (settingRegistry?.load(PLUGIN_ID) ?? Promise.resolve(null))
      .then(settings => {
        const read = () =>
          place(settings?.composite['side'] === 'right' ? 'right' : 'left');
        read();
        settings?.changed.connect(read);
      })
      .catch(() => place('left'));

    commands.addCommand(CommandIDs.showPanel, {
      label: trans.__('Show the Secure ML panel'),
      describedBy: NO_ARGUMENTS,
      execute: () => shell.activateById(panel.id)
    });
    palette?.addItem({
      command: CommandIDs.showPanel,
      category: trans.__('Secure ML')
    });
  }
};
