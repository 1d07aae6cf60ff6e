import type { Case } from '../generators/index.js';
import type { Divergence } from '../divergence.js';

/** Judges a candidate: its divergence, if it has one. May be slow (a subject behind a pipe). */
export type Judge = (candidate: Case) => Promise<Divergence | undefined>;
