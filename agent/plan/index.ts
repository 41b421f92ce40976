// The door of the planner.
export type * from './inputs.ts';
export { offlinePlan, type OfflinePlan } from './offline.ts';
export { makePlan } from './plan.ts';
export type * from './types.ts';
export { shownPlan } from './shown-plan.ts';
