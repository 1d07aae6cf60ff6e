/** The host's allocator of pages for shadow tables, which can be told to fail (machine.md 1, Host pages). */

import { FACT } from './facts.js';
import type { StateSink } from './vocabulary/index.js';

export class HostPages {
  /** Pages handed out. */
  held = 0;
  /** Allocations that still succeed before the failing ones. */
  private succeeding = 0;
  private failing = 0;

  /** The `n`-th allocation from now fails, and no other; 0: none. */
  failNth(n: number): void {
    this.succeeding = n === 0 ? 0 : n - 1;
    this.failing = n === 0 ? 0 : 1;
  }

  /** The next `count` allocations fail, whatever was said before. */
  failNext(count: number): void {
    this.succeeding = 0;
    this.failing = count;
  }

  /** Hands out a page, or answers false. */
  allocate(): boolean {
    if (this.failing > 0) {
      if (this.succeeding === 0) {
        this.failing -= 1;
        return false;
      }
      this.succeeding -= 1;
    }
    this.held += 1;
    return true;
  }

  free(): void {
    if (this.held === 0) throw new Error('the model freed a host page that it never allocated');
    this.held -= 1;
  }

  tellState(sink: StateSink): void {
    sink.fact(FACT.failures);
    sink.number(this.failing === 0 ? 0 : this.succeeding);
    sink.number(this.failing);
  }
}
