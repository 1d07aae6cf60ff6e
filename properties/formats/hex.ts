/** Addresses and entries as they stand in JSON: lower-case hex strings, `"0x0"` for zero (formats.md). */

import type { GuestEntry } from '../../model/vocabulary/index.js';
import { guestEntry } from '../../model/vocabulary/index.js';

/** The widths of an address and of an entry, `0x` included. */
const HALF_CHARACTERS = 10;
const ENTRY_CHARACTERS = 18;

const LOWER_CASE_HEX = /^0x[0-9a-f]+$/;
const LEADING_ZEROS = /^0x0+(?=.)/;

/** `value`: 0 … 2⁵³−1. */
export const formatHex = (value: number): string => `0x${value.toString(16)}`;

export const formatHexEntry = ({ low, high }: GuestEntry): string =>
  high === 0 ? formatHex(low) : `${formatHex(high)}${low.toString(16).padStart(8, '0')}`;

/** `0x` and at least one lower-case digit, of any length. */
export const isHex = (text: string): boolean => LOWER_CASE_HEX.test(text);

/** Leading zeros do not count against the width. */
const significant = (text: string, characters: number): string =>
  text.length > characters ? text.replace(LEADING_ZEROS, '0x') : text;

/** The value of a string for which `isHex` holds, 0 … 2³²−1; undefined if it is wider than 32 bits. */
export const parseHexAddress = (text: string): number | undefined => {
  const digits = significant(text, HALF_CHARACTERS);
  return digits.length > HALF_CHARACTERS ? undefined : Number(digits);
};

/** The value of a string for which `isHex` holds; undefined if it is wider than 64 bits. */
export const parseHexEntry = (text: string): GuestEntry | undefined => {
  const digits = significant(text, ENTRY_CHARACTERS);
  if (digits.length <= HALF_CHARACTERS) return guestEntry(Number(digits));
  if (digits.length > ENTRY_CHARACTERS) return undefined;
  return guestEntry(Number(`0x${digits.slice(-8)}`), Number(digits.slice(0, -8)));
};
