// The door of the BGP library: a speaker, its configuration, and what can be read from it.
export * from './policy/index.ts';
export * from './rib/index.ts';
