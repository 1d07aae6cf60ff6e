/** Steps, rights, leaves and ranges in words. */

import type { Step } from '../../model/vocabulary/index.js';
import { formatHex } from '../formats/index.js';
import type { Place } from '../divergence.js';
import type { LeafSeen } from './shadow-snapshot.js';

type Target = Pick<LeafSeen, 'target' | 'page'>;
type Rights = Pick<LeafSeen, 'writable' | 'user' | 'upperWritable' | 'upperUser'>;

export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** `read-only user`: what the CPU allows, by the leaf and the entry above it. */
export const rightsText = ({ writable, user, upperWritable, upperUser }: Rights): string =>
  `${writable && upperWritable ? 'read-write' : 'read-only'} ${user && upperUser ? 'user' : 'kernel'}`;

/** `page 5`, `Switcher state of CPU 1`. */
export const targetText = ({ target, page }: Target): string => {
  switch (target) {
    case 'ram':
      return `page ${page}`;
    case 'switcher-text':
      return 'Switcher text';
    case 'switcher-registers':
      return 'Switcher registers';
    case 'switcher-state':
      return `Switcher state of CPU ${page}`;
    case 'stray':
      return `stray host page ${page}`;
    default:
      return target satisfies never;
  }
};

/** `0x400000 → page 5, read-write user, in slot 1`. */
export const leafText = (leaf: LeafSeen): string =>
  `${formatHex(leaf.vaddr)} → ${targetText(leaf)}, ${rightsText(leaf)}, in slot ${leaf.slot}`;

/** `the shadow leaf for 0x400000 in slot 1`. */
export const leafName = (leaf: LeafSeen): string => `the shadow leaf for ${leafPlace(leaf)}`;

/** `0x400000 in slot 1`. */
export const leafPlace = ({ vaddr, slot }: LeafSeen): string => `${formatHex(vaddr)} in slot ${slot}`;

export const rangeText = (from: number, bytes: number): string =>
  `${formatHex(from)}–${formatHex(Math.min(from + bytes, 2 ** 32) - 1)}`;

/** `step 5 (set-pte)`, `the kernel write to 0x0 at step 7`, `creation`. */
export const placeText = (place: Place, step: Step | undefined): string => {
  if (place.kind === 'create') return 'creation';
  if (place.kind === 'end') return 'the last step';
  if (place.kind === 'end-of-input') return 'the end of input';
  if (place.kind === 'destroy' || step === undefined) return 'destroy';
  if (step.op === 'access') return `the ${accessText(step)} at step ${place.index}`;
  if (step.op === 'guest-pa') return `guest-pa of ${formatHex(step.vaddr)} at step ${place.index}`;
  return `step ${place.index} (${step.op})`;
};

/** `kernel write to 0x0`. */
export const accessText = ({ mode, kind, vaddr }: Step & { readonly op: 'access' }): string =>
  `${mode} ${kind} ${kind === 'write' ? 'to' : 'of'} ${formatHex(vaddr)}`;

/** ` since step 4`, or empty. */
export const sinceText = (step: number | undefined): string => (step === undefined ? '' : ` since step ${step}`);

/** `a`, `a and b`, `a, b and c`; beyond `most` items: `a, b, c and 5 more`. */
export const listText = (items: readonly string[], most = 4): string => {
  const shown = items.length > most ? [...items.slice(0, most - 1), `${items.length - most + 1} more`] : items;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
};

export const capitalized = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);
