import { Option } from 'commander';
import type { ProgramOptions } from '../../../properties/generators/index.js';

export interface PagingFlag {
  readonly paging: ProgramOptions['paging'];
}

export const pagingOption = (description: string): Option =>
  new Option('--paging <mode>', description).choices(['2-level', 'pae', 'both'] satisfies PagingFlag['paging'][]);
