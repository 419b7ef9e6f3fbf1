import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { clientPlugin } from './plugins/client';
import { compliancePlugin } from './plugins/compliance';
import { notebookGuardPlugin } from './plugins/notebookGuard';
import { reportCardPlugin } from './plugins/reportCard';
import { statusPlugin } from './plugins/status';

export { ISecureMl } from './tokens';

/**
 * The plugins of the extension; each may be disabled alone.
 */
const plugins: JupyterFrontEndPlugin<unknown>[] = [
  clientPlugin,
  compliancePlugin,
  statusPlugin,
  notebookGuardPlugin,
  reportCardPlugin
];

export default plugins;
