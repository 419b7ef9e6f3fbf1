import type { TranslationBundle } from '@jupyterlab/translation';
import {
  PanelWithToolbar,
  ReactWidget,
  refreshIcon,
  settingsIcon,
  SidePanel,
  ToolbarButton,
  UseSignal
} from '@jupyterlab/ui-components';
import { Panel, type AccordionPanel } from '@lumino/widgets';
import type { Message } from '@lumino/messaging';
import * as React from 'react';
import { blankJobs, blankProblem } from '../model/blank';
import { filterJobs } from '../model/jobs';
import type { ISecureMl } from '../tokens';
import type { OnBlank } from './blank';
import { EnvironmentSummary, EnvironmentView } from './environment';
import { secureMlIcon } from './icons';
import { JobsView, type IJobActions } from './jobs';

/**
 * The side panel: the environment and the jobs of the kernel the user looks at.
 */
export class SecureMlPanel extends SidePanel {
  constructor(options: SecureMlPanel.IOptions) {
    super({ header: new Panel() });
    const { secureMl, trans } = options;
    this._secureMl = secureMl;
    this.id = 'secure-ml-ext-panel';
    this.addClass('jp-SecureMl-panel');
    this.title.icon = secureMlIcon;
    this.title.caption = trans.__('Secure ML');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Secure ML'));
    this._addHeader(options);
    this._addEnvironment(options);
    this._addJobs(options);
    const accordion = this.content as AccordionPanel;
    accordion.expansionToggled.connect(() => {
      // What was folded before it was laid out has no height to go back to.
      if (
        !accordion.widgets[0]?.isHidden &&
        (accordion.relativeSizes()[0] ?? 0) < 0.1
      ) {
        accordion.setRelativeSizes([2, 3]);
      }
    });
    // Its title says the essential; what went wrong is said below it.
    accordion.collapse(0);
    secureMl.profile.changed.connect(() => {
      const { failure, profile } = secureMl.profile;
      const hasProblem = failure !== null || !!profile?.problem;
      if (hasProblem && !this._hasProblem) {
        accordion.expand(0);
      }
      this._hasProblem = hasProblem;
    });
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._secureMl.jobs.isVisible = true;
    const { profile } = this._secureMl;
    if (!profile.profile && !profile.failure) {
      void profile.refresh();
    }
  }

  protected onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this._secureMl.jobs.isVisible = false;
  }

  private _addHeader(options: SecureMlPanel.IOptions): void {
    const { secureMl, trans } = options;
    const title = ReactWidget.create(
      <UseSignal signal={secureMl.registry.currentChanged}>
        {() => {
          const path = secureMl.registry.document?.path ?? '';
          return (
            <>
              <h2>{trans.__('Secure ML')}</h2>
              <span className="jp-SecureMl-document" title={path}>
                {path.split('/').pop()}
              </span>
            </>
          );
        }}
      </UseSignal>
    );
    title.addClass('jp-SecureMl-headerTitle');
    this.header.addClass('jp-SecureMl-header');
    this.header.addWidget(title);
    this.header.addWidget(
      new ToolbarButton({
        icon: refreshIcon,
        tooltip: trans.__('Refresh jobs and environment'),
        onClick: options.onRefresh
      })
    );
    this.header.addWidget(
      new ToolbarButton({
        icon: settingsIcon,
        tooltip: trans.__('Secure ML settings'),
        onClick: options.onSettings
      })
    );
  }

  private _addEnvironment(options: SecureMlPanel.IOptions): void {
    const { trans, onBlank } = options;
    const { profile } = this._secureMl;
    const section = this._section(
      trans.__('Environment'),
      <UseSignal signal={profile.changed}>
        {() => (
          <EnvironmentView
            profile={profile.profile}
            failure={profile.failure}
            isLoading={profile.isLoading}
            trans={trans}
            onBlank={onBlank}
          />
        )}
      </UseSignal>
    );
    const summary = ReactWidget.create(
      <UseSignal signal={profile.changed}>
        {() => <EnvironmentSummary profile={profile.profile} trans={trans} />}
      </UseSignal>
    );
    summary.addClass('jp-SecureMl-summaryBox');
    section.toolbar.addItem('summary', summary);
  }

  private _addJobs(options: SecureMlPanel.IOptions): void {
    const { trans, onBlank } = options;
    const { jobs, registry } = this._secureMl;
    const draw = () => {
      const { filter, rows, failure, list } = jobs;
      const shown = filterJobs(rows, filter);
      const problem = failure ?? list?.problem ?? null;
      return (
        <JobsView
          hasRows={rows.length > 0}
          rows={shown}
          filter={filter}
          blank={blankJobs({
            hasDocument: registry.document !== null,
            kernel: registry.document?.kernelId ?? null,
            guard: registry.current?.state ?? null,
            rows: rows.length,
            shown: shown.length
          })}
          notice={
            problem && jobs.kernel !== null ? blankProblem(problem) : null
          }
          trans={trans}
          actions={options.actions}
          onFilter={next => {
            jobs.filter = next;
          }}
          onBlank={onBlank}
        />
      );
    };
    this._section(
      trans.__('Jobs'),
      <UseSignal signal={registry.currentChanged}>
        {() => <UseSignal signal={jobs.changed}>{draw}</UseSignal>}
      </UseSignal>
    );
  }

  private _section(label: string, content: JSX.Element): PanelWithToolbar {
    const section = new PanelWithToolbar();
    const body = ReactWidget.create(content);
    body.addClass('jp-SecureMl-body');
    // It scrolls, so the keyboard must reach it.
    body.node.tabIndex = 0;
    body.node.setAttribute('role', 'region');
    body.node.setAttribute('aria-label', label);
    section.addClass('jp-SecureMl-section');
    section.title.label = label;
    section.addWidget(body);
    this.addWidget(section);
    return section;
  }

  private _secureMl: ISecureMl;
  private _hasProblem = false;
}

export namespace SecureMlPanel {
  /** What the panel works with. */
  export interface IOptions {
    secureMl: ISecureMl;
    trans: TranslationBundle;
    actions: IJobActions;
    onBlank: OnBlank;
    onRefresh: () => void;
    onSettings: () => void;
  }
}
