import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { countFindings } from '../model/jobs';
import type { GuardSession } from '../model/session';
import { secureMlIcon } from './icons';
import { guardText } from './text';

/**
 * "Guard: warn · 2 findings".
 */
export function StatusView(props: {
  session: GuardSession | null;
  trans: TranslationBundle;
  onClick: () => void;
}): JSX.Element {
  const { session, trans } = props;
  const state = session?.state ?? null;
  const count = countFindings(session?.submissions ?? []);
  const parts = [trans.__('Guard: %1', guardText(state, trans))];
  if (state?.phase === 'loaded') {
    parts.push(trans._n('%1 finding', '%1 findings', count));
  }
  return (
    <button
      type="button"
      className="jp-SecureMl-status-button"
      title={trans.__('Show the Secure ML panel')}
      onClick={props.onClick}
    >
      {parts.join(' · ')}
    </button>
  );
}

/**
 * The guard button of a notebook's toolbar: its mark, and the mode as a word.
 */
export function GuardButton(props: {
  session: GuardSession | null;
  trans: TranslationBundle;
  onClick: (anchor: HTMLElement) => void;
}): JSX.Element {
  const { session, trans } = props;
  const state = session?.state ?? null;
  const word = guardText(state, trans);
  const isLocked = state?.phase === 'loaded' && state.locked;
  const name = isLocked
    ? trans.__('Guard: %1, locked by your administrator', word)
    : trans.__('Guard: %1', word);
  return (
    <button
      type="button"
      className="jp-SecureMl-guardButton jp-ToolbarButtonComponent"
      data-phase={state?.phase ?? 'none'}
      aria-haspopup="menu"
      aria-label={name}
      title={name}
      onClick={event => props.onClick(event.currentTarget)}
    >
      <secureMlIcon.react tag="span" aria-hidden="true" elementSize="normal" />
      <span className="jp-ToolbarButtonComponent-label">{word}</span>
    </button>
  );
}
