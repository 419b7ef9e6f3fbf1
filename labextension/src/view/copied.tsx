import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

/** How long it is said that something was copied, in milliseconds. */
const SHOWN = 5_000;

/**
 * What a live region says for a moment after a copy, and the way to make it say so.
 */
export function useCopied(
  trans: TranslationBundle
): [JSX.Element | null, (what: string) => void] {
  const [copied, setCopied] = React.useState({ what: '', count: 0 });
  React.useEffect(() => {
    if (copied.what === '') {
      return;
    }
    const timer = window.setTimeout(
      () => setCopied(({ count }) => ({ what: '', count })),
      SHOWN
    );
    return () => window.clearTimeout(timer);
  }, [copied]);
  // The key makes a second copy of the same a new announcement.
  const notice = copied.what ? (
    <p key={copied.count} className="jp-SecureMl-copied">
      {trans.__('Copied: %1', copied.what)}
    </p>
  ) : null;
  return [
    notice,
    what => setCopied(({ count }) => ({ what, count: count + 1 }))
  ];
}
