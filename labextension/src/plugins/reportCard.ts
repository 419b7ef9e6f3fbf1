import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { CARD_MIME } from '../generated/words';
import { ISecureMl } from '../tokens';
import { ReportCard } from '../view/reportCard';

/** Below `text/html` (50), so that the card is preferred to its static form. */
const RANK = 40;

/**
 * Draws the report under a cell. It works without the client plugin, which adds *Send with fix*.
 */
export const reportCardPlugin: JupyterFrontEndPlugin<void> = {
  id: 'secure-ml-ext:report-card',
  description:
    'Draws the report of a checked SageMaker request under its cell.',
  autoStart: true,
  requires: [IRenderMimeRegistry],
  optional: [ISecureMl, ITranslator],
  activate: (
    _: JupyterFrontEnd,
    rendermime: IRenderMimeRegistry,
    secureMl: ISecureMl | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('secure_ml_ext');
    rendermime.addFactory(
      {
        safe: true,
        mimeTypes: [CARD_MIME],
        createRenderer: () =>
          new ReportCard({ registry: secureMl?.registry ?? null, trans })
      },
      RANK
    );
  }
};
