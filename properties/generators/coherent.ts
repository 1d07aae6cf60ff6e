/** Coherent programs (machine.md 5): a list of macros, lowered by a guest that keeps the contract. */

import type { Paging, Program } from '../../model/vocabulary/index.js';
import type { Mixture } from './case.js';
import { drawRepetitions, isLong } from './case.js';
import { CoherentGuest } from './coherent-guest.js';
import type { CoherentLayout, LayoutLimits } from './coherent-layout.js';
import { drawLayout } from './coherent-layout.js';
import type { Draw } from './draw.js';
import type { Macro, MacroKind } from './macro.js';
import { drawMacroKinds } from './macro.js';

/** What a coherent program is lowered from. */
export interface CoherentOrigin {
  readonly layout: CoherentLayout;
  readonly macros: readonly Macro[];
}

const lowerMacro = (guest: CoherentGuest, { kind, target, choice }: Macro): void => {
  switch (kind) {
    case 'access':
      return guest.access(target, choice);
    case 'map':
      return guest.map(target, choice);
    case 'unmap':
      return guest.unmap(target, choice);
    case 'rights':
      return guest.changeRights(target, choice);
    case 'age':
      return guest.age(target, choice);
    case 'swap-table':
      return guest.swapTable(target, choice);
    case 'upper-rights':
      return guest.changeUpperRights(target, choice);
    case 'toggle-top':
      return guest.toggleTop(target);
    case 'kernel-map':
      return guest.mapKernel(target, choice);
    case 'kernel-unmap':
      return guest.unmapKernel(target);
    case 'kernel-table':
      return guest.exchangeKernelTable(target, choice);
    case 'switch':
      return guest.switch(target, choice);
    case 'retire':
      return guest.retire(target);
    case 'set-stack':
      return guest.setStack(choice);
    case 'guest-pa':
      return guest.guestPa(target, choice);
    case 'migrate':
      return guest.migrate(choice);
    case 'flush-user':
      return guest.flush('user');
    case 'flush-all':
      return guest.flush('all');
    case 'pressure':
      return guest.switchUnderPressure(target, choice);
    case 'large-page':
      return guest.changeLargePage(target, choice);
    case 'kernel-large-page':
      return guest.changeKernelLargePage(target, choice);
    case 'blunder':
      return guest.blunder(target, choice);
    default:
      return kind satisfies never;
  }
};

export const lowerCoherent = ({ layout, macros }: CoherentOrigin): Program => {
  const guest = new CoherentGuest(layout);
  guest.start();
  for (const macro of macros) lowerMacro(guest, macro);
  return { machine: layout.machine, steps: guest.steps };
};

export interface CoherentOptions extends LayoutLimits {
  readonly mostSteps: number;
  readonly mixture: Mixture;
}

/** A program of at most `mostSteps` steps. Its length is drawn; the macro that reaches it is the last, unless it would exceed `mostSteps`. */
export const drawCoherent = (
  draw: Draw,
  paging: Paging,
  { mostSteps, mixture, guestPages, features, profile }: CoherentOptions,
): { readonly program: Program; readonly origin: CoherentOrigin } => {
  const layout = drawLayout(draw, paging, { profile, guestPages, features });
  const kinds = drawMacroKinds(draw, mixture, profile, layout.machine);
  const guest = new CoherentGuest(layout);
  guest.start();
  const { steps } = guest;
  const room = Math.max(mostSteps - steps.length, 0);
  const target = mostSteps - Math.floor(room * draw.bits(3) * 0.125);
  const repeats = isLong(mostSteps);
  const macros: Macro[] = [];
  /** Whether the macro fits. One that does not is the end of the program: the guest remembers it, though its steps are gone. */
  const take = (kind: MacroKind): boolean => {
    const macro: Macro = { kind, target: draw.word(), choice: draw.word() };
    const length = steps.length;
    lowerMacro(guest, macro);
    const fits = steps.length <= mostSteps;
    if (fits) macros.push(macro);
    else steps.length = length;
    return fits;
  };
  const takeMany = (kind: MacroKind): boolean => {
    for (let left = drawRepetitions(draw, mostSteps); left > 0; left--)
      if (!take(kind) || !take('access')) return false;
    return true;
  };
  let isOpen = draw.bits(3) !== 0 || takeMany(draw.pick(kinds));
  while (isOpen && steps.length < target) {
    const kind = draw.pick(kinds);
    isOpen = repeats && draw.bits(5) === 0 ? takeMany(kind) : take(kind);
  }
  if (isOpen && profile !== 'architecture' && draw.bits(5) === 0) take('blunder');
  return { program: { machine: layout.machine, steps }, origin: { layout, macros } };
};
