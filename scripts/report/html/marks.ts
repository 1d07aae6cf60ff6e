/** How a row is marked that changed, or that the divergence is about: by a class for the eye, and in words. */

import type { Change } from '../../../properties/explain/story.js';
import type { Markup } from './markup.js';
import { html } from './markup.js';

export interface Marked {
  readonly change: Change;
  readonly divergent: boolean;
}

export const markClass = ({ change, divergent }: Marked): string =>
  [change === 'same' ? '' : 'changed', divergent ? 'divergent' : ''].filter((name) => name !== '').join(' ');

const CHANGE_WORDS: Readonly<Record<Change, string>> = { same: '', added: 'new', altered: 'changed' };

export const markWords = ({ change, divergent }: Marked): Markup | undefined => {
  if (divergent) return html`<span class="tag bad">wrong</span>`;
  return change === 'same' ? undefined : html`<span class="tag">${CHANGE_WORDS[change]}</span>`;
};

/** For what knows only whether it changed. */
export const changeOf = (changed: boolean): Change => (changed ? 'altered' : 'same');
