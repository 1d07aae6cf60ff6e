/** Coherent programs (machine.md 5): a list of macros, lowered by a guest that keeps the contract. */

import type { Paging, Program } from '../../model/vocabulary/index.js';
import { CoherentGuest } from './coherent-guest.js';
import type { CoherentLayout } from './coherent-layout.js';
import { drawLayout } from './coherent-layout.js';
import type { Draw } from './draw.js';
import type { Macro, MacroKind } from './macro.js';
import { drawMacroKinds } from './macro.js';
import type { Mixture } from './mixture.js';

/** What a coherent program was lowered from. */
export interface CoherentOrigin {
  readonly layout: CoherentLayout;
  readonly macros: readonly Macro[];
}

const lowerMacro = (guest: CoherentGuest, { kind, where, what }: Macro): void => {
  switch (kind) {
    case 'access':
      return guest.access(where, what);
    case 'map':
      return guest.map(where, what);
    case 'unmap':
      return guest.unmap(where, what);
    case 'rights':
      return guest.changeRights(where, what);
    case 'age':
      return guest.age(where, what);
    case 'swap-table':
      return guest.swapTable(where, what);
    case 'upper-rights':
      return guest.changeUpperRights(where, what);
    case 'toggle-top':
      return guest.toggleTop(where);
    case 'kernel-map':
      return guest.mapKernel(where, what);
    case 'kernel-unmap':
      return guest.unmapKernel(where);
    case 'kernel-table':
      return guest.exchangeKernelTable(where, what);
    case 'switch':
      return guest.switch(where, what);
    case 'retire':
      return guest.retire(where);
    case 'set-stack':
      return guest.setStack(what);
    case 'guest-pa':
      return guest.guestPa(where, what);
    case 'migrate':
      return guest.migrate(what);
    case 'flush-user':
      return guest.flush('user');
    case 'flush-all':
      return guest.flush('all');
    case 'pressure':
      return guest.switchUnderPressure(where, what);
    case 'blunder':
      return guest.blunder(where, what);
    default: {
      const unknown: never = kind;
      throw new Error(`unknown macro ${String(unknown)}`);
    }
  }
};

/** Deterministic: the same origin gives the same program. */
export const lowerCoherent = ({ layout, macros }: CoherentOrigin): Program => {
  const guest = new CoherentGuest(layout);
  guest.start();
  for (const macro of macros) lowerMacro(guest, macro);
  return { machine: layout.machine, steps: guest.steps };
};

/** A program that ends with the macro in which it reaches its length, or just before what would exceed `mostSteps`. */
export const drawCoherent = (
  draw: Draw,
  paging: Paging,
  mostSteps: number,
  mixture: Mixture,
): { readonly program: Program; readonly origin: CoherentOrigin } => {
  const layout = drawLayout(draw, paging);
  const kinds = drawMacroKinds(draw, mixture);
  const guest = new CoherentGuest(layout);
  guest.start();
  const { steps } = guest;
  const room = Math.max(mostSteps - steps.length, 0);
  const target = mostSteps - Math.floor(room * draw.bits(3) * 0.125);
  const macros: Macro[] = [];
  const take = (kind: MacroKind): boolean => {
    const macro: Macro = { kind, where: draw.word(), what: draw.word() };
    const length = steps.length;
    lowerMacro(guest, macro);
    const fits = steps.length <= mostSteps;
    if (fits) macros.push(macro);
    else steps.length = length;
    return fits;
  };
  while (steps.length < target && take(draw.pick(kinds)));
  if (draw.bits(5) === 0) take('blunder');
  return { program: { machine: layout.machine, steps }, origin: { layout, macros } };
};
