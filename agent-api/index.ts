// The door of agent-api/: the JSON that an agent's socket speaks. Types only.
export type * from './session.ts';
export type * from './status.ts';
