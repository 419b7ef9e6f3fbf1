import type { ICard, ISubject } from '../generated/records';
import { subjectView, type ISubjectView } from './subject';

/** What stands at the right of the card's title. */
export type SentWord = 'not-sent' | 'sent' | 'sent-with-fix' | 'dry-run';

/**
 * What a card says of the call itself; what the call brings along is in `steps.ts`.
 */
export interface ICardView extends ISubjectView {
  sent: SentWord;
}

/** Calls that carry the definition of their steps, so that the fix changes them too. */
const DEFINING = ['CreatePipeline', 'UpdatePipeline'];

/**
 * The picture of the subject that a card is about.
 *
 * @param wasSent - Whether it was sent with its fix since the card was made.
 */
export function cardView(
  card: ICard,
  subject: ISubject,
  wasSent = false
): ICardView {
  const sent = wasSent ? 'sent-with-fix' : sentWord(card);
  const view = subjectView(subject, sent === 'sent-with-fix');
  return { ...view, isQuiet: view.isQuiet && card.action !== 'fixed', sent };
}

/** Whether the fix that was sent changed the steps of the call too. */
export function fixesSteps(view: ICardView): boolean {
  return view.isFixed && DEFINING.includes(view.subject.operation);
}

function sentWord(card: ICard): SentWord {
  switch (card.action) {
    case 'blocked':
      return 'not-sent';
    case 'dry-run':
      return 'dry-run';
    case 'fixed':
    case 'resent':
      return 'sent-with-fix';
    default:
      return 'sent';
  }
}
