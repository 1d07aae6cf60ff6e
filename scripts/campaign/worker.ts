/** The module that runs in each worker of a run. */

import { subjectNamed } from '../../properties/subjects/subject-names.js';
import { becomeWorker } from './worker-process.js';

export default becomeWorker(subjectNamed);
