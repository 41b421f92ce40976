// The door of agent-api/: the JSON that an agent's socket speaks. Types only.
export type * from './cluster-reply.ts';
export type * from './ipam-reply.ts';
export type * from './plan-diff-reply.ts';
export type * from './plan-reply.ts';
export type * from './routes-reply.ts';
export type * from './session-action.ts';
export type * from './session-reply.ts';
export type * from './status-reply.ts';
