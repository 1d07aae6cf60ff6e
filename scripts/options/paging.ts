import type { Command } from 'commander';
import { Option } from 'commander';
import type { ProgramOptions } from '../../properties/arbitraries/index.js';

export interface PagingFlag {
  readonly paging: ProgramOptions['paging'];
}

export const addPaging = (command: Command, description: string): Command =>
  command.addOption(
    new Option('--paging <mode>', description)
      .choices(['2-level', 'pae', 'both'] satisfies PagingFlag['paging'][])
      .default('both' satisfies PagingFlag['paging']),
  );
