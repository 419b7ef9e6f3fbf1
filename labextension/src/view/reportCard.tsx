import { Clipboard, ReactWidget } from '@jupyterlab/apputils';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { CARD_MIME } from '../generated/words';
import type { ICard } from '../generated/records';
import { readCard } from '../model/readCard';
import type { GuardRegistry } from '../model/registry';
import type { ISendReply } from '../model/session';
import { CardView } from './card';
import { openMenu } from './menus';

/**
 * Draws a card from a notebook's output. What it is given is data and stays data:
 * text is set as text, and nothing in it is ever submitted.
 */
export class ReportCard extends ReactWidget implements IRenderMime.IRenderer {
  constructor(options: ReportCard.IOptions) {
    super();
    this._registry = options.registry;
    this._trans = options.trans;
    this.addClass('jp-SecureMl-output');
    this._registry?.changed.connect(this._onRegistry, this);
  }

  dispose(): void {
    this._registry?.changed.disconnect(this._onRegistry, this);
    super.dispose();
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this._card = readCard(model.data[CARD_MIME]);
    this._canSend = this._holds();
    this.update();
    await this.renderPromise;
  }

  protected render(): JSX.Element {
    const card = this._card;
    if (!card) {
      return (
        <p className="jp-SecureMl-dim">
          {this._trans.__(
            'This output holds no report that this version of Secure ML can read. Run the cell again.'
          )}
        </p>
      );
    }
    return (
      <CardView
        card={card}
        canSend={this._canSend}
        trans={this._trans}
        send={() => this._send(card)}
        openCodeMenu={(anchor, onCopied) =>
          this._openCodeMenu(card, anchor, onCopied)
        }
      />
    );
  }

  private async _send(card: ICard): Promise<ISendReply> {
    const session = this._registry?.session(card.kernel);
    return session && card.held
      ? session.sendWithFix(card.held)
      : {
          held: card.held ?? '',
          ok: false,
          message: '',
          submission: null,
          lost: 'gone' as const
        };
  }

  private _openCodeMenu(
    card: ICard,
    anchor: HTMLElement,
    onCopied: (what: string) => void
  ): void {
    const { code } = card;
    const trans = this._trans;
    const kinds = [
      [trans.__('SageMaker SDK v3'), code?.v3],
      [trans.__('SageMaker SDK v2'), code?.v2],
      ['boto3', code?.boto3]
    ] as const;
    const copy = (label: string, text: string) => {
      Clipboard.copyToSystem(text);
      onCopied(trans.__('%1 code', label));
    };
    openMenu(
      anchor,
      kinds.flatMap(([label, text]) =>
        text ? [{ label, run: () => copy(label, text) }] : []
      )
    );
  }

  private _holds(): boolean {
    const card = this._card;
    return (
      (card && this._registry?.session(card.kernel)?.holds(card.held)) ?? false
    );
  }

  private _onRegistry(): void {
    const canSend = this._holds();
    if (canSend !== this._canSend) {
      this._canSend = canSend;
      this.update();
    }
  }

  private _registry: GuardRegistry | null;
  private _trans: TranslationBundle;
  private _card: ICard | null = null;
  private _canSend = false;
}

export namespace ReportCard {
  /** What a card works with; without a registry it cannot send. */
  export interface IOptions {
    registry: GuardRegistry | null;
    trans: TranslationBundle;
  }
}
