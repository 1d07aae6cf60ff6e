/** HTML templates that escape every value which is not markup already. */

import { visible, visibleLines } from '../../../properties/formats/index.js';

/** Safe HTML. Only this file makes it. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  get bytes(): number {
    return Buffer.byteLength(this.text);
  }
}

export type Content = Markup | string | number | undefined | readonly Content[];

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escaped = (text: string): string => visibleLines(text).replace(/[&<>"']/g, (sign) => ESCAPES[sign]);

const textOf = (content: Content): string => {
  if (content === undefined) return '';
  if (content instanceof Markup) return content.text;
  if (typeof content === 'string' || typeof content === 'number') return escaped(String(content));
  return content.map(textOf).join('');
};

/** A template of HTML. Values may appear in text and in quoted attributes, nowhere else. */
export const html = (parts: TemplateStringsArray, ...contents: readonly Content[]): Markup =>
  new Markup(parts.map((part, index) => (index === 0 ? '' : textOf(contents[index - 1])) + part).join(''));

/** Data for a script, which may show any text in it. `<` is escaped, so that no text can end the element. */
export const dataElement = (id: string, data: unknown): Markup => {
  const json = JSON.stringify(data, (_, value: unknown) => (typeof value === 'string' ? visibleLines(value) : value));
  return new Markup(
    `<script type="application/json" id="${escaped(id)}">${visible(json).replaceAll('<', '\\u003c')}</script>`,
  );
};

/** Trusted text, from a file of this package. */
export const verbatim = (text: string): Markup => new Markup(text);

/** Stands in markup for what is written there later. Escaped text cannot contain it. */
export const SEAM = new Markup('\0');

/** What stands before the seam and after it. */
export const aroundSeam = ({ text }: Markup): readonly [before: string, after: string] => {
  const [before, after] = text.split(SEAM.text);
  return [before, after];
};
