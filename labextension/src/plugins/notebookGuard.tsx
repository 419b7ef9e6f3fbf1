import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { IToolbarWidgetRegistry, ReactWidget } from '@jupyterlab/apputils';
import type { NotebookPanel } from '@jupyterlab/notebook';
import {
  ITranslator,
  nullTranslator,
  type TranslationBundle
} from '@jupyterlab/translation';
import { UseSignal } from '@jupyterlab/ui-components';
import type { Widget } from '@lumino/widgets';
import * as React from 'react';
import { MODES } from '../generated/words';
import type { GuardSession } from '../model/session';
import { CommandIDs, ISecureMl } from '../tokens';
import { openMenu, type IMenuItem } from '../view/menus';
import { GuardButton } from '../view/status';
import { modeText } from '../view/text';

/** What the menu offers in the present state of a kernel's guard. */
function menuItems(
  session: GuardSession | null,
  trans: TranslationBundle,
  showPanel: () => void
): IMenuItem[] {
  const items: IMenuItem[] = [];
  const state = session?.state;
  if (session && state?.phase === 'loaded') {
    for (const mode of MODES) {
      const { title, effect } = modeText(mode, trans);
      items.push({
        label: `${title} — ${effect}`,
        isToggled: mode === state.mode,
        isEnabled: !state.locked,
        run: () => session.setMode(mode)
      });
    }
    if (state.locked) {
      items.push({
        label: trans.__('The mode is locked by your administrator'),
        isEnabled: false,
        run: () => undefined
      });
    }
  } else {
    const canLoad = ['not-loaded', 'failed', 'not-installed'].includes(
      state?.phase ?? ''
    );
    items.push({
      label: trans.__('Load the guard into this kernel'),
      isEnabled: canLoad,
      run: () => void session?.load()
    });
  }
  items.push({ label: trans.__('Show the Secure ML panel'), run: showPanel });
  return items;
}

/**
 * The guard button in the toolbar of each notebook.
 */
export const notebookGuardPlugin: JupyterFrontEndPlugin<void> = {
  id: 'secure-ml-ext:notebook-guard',
  description:
    "A button in the notebook's toolbar that shows and sets the guard's mode.",
  autoStart: true,
  requires: [ISecureMl, IToolbarWidgetRegistry],
  optional: [ITranslator],
  activate: (
    app: JupyterFrontEnd,
    secureMl: ISecureMl,
    toolbars: IToolbarWidgetRegistry,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('secure_ml_ext');
    const { registry } = secureMl;
    const showPanel = () => {
      if (app.commands.hasCommand(CommandIDs.showPanel)) {
        void app.commands.execute(CommandIDs.showPanel);
      }
    };
    toolbars.addFactory('Notebook', 'secure-ml-guard', (widget: Widget) => {
      const panel = widget as NotebookPanel;
      const session = () =>
        registry.session(panel.sessionContext.session?.kernel?.id ?? null);
      const button = ReactWidget.create(
        <UseSignal signal={registry.changed}>
          {() => (
            <GuardButton
              session={session()}
              trans={trans}
              onClick={anchor =>
                openMenu(anchor, menuItems(session(), trans, showPanel))
              }
            />
          )}
        </UseSignal>
      );
      button.addClass('jp-ToolbarButton');
      return button;
    });
  }
};
