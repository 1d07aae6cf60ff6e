/** A share as a number and a bar. */

import { formatShare } from '../../terminal/numbers.js';
import type { Markup } from './markup.js';
import { html } from './markup.js';

/** `text`: what the share says in words, beside the bar. */
export const bar = (part: number, whole: number, text: string = formatShare(part, whole)): Markup => {
  if (whole === 0) return html`<span class="none">–</span>`;
  const percent = Math.round((part / whole) * 1000) / 10;
  const level = part === 0 ? 'empty' : part < whole ? 'partial' : 'full';
  return html`<span class="share ${level}"
    ><span class="figure">${text}</span
    ><svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
      <rect class="track" width="100" height="4" />
      <rect class="fill" width="${percent}" height="4" /></svg
  ></span>`;
};
