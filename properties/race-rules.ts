/**
 * Racy guests (machine.md 6): those of the profile `architecture` that announce changes of their tables late, or never. All that a CPU can
 * have cached of them is well-formed, because a page that was ever used as a table is never used as anything else. That looks at no order,
 * so a program keeps to it without any of its steps.
 */

import type { GuestEntry, Program, Step } from '../model/vocabulary/index.js';
import { PAGE_BYTES } from '../model/vocabulary/index.js';
import type { Place } from './contract-tables.js';
import { ContractTables } from './contract-tables.js';
import { isPresent, pageOf } from './entry-bits.js';

type Role = Place['role'] | 'data';

/** Why a program is not that of a racy guest, as a clause; undefined if it is. */
export const raceFlaw = ({ machine, steps }: Program): string | undefined => {
  if (machine.features !== undefined) return `a racy guest has no ${machine.features[0]}`;
  return new RaceRules(machine).firstFlaw(steps);
};

class RaceRules {
  private readonly tables: ContractTables;
  private readonly values = new Map<number, GuestEntry[]>();
  private readonly roles = new Map<number, Role>();

  constructor(machine: Program['machine']) {
    this.tables = new ContractTables(machine, 'architecture');
  }

  firstFlaw(steps: readonly Step[]): string | undefined {
    const roots = new Set<number>();
    for (const step of steps) {
      if (step.op === 'store') this.noteValue(step.paddr, step.value);
      if (step.op === 'new-pgtable') roots.add(step.root);
    }
    for (const root of roots) {
      if (!this.tables.rootInRam(root)) return `root 0x${root.toString(16)} is not in RAM`;
      const flaw = this.usePage(Math.floor(root / PAGE_BYTES), 'root');
      if (flaw !== undefined) return flaw;
    }
    return undefined;
  }

  private noteValue(address: number, value: GuestEntry): void {
    const page = Math.floor(address / PAGE_BYTES);
    const values = this.values.get(page) ?? [];
    values.push(value);
    this.values.set(page, values);
  }

  /** Follows each entry that a page ever held. */
  private usePage(page: number, role: Role): string | undefined {
    const other = this.roles.get(page);
    if (other !== undefined) return other === role ? undefined : `page ${page} is used as ${other} and as ${role}`;
    this.roles.set(page, role);
    if (role === 'data') return undefined;
    for (const value of this.values.get(page) ?? []) {
      const flaw = isPresent(value) ? this.entryFlaw(value, role) : undefined;
      if (flaw !== undefined) return flaw;
    }
    return undefined;
  }

  private entryFlaw(value: GuestEntry, role: Place['role']): string | undefined {
    return this.tables.entryFlaw(value, role, false)?.reason ?? this.usePage(pageOf(value), this.below(role));
  }

  private below(role: Place['role']): Role {
    if (role === 'leaf') return 'data';
    return role === 'root' && this.tables.sizes.tableLevels === 2 ? 'middle' : 'leaf';
  }
}
