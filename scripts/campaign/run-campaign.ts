/** A campaign from its options to its verdict: one phase after the other, then the results. */

import { join } from 'node:path';
import type { Ledger } from '../../properties/campaign/ledger.js';
import { representative } from '../../properties/campaign/ledger.js';
import { rarityOf } from '../../properties/campaign/residual-risk.js';
import { signatureOf } from '../../properties/divergence.js';
import { terminalReport } from '../report/terminal-text.js';
import type { ExitCode } from '../terminal/exit-codes.js';
import { labelled } from '../terminal/labelled.js';
import { printable } from '../terminal/printable.js';
import { ProgressDisplay, progressLine } from '../terminal/progress-display.js';
import type { Progress } from '../terminal/progress-display.js';
import type { Session } from '../terminal/session.js';
import { shellWord } from '../terminal/shell-words.js';
import { replayCommand, shrinkCommand } from '../terminal/sides.js';
import type { WorkerPool } from '../terminal/surroundings.js';
import type { CampaignFlags, CampaignPlan } from './campaign-plan.js';
import { programsPlanned, runsInProcess } from './campaign-plan.js';
import { flyCanary } from './canary.js';
import { campaignPlan } from './checked-plan.js';
import { replayCorpus } from './corpus-replay.js';
import type { EventSink } from './event-log.js';
import { EventLog, NO_LOG, readLedger } from './event-log.js';
import { Exploration, endSubjects } from './exploration.js';
import { FindingStore, remedyFor } from './finding-store.js';
import { appendToHistory, isWholeNight, unfinishedNight } from './history.js';
import { InProcessPool } from './in-process-pool.js';
import { NoveltyClock } from './novelty.js';
import type { Publication } from './publish.js';
import { publish, writeResults } from './publish.js';
import type { RunTools } from './run-context.js';
import { RunContext } from './run-context.js';
import type { CampaignRecord } from './run-directory.js';
import {
  EVENTS_FILE,
  WORKERS_FILE,
  campaignEvent,
  edgesOf,
  emptyLedger,
  inRunDirectory,
  makeRoomFor,
  writeRunRecord,
} from './run-directory.js';
import { resumeWords } from './resumed-plan.js';
import { Shrinking } from './shrinking.js';
import type { Tolerated } from './tolerance.js';
import { toleratedOn } from './tolerance.js';

/** Runs a campaign as the options ask, prints what it finds, and returns the exit code. Throws `BadInput`. */
export const runCampaign = async (
  kind: CampaignRecord['kind'],
  flags: CampaignFlags,
  session: Session,
): Promise<ExitCode> => {
  const plan = await campaignPlan(kind, flags, session);
  const run = (): Promise<ExitCode> => runPlanned(plan, session);
  return plan.directory === undefined ? await run() : await inRunDirectory(plan.directory, session, run);
};

const runPlanned = async (plan: CampaignPlan, session: Session): Promise<ExitCode> => {
  const { log, ledger } = await openRun(plan, session);
  const { directory, record, known, allowed, startTimeout } = plan;
  const { corpus } = plan.part;
  // A shard does not know which program will represent a finding.
  const keepIn = record.campaign.shards === 1 ? corpus : undefined;
  const { caseTimeout } = record.campaign;
  const store = new FindingStore({ directory, keepIn, caseTimeout, remedy: remedyFor(record) }, session);
  const workers = await startWorkers(plan, session);
  const onFinding: RunTools['onFinding'] = (finding) =>
    record.campaign.kind === 'nightly' ? Promise.resolve() : store.show(finding);
  const run = new CampaignRun(plan, ledger, { session, log, workers, onFinding });
  // From the first line to the last, an interruption ends the run with its summary.
  const unsubscribe = session.surroundings.onInterrupt(() => run.interrupt());
  try {
    announce(plan, session);
    await explore(run, workers, log, session);
    if (plan.resumed && run.wasDone) session.print('nothing was left to run');
    const { interrupted, shortcoming } = run;
    const options = { directory, record, known, corpus, keepIn, interrupted, shortcoming };
    const publication = await publish(ledger, options, store, session);
    session.print();
    printReport(publication, { directory, record }, session);
    const rerun = { allowed, caseTimeout, startTimeout, session };
    if (directory !== undefined) await writeResults(directory, record, publication, rerun);
    return publication.summary.exitCode;
  } catch (error) {
    await showUnreported(ledger, store, toleratedOn(session.surroundings.today(), known));
    throw error;
  } finally {
    unsubscribe();
  }
};

/** What a run that fails has found, and not yet shown. */
const showUnreported = async (ledger: Ledger, store: FindingStore, tolerated: Tolerated): Promise<void> => {
  store.leaveRun();
  for (const findings of ledger.findings.list()) {
    const finding = representative(findings);
    if (!tolerated.has(signatureOf(finding.divergence))) await store.show(finding);
  }
};

/** The last line is the command to continue with. */
export const printReport = (
  { summary, report, unshrunk }: Publication,
  { directory, record }: Pick<CampaignPlan, 'directory' | 'record'>,
  session: Session,
): void => {
  for (const line of terminalReport(report.document, session)) session.print(line);
  if (directory !== undefined) session.print(labelled('results', printable(directory), session.width));
  const isResumable = summary.verdict.kind === 'interrupted' && directory !== undefined;
  if (isResumable) session.print(session.command(...resumeWords(directory, record)));
  else if (unshrunk.length > 0) {
    session.print('the time for shrinking was too short; shrink further with:');
    for (const { replay } of unshrunk) session.print(shrinkCommand(replay!, summary.caseTimeout, session));
  } else printReplay(summary, session);
};

/** A flaky finding may have no file: its program was printed with it. */
const printReplay = ({ findings, caseTimeout }: Publication['summary'], session: Session): void => {
  if (findings.length === 0) return;
  const stored = findings.find(({ file }) => file !== undefined);
  session.print(
    stored === undefined
      ? 'no program was saved; to replay one, copy it from above into a file'
      : replayCommand(stored.replay, caseTimeout, session),
  );
};

/** Begins the files of a run, or opens those of one that resumes. */
const openRun = async (
  plan: CampaignPlan,
  session: Session,
): Promise<{ readonly log: EventSink; readonly ledger: Ledger }> => {
  const { directory, record } = plan;
  if (directory === undefined) return { log: NO_LOG, ledger: emptyLedger(record.campaign) };
  await prepareRun(plan, directory, session);
  const events = join(directory, EVENTS_FILE);
  const log = new EventLog(events);
  const torn = (problem: string): void => session.complain(`shadowdiff: ${printable(problem)}`);
  const ledger = await readLedger(events, record, torn);
  log.append(campaignEvent(record.campaign));
  return { log, ledger };
};

/** Writes what a run needs to resume. */
const prepareRun = async ({ resumed, record }: CampaignPlan, directory: string, session: Session): Promise<void> => {
  if (!resumed) await makeRoomFor(record, directory);
  await writeRunRecord(directory, record, resumed ? remedyFor(record) : 'name another --out');
  // Should it be killed, the history has it all the same.
  if (!resumed && isWholeNight(record))
    await appendToHistory(directory, unfinishedNight(directory, record, session), session);
};

const announce = ({ directory, record }: CampaignPlan, session: Session): void => {
  const { seed } = record.campaign;
  session.print(`seed ${seed}   (repeat with --seed ${shellWord(seed)})`);
  if (directory !== undefined) session.print(labelled('results', printable(directory), session.width));
};

/** Runs all phases, and shows how far they are. */
const explore = async (run: CampaignRun, workers: WorkerPool, log: EventSink, session: Session): Promise<void> => {
  const display = new ProgressDisplay(session, (columns) => progressLine(run.progress(), columns));
  try {
    await run.run();
  } finally {
    display.end();
    await workers.end();
    log.close();
  }
};

const startWorkers = async (plan: CampaignPlan, { surroundings }: Session): Promise<WorkerPool> => {
  if (runsInProcess(plan)) return new InProcessPool(surroundings);
  const { directory, part } = plan;
  const log = directory === undefined ? undefined : join(directory, WORKERS_FILE);
  return await surroundings.workers({ jobs: part.jobs, log });
};

/** Each phase records what it does, and skips what is recorded already. */
class CampaignRun {
  interrupted = false;
  private readonly context: RunContext;
  private readonly exploration: Exploration;
  private readonly shrinking: Shrinking;
  private readonly situations: NoveltyClock;
  private readonly edges: NoveltyClock;

  constructor(plan: CampaignPlan, ledger: Ledger, tools: RunTools) {
    this.context = new RunContext(plan, ledger, tools);
    this.exploration = new Exploration(this.context);
    this.shrinking = new Shrinking(this.context);
    this.situations = new NoveltyClock(rarityOf(this.context.shard.tally.situations.flat()));
    this.edges = new NoveltyClock(ledger.firstReached.edges());
  }

  async run(): Promise<void> {
    const isNightly = this.context.plan.record.campaign.kind === 'nightly';
    this.note('begin');
    if (isNightly) {
      await replayCorpus(this.context);
      await flyCanary(this.context);
    }
    // A fuzz run has a reader, who wants each finding as soon as it is small; a nightly one first spends its time on looking for more.
    await this.exploration.run(isNightly ? () => Promise.resolve(false) : () => this.shrinking.workOutNext());
    await endSubjects(this.context);
    await this.shrinking.run();
    if (!this.interrupted && this.shortcoming === undefined) this.note('end');
  }

  get shortcoming(): string | undefined {
    return this.context.shortcoming;
  }

  /** There was no task for the workers. */
  get wasDone(): boolean {
    return !this.interrupted && this.context.tasks === 0;
  }

  interrupt(): void {
    this.interrupted = true;
    this.context.close();
  }

  progress(): Progress {
    const { shard, ledger } = this.context;
    const { programs, tally } = shard;
    const { elapsed } = this.exploration;
    const shrinking = this.shrinking.progress;
    const findings = ledger.findings.size;
    const left = this.left(programs);
    const news = left === undefined ? {} : this.news();
    return { programs, steps: tally.steps, findings, elapsed, left, shrinking, ...news, tally };
  }

  private news(): Pick<Progress, 'situations' | 'edges'> {
    const { shard, ledger, plan } = this.context;
    const { elapsed } = this.exploration;
    const situations = this.situations.look(rarityOf(shard.tally.situations.flat()), elapsed);
    if (edgesOf(plan.record.campaign) === 0) return { situations };
    return { situations, edges: this.edges.look(ledger.firstReached.edges(), elapsed) };
  }

  private left(programs: number): Progress['left'] {
    const { plan } = this.context;
    const { time } = plan.part;
    if (this.exploration.isOver) return undefined;
    if (time !== null) return { kind: 'time', milliseconds: time - this.exploration.elapsed };
    return { kind: 'programs', count: programsPlanned(plan) - programs };
  }

  private note(kind: 'begin' | 'end'): void {
    const { today, plan } = this.context;
    this.context.record({ kind, at: today.toISOString(), shard: plan.part.shard });
  }
}
