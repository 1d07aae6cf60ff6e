/** The files in the directory of a run. */

export const RUN_FILE = 'run.json';
export const EVENTS_FILE = 'events.jsonl';
export const TRIAGE_FILE = 'triage.json';
/** The seeds from which programs were made, a line each. */
export const POOL_FILE = 'pool.jsonl';
/** What workers said before they died. */
export const WORKERS_FILE = 'workers.log';
