import type { Program } from '../../model/vocabulary/index.js';

/** The two kinds of guest (machine.md 5). */
export const TRAFFICS = ['hostile', 'coherent'] as const;
export type Traffic = (typeof TRAFFICS)[number];

/** A program, and which promises its guest keeps. */
export interface Case {
  readonly traffic: Traffic;
  readonly program: Program;
}
