import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { IProfileReply } from '../generated/records';
import { profileTitle } from '../generated/words';
import { blankProblem } from '../model/blank';
import { shortValue } from '../model/format';
import type { Failure } from '../model/failure';
import { profileLines, profileSummary } from '../model/profileModel';
import { BlankView, type OnBlank } from './blank';
import { Counts } from './chips';

/** What the environment's views draw. */
export interface IEnvironmentProps {
  profile: IProfileReply | null;
  failure: Failure | null;
  isLoading: boolean;
  trans: TranslationBundle;
  onBlank: OnBlank;
}

/**
 * The line beside the section's title: which environment, and how much of it is known.
 */
export function EnvironmentSummary(
  props: Pick<IEnvironmentProps, 'profile' | 'trans'>
): JSX.Element | null {
  const { profile, trans } = props;
  if (!profile) {
    return null;
  }
  const found = Object.keys(profile.values).length;
  const missing = profile.missing.length;
  const summary = profileSummary(profile).join(' · ');
  return (
    <div className="jp-SecureMl-summary">
      <span className="jp-SecureMl-summaryText" title={summary}>
        {summary}
      </span>
      <Counts
        label={trans.__('Values of the environment')}
        counts={[
          { state: 'pass' as const, count: found, word: trans.__('found') },
          { state: 'warn' as const, count: missing, word: trans.__('missing') }
        ].filter(({ count }) => count > 0)}
      />
    </div>
  );
}

/**
 * The environment in full: each value with its source, then what nobody provided.
 */
export function EnvironmentView(props: IEnvironmentProps): JSX.Element {
  const { profile, failure, trans } = props;
  const problem = failure ?? profile?.problem ?? null;
  const lines = profile ? profileLines(profile) : [];
  const found = lines.filter(line => line.values.length > 0);
  const missing = lines.filter(line => line.values.length === 0);
  return (
    <div className="jp-SecureMl-environment">
      {problem && (
        <BlankView
          blank={blankProblem(problem)}
          trans={trans}
          onAction={props.onBlank}
          isNotice={lines.length > 0}
        />
      )}
      {!profile && !problem && (
        <p className="jp-SecureMl-dim" role="status">
          {trans.__('Reading the environment…')}
        </p>
      )}
      {profile && (
        <p className="jp-SecureMl-environmentName">
          {profileSummary(profile).join(' · ')}
        </p>
      )}
      {found.length > 0 && (
        <dl className="jp-SecureMl-values">
          {found.map(line => (
            <div key={line.name}>
              <dt>{profileTitle(line.name, trans)}</dt>
              <dd>
                {line.values.map(value => (
                  <span key={value} className="jp-SecureMl-value" title={value}>
                    {shortValue(value)}
                  </span>
                ))}
                {line.source && (
                  <span className="jp-SecureMl-source">{line.source}</span>
                )}
              </dd>
            </div>
          ))}
        </dl>
      )}
      {missing.length > 0 && (
        <>
          <p className="jp-SecureMl-subtitle">{trans.__('Not found')}</p>
          <ul className="jp-SecureMl-missing">
            {missing.map(line => (
              <li key={line.name} title={line.looked.join('\n')}>
                {profileTitle(line.name, trans)}
                {line.looked.length > 0 && (
                  <span className="jp-SecureMl-source">
                    {trans.__('looked in %1', line.looked.join(', '))}
                  </span>
                )}
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}
