/** V8's counts from some processes: read by c8, corrected, summed up, and written as lcov.info and HTML. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Report } from 'c8';
import type { CodeShare, ExplainedLine, Share, UnreachedLine } from '../coverage-document.js';
import type { Explanations } from '../thresholds.js';
import type { FileCounts, Places, Range } from './code-counts.js';
import { outside, placesOf, recount } from './code-counts.js';
import type { CodeFile, Folder } from './code-files.js';

export type FolderShares = Readonly<Record<Folder, CodeShare>>;

/** The counted places, by the path of the source. */
type PlacesByFile = ReadonlyMap<string, Places>;

interface Unexplained {
  readonly rest: PlacesByFile;
  readonly explained: readonly ExplainedLine[];
  readonly stale: readonly string[];
}

/** The part of istanbul's coverage map that is used here; c8 returns it untyped. */
interface CoverageMap {
  fileCoverageFor(source: string): { readonly data: FileCounts; toSummary(): { readonly data: CodeShare } };
  filter(wanted: (source: string) => boolean): void;
}

type C8Report = Report & { getCoverageMapFromAllCoverageFiles(): Promise<CoverageMap> };

/** The directories of a report; they need not exist. */
interface ReportPlace {
  /** For lcov.info and html/. */
  readonly report: string;
  /** For c8, which reads files. */
  readonly scratch: string;
}

export class CodeReport {
  private readonly files: readonly CodeFile[];
  private readonly report: C8Report;
  private readonly map: CoverageMap;

  private constructor(files: readonly CodeFile[], report: C8Report, map: CoverageMap) {
    this.files = files;
    this.report = report;
    this.map = map;
  }

  /** `counted`: the JSON of each process. The counts are uncorrected until `write`. */
  static async read(
    files: readonly CodeFile[],
    { report, scratch }: ReportPlace,
    counted: readonly string[],
  ): Promise<CodeReport> {
    await mkdir(scratch, { recursive: true });
    for (const [index, json] of counted.entries()) await writeFile(join(scratch, `${index}.json`), json);
    const [{ compiled, source, name }] = files;
    const c8 = new Report({
      all: true,
      src: [compiled.slice(0, -name.length)],
      include: files.map((file) => literally(file.compiled)),
      exclude: [],
      extension: ['.js'],
      allowExternal: true,
      excludeNodeModules: false,
      resolve: '',
      tempDirectory: scratch,
      reportsDirectory: report,
      reporter: ['lcovonly', 'html'],
      reporterOptions: { lcovonly: { projectRoot: source.slice(0, -name.length) }, html: { subdir: 'html' } },
    }) as C8Report;
    return new CodeReport(files, c8, await c8.getCoverageMapFromAllCoverageFiles());
  }

  /** The places that V8 distinguishes in these processes. */
  places(): PlacesByFile {
    return new Map(this.files.map((file) => [file.source, placesOf(file, this.counts(file))]));
  }

  /** Leaves out the places that have an explanation why no program reaches them. `stale`: explanations of reached or missing code. */
  without(explanations: Explanations, places: PlacesByFile): Unexplained {
    const rest = new Map(places);
    const explained: ExplainedLine[] = [];
    const stale: string[] = [];
    for (const [name, reason] of Object.entries(explanations.functions)) {
      const idle = this.idleFunctions(name, places);
      if (idle.length === 0) stale.push(`function ${name}: runs, or is no longer there`);
      for (const { file, range } of idle) {
        rest.set(file.source, outside([range], rest.get(file.source)!));
        explained.push({
          file: file.name,
          line: range.start.line,
          text: file.text[range.start.line - 1].trim(),
          reason,
        });
      }
    }
    for (const [name, reasons] of Object.entries(explanations.lines)) {
      const file = this.files.find((each) => each.name === name);
      if (file === undefined) stale.push(`${name}: there is no such file with code`);
      else this.explain(file, reasons, rest.get(file.source)!, { rest, explained, stale });
    }
    return { rest, explained, stale };
  }

  /** The functions of this name that never ran, in any file. */
  private idleFunctions(
    name: string,
    places: PlacesByFile,
  ): readonly { readonly file: CodeFile; readonly range: Range }[] {
    return this.files.flatMap((file) => {
      recount(this.counts(file), places.get(file.source)!);
      const { fnMap, f } = this.counts(file);
      return Object.keys(fnMap)
        .filter((key) => fnMap[key].name === name && f[key] === 0)
        .map((key) => ({ file, range: fnMap[key].loc }));
    });
  }

  private explain(
    file: CodeFile,
    reasons: Readonly<Record<string, string>>,
    places: Places,
    { rest, explained, stale }: { rest: Map<string, Places>; explained: ExplainedLine[]; stale: string[] },
  ): void {
    recount(this.counts(file), places);
    const gone = new Set<number>();
    for (const [text, reason] of Object.entries(reasons)) {
      const lines = file.text.flatMap((line, index) => (line.trim() === text ? [index + 1] : []));
      const unreached = lines.filter((line) => this.misses(file, line));
      if (unreached.length === 0) stale.push(`${file.name}: ${text}: is reached, or no longer there`);
      for (const line of unreached) {
        gone.add(line);
        explained.push({ file: file.name, line, text, reason });
      }
    }
    rest.set(file.source, {
      lines: places.lines.filter(({ start }) => !gone.has(start.line)),
      branches: places.branches.filter(({ loc }) => !gone.has(loc.start.line)),
      functions: places.functions,
    });
  }

  /** Whether something on the line never ran. */
  private misses(file: CodeFile, line: number): boolean {
    const { statementMap, s, branchMap, b } = this.counts(file);
    return (
      Object.keys(s).some((key) => s[key] === 0 && statementMap[key].start.line === line) ||
      Object.keys(b).some((key) => b[key][0] === 0 && branchMap[key].loc.start.line === line)
    );
  }

  /** Counts these places, writes the report, and returns the shares. */
  async write(places: PlacesByFile): Promise<FolderShares> {
    for (const file of this.files) recount(this.counts(file), places.get(file.source)!);
    // c8 writes this map, which also holds files that contain only types.
    this.map.filter((source) => places.has(source));
    await this.report.run();
    return { impl: this.share('impl'), model: this.share('model') };
  }

  /** The lines that never ran, by file and number. Call it after `write`. */
  unreached(): readonly UnreachedLine[] {
    return this.files.flatMap((file) => {
      const { statementMap, s } = this.counts(file);
      const lines = Object.keys(s)
        .filter((key) => s[key] === 0)
        .map((key) => statementMap[key].start.line);
      return lines.map((line) => ({ file: file.name, line, text: file.text[line - 1].trim() }));
    });
  }

  private counts({ source }: CodeFile): FileCounts {
    return this.map.fileCoverageFor(source).data;
  }

  private share(folder: Folder): CodeShare {
    const shares = this.files
      .filter((file) => file.folder === folder)
      .map(({ source }) => this.map.fileCoverageFor(source).toSummary().data);
    const sum = (kind: keyof CodeShare): Share => ({
      covered: shares.reduce((total, share) => total + share[kind].covered, 0),
      total: shares.reduce((total, share) => total + share[kind].total, 0),
    });
    return { lines: sum('lines'), branches: sum('branches'), functions: sum('functions') };
  }
}

/** A glob pattern that matches only this path. */
const literally = (path: string): string => path.replace(/[\\*?[\]{}()!+@]/g, '\\$&');
