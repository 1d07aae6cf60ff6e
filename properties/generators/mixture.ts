/**
 * How often a program does what. `swarm`: every program draws weights of its own and leaves some kinds out. The other two are
 * what that is measured against: `weighted` has every kind with its weight in every program, and `uniform` has every kind
 * alike.
 */
export type Mixture = 'swarm' | 'weighted' | 'uniform';
