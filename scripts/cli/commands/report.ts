import { appendFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { Option } from 'commander';
import { writeTextFile } from '../../../properties/corpus/store.js';
import { BadInput, whyFailed } from '../../../properties/formats/index.js';
import { buildReport } from '../../report/document/build-report.js';
import { reportSchema } from '../../report/document/report-document.js';
import { verdictSentence } from '../../report/document/report-verdict.js';
import type { RerunOptions } from '../../report/html/explained-findings.js';
import type { ReporterName } from '../../report/reporters.js';
import { REPORTERS, reportText, reporterNamed } from '../../report/reporters.js';
import { printable } from '../../terminal/printable.js';
import type { Session } from '../../terminal/session.js';
import type { CommandFlags } from '../../terminal/sides.js';
import { allowedBy } from '../../terminal/sides.js';
import { addHelp } from '../help.js';
import { caseTimeoutOption, startTimeoutOption } from '../options/option-values.js';
import { addAllowExec } from '../options/side-flags.js';
import { runTrend } from './trend.js';

interface ReportFlags extends CommandFlags {
  /** Milliseconds. */
  readonly caseTimeout?: number;
  readonly startTimeout?: number;
  readonly reporter: ReporterName;
  readonly out?: string;
  readonly schema?: true;
  readonly trend?: true;
}

/** GitHub shows the text that a step appends to this file on the page of the workflow. */
const STEP_SUMMARY = 'GITHUB_STEP_SUMMARY';

export const register = (program: Command, session: Session): void => {
  const command = program
    .command('report')
    .description(
      'Make one report from the results of fuzz, nightly, coverage and defects matrix; by default a page of at most 32 MiB for any browser.',
    )
    .argument('[directory...]', 'the --out of a run; several make one report')
    .addOption(
      new Option('--reporter <name>', 'form of the report')
        .choices(REPORTERS.map(({ name }) => name))
        .default('html' satisfies ReporterName),
    )
    .option('--out <file>', 'where to write it (default: report.html for html, standard output for the others)')
    .addOption(caseTimeoutOption('as in the run'))
    .addOption(startTimeoutOption('30s'))
    .option('--schema', 'print the JSON Schema of --reporter json, and nothing else')
    .addOption(new Option('--trend', 'the same as shadowdiff trend').conflicts(['reporter', 'schema']));
  addHelp(addAllowExec(command), [
    ['shadowdiff report out', 'writes report.html from a run of fuzz --out out'],
    ['shadowdiff report shard-1 shard-2 --reporter markdown', 'a summary of two runs for a pull request'],
    ['shadowdiff report out --reporter junit --out junit.xml', 'for a build server'],
    ['shadowdiff report out --reporter sarif --out out.sarif', 'for a code-scanning page'],
    ['shadowdiff report out --reporter annotations', 'for a GitHub workflow, which shows them at the counterexamples'],
    ['shadowdiff report out --reporter badge --out badge.json', 'for a README, as shields.io reads it'],
  ]).action(async (directories: readonly string[], flags: ReportFlags) => {
    if (flags.trend === true) await runTrend(directories, flags, session);
    else if (flags.schema === true) session.print(JSON.stringify(reportSchema(), undefined, 1));
    else await runReport(directories, flags, session);
  });
};

const runReport = async (directories: readonly string[], flags: ReportFlags, session: Session): Promise<void> => {
  if (directories.length === 0) throw new BadInput('report', 'no directory is named; name the --out of a run');
  const { caseTimeout, startTimeout } = flags;
  const rerun: RerunOptions = { caseTimeout, startTimeout, allowed: allowedBy(flags), session };
  if (flags.out !== undefined) session.withoutColors();
  const report = await buildReport(directories, session);
  const reporter = reporterNamed(flags.reporter);
  const out = flags.out ?? reporter.file;
  if (out === undefined) for await (const piece of reporter.pieces(report, rerun)) await session.stream(piece);
  else {
    await writeTextFile(out, reportText(flags.reporter, report, rerun), 'name another --out');
    session.print(printable(`${out}: ${verdictSentence(report.document.verdict)}`));
  }
  if (flags.reporter === 'markdown') await appendToWorkflowSummary(reportText('markdown', report, rerun), session);
};

const appendToWorkflowSummary = async (text: AsyncIterable<string>, { surroundings }: Session): Promise<void> => {
  const path = surroundings.env[STEP_SUMMARY] ?? '';
  if (path === '') return;
  try {
    for await (const piece of text) await appendFile(path, piece);
  } catch (error) {
    throw new BadInput(path, `cannot be written: ${whyFailed(error)}; check the path in ${STEP_SUMMARY}`);
  }
};
