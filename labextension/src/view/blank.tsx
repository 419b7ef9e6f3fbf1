import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { IBlank } from '../model/blank';
import { actionText, blankText, problemText } from './text';

/** What a view calls when the button of a blank state is pressed. */
export type OnBlank = (blank: IBlank) => void;

/**
 * Why there is nothing to show: a sentence, what else is known, and a button.
 */
export function BlankView(props: {
  blank: IBlank;
  trans: TranslationBundle;
  onAction: OnBlank;
  isNotice?: boolean;
}): JSX.Element {
  const { blank, trans } = props;
  const { action } = blank;
  const { remedy } = problemText(blank, trans);
  return (
    <div
      className={props.isNotice ? 'jp-SecureMl-notice' : 'jp-SecureMl-blank'}
      data-kind={blank.kind}
      role="status"
    >
      <p>{blankText(blank, trans)}</p>
      {blank.kind === 'not-installed' && <code>{blank.copy}</code>}
      {blank.kind === 'load-failed' && (
        <p className="jp-SecureMl-dim">{blank.detail}</p>
      )}
      {remedy && <p className="jp-SecureMl-dim">{remedy}</p>}
      {action && (
        <button
          type="button"
          className="jp-SecureMl-button jp-mod-styled"
          onClick={() => props.onAction(blank)}
        >
          {actionText(action, trans)}
        </button>
      )}
    </div>
  );
}
