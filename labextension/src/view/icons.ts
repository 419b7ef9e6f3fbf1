import { LabIcon } from '@jupyterlab/ui-components';

/**
 * The mark of the extension: a request in a frame, ticked. It is not a shield, which
 * in JupyterLab says whether a notebook is trusted.
 */
export const secureMlIcon = new LabIcon({
  name: 'secure-ml-ext:mark',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <path class="jp-icon3" fill="#616161" d="M3 8V5a2 2 0 0 1 2-2h3v2H5v3zM16 3h3a2 2 0 0 1 2 2v3h-2V5h-3zM3 16h2v3h3v2H5a2 2 0 0 1-2-2zM19 16h2v3a2 2 0 0 1-2 2h-3v-2h3zM10.600 16.400 6.800 12.600 8.200 11.200 10.600 13.600 15.800 8.400 17.200 9.800z"/>
</svg>`
});
