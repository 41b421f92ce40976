// The door of the planner.
export { isEmptyDifference, planDifference } from './difference.ts';
export type * from './inputs.ts';
export { makePlan } from './plan.ts';
export type * from './types.ts';
