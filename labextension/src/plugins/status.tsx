import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ReactWidget } from '@jupyterlab/apputils';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';
import { CommandIDs, ISecureMl } from '../tokens';
import { StatusView } from '../view/status';

/**
 * The item in the status bar: the guard's mode and the number of findings.
 */
export const statusPlugin: JupyterFrontEndPlugin<void> = {
  id: 'secure-ml-ext:status',
  description:
    "Shows the guard's mode and the number of findings in the status bar.",
  autoStart: true,
  requires: [ISecureMl],
  optional: [IStatusBar, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    secureMl: ISecureMl,
    statusBar: IStatusBar | null,
    translator: ITranslator | null
  ): void => {
    if (!statusBar) {
      // Notebook 7 has none; the toolbar button says the same there.
      return;
    }
    const trans = (translator ?? nullTranslator).load('secure_ml_ext');
    const { registry } = secureMl;
    const show = () => {
      if (app.commands.hasCommand(CommandIDs.showPanel)) {
        void app.commands.execute(CommandIDs.showPanel);
      }
    };
    const item = ReactWidget.create(
      <UseSignal signal={registry.currentChanged}>
        {() => (
          <UseSignal signal={registry.changed}>
            {() => (
              <StatusView
                session={registry.current}
                trans={trans}
                onClick={show}
              />
            )}
          </UseSignal>
        )}
      </UseSignal>
    );
    item.addClass('jp-SecureMl-statusItem');
    statusBar.registerStatusItem('secure-ml-ext:status', {
      item,
      align: 'left',
      rank: 60,
      isActive: () => registry.current !== null,
      activeStateChanged: registry.currentChanged
    });
  }
};
