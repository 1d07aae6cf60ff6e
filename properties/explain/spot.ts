/** What a divergence is about, read off its field: what a frame marks, and where a narrator looks first. */

import type { Paddr } from '../../model/vocabulary/index.js';
import { paddr } from '../../model/vocabulary/index.js';
import type { Divergence } from '../divergence.js';

export interface Spot {
  readonly vaddr: number | undefined;
  readonly slot: number | undefined;
  /** A guest page. */
  readonly page: number | undefined;
  /** A word of guest RAM. */
  readonly paddr: Paddr | undefined;
  /** Host page of a shadow table. */
  readonly frame: number | undefined;
}

/** Fields are written by the invariants: `leaf for 0x0 in slot 0`, `guest RAM at 0x8`, `references` with `page 3: 1` … */
export const spotOf = ({ field, expected, actual }: Divergence, currentSlot: number | undefined): Spot => {
  const number = (pattern: RegExp, text = field): number | undefined => {
    const found = pattern.exec(text)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  const aboutCurrent = field.startsWith('stack page') || field.startsWith("Switcher's");
  const values = field === 'references' ? `${expected} ${actual}` : '';
  return {
    vaddr: number(/^(?:leaf for|leaf for kernel address|stack page) (0x[0-9a-f]+)/),
    slot: number(/slot (\d+)/) ?? (aboutCurrent || field.includes('current slot') ? currentSlot : undefined),
    page: number(/^references on page (\d+)/) ?? number(/page (\d+): \d+/, values),
    paddr: wordAddress(number(/^guest RAM at (0x[0-9a-f]+)/) ?? storeAddress(field, expected, actual)),
    frame: number(/^table on host page (\d+)/),
  };
};

const wordAddress = (address: number | undefined): Paddr | undefined =>
  address === undefined ? undefined : paddr(address);

const storeAddress = (field: string, ...texts: readonly string[]): number | undefined => {
  if (field !== 'stores') return undefined;
  const found = texts.map((text) => /^(0x[0-9a-f]+) = /.exec(text)?.[1]).find((text) => text !== undefined);
  return found === undefined ? undefined : Number(found);
};
