/** Properties in tests draw the same values in every run, so that a test fails because of a change. Looking for more is what campaigns do. */

import fc from 'fast-check';

fc.configureGlobal({ seed: 1 });
