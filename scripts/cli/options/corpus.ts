/** Where counterexamples are kept unless an option says otherwise. */
export const CORPUS = 'corpus';
