/** What else is made of a run's directory once its summary is written. A new reporter is a line. */

import type { Session } from '../session.js';

/** Writes a report into the directory, from summary.json, invariants.json and findings/ there. */
export type Reporter = (directory: string, session: Session) => Promise<void>;

export const REPORTERS: readonly Reporter[] = [];
