/** Stores and tells each finding of a run as soon as it is made, so that nothing is lost whatever happens next. */

import { join } from 'node:path';
import { formatProgram } from '../../properties/formats/index.js';
import type { Finding } from '../../properties/finding.js';
import type { KindOfFinding } from '../../properties/fuzz.js';
import { findingReport } from '../report/finding-text.js';
import { printable } from '../terminal/printable.js';
import { commandLineOf } from '../terminal/shell-words.js';
import type { FindingSummary } from '../report/document/summary-document.js';
import type { Session } from '../terminal/session.js';
import { packageVersion } from '../own-package.js';
import type { StoredFinding } from './finding-store.js';
import { storeFinding } from './finding-store.js';
import { UNSTEADY, findingSummary } from './finding-summary.js';
import type { Plan } from './plan.js';
import { FINDINGS_DIRECTORY } from '../report/document/summary-document.js';

interface Kept {
  readonly finding: KindOfFinding;
  readonly file: string | undefined;
  readonly replay: string;
}

export class Keeper {
  private readonly plan: Plan;
  private readonly session: Session;
  private readonly kept: Kept[] = [];

  constructor(plan: Plan, session: Session) {
    this.plan = plan;
    this.session = session;
  }

  get count(): number {
    return this.kept.length;
  }

  async keep(finding: KindOfFinding): Promise<void> {
    const entry = this.entryOf(finding);
    const inCorpus = await storeFinding(this.plan.corpus, entry);
    const inOut =
      this.plan.out === undefined ? undefined : await storeFinding(join(this.plan.out, FINDINGS_DIRECTORY), entry);
    const best = inCorpus.kind === 'stored' ? inCorpus : (inOut ?? inCorpus);
    const file = best.kind === 'stored' ? best.path : undefined;
    this.kept.push({ finding, file, replay: this.replayOf(best) });
    this.tell(finding, best);
    for (const stored of [inCorpus, inOut]) this.tellTrouble(stored);
  }

  /** The findings with their final counts. */
  summaries(): readonly FindingSummary[] {
    return this.kept.map(({ finding, file, replay }) => findingSummary(finding, file, replay));
  }

  private entryOf({ case: found, divergence, program, originalSteps, reproduced }: KindOfFinding): Finding {
    const { options } = this.plan;
    return {
      status: 'open',
      subject: options.subject.name,
      reference: options.reference.name,
      case: found,
      divergence,
      provenance: {
        date: this.session.surroundings.today().toISOString(),
        version: packageVersion(),
        seed: options.campaign,
        program,
        originalSteps,
      },
      note: reproduced ? '' : UNSTEADY,
    };
  }

  private tell(finding: KindOfFinding, stored: StoredFinding): void {
    const { session } = this;
    session.print();
    const report = findingReport(finding, this.kept.length, this.plan.options.campaign, session);
    for (const line of report) session.print(line);
    if (stored.kind === 'lost') {
      session.print('the program, which could not be saved; put the next line into a file to replay it:');
      session.print(formatProgram(finding.case.program));
    }
    session.print(this.replayOf(stored));
  }

  private tellTrouble(stored: StoredFinding | undefined): void {
    if (stored === undefined) return;
    if (stored.kind === 'lost') this.session.complain(`shadowdiff: ${printable(stored.problem)}`);
    else if (stored.recorded.status === 'fixed') {
      this.session.complain(`shadowdiff: ${printable(stored.path)}: marked as fixed, and it is back`);
    }
  }

  /** Names the sides if the file does not, or names others. */
  private replayOf(stored: StoredFinding): string {
    const { subject, reference } = this.plan.options;
    const recorded = stored.kind === 'stored' ? stored.recorded : { subject: 'impl', reference: 'model' };
    const words = ['shadowdiff', 'replay', stored.kind === 'stored' ? stored.path : 'FILE'];
    if (recorded.subject !== subject.name) words.push('--subject', subject.name);
    if (recorded.reference !== reference.name) words.push('--reference', reference.name);
    return commandLineOf(words);
  }
}
