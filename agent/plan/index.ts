// The door of the planner.
export { blocksOf, offlinePlan, type OfflinePlan, shownPlan } from './offline.ts';
export { sessionChanges, sessionField } from './changes/session-fields.ts';
export type { Guarded } from './policy/guarded.ts';
export { guardedOf, interfacesOf, makePlan } from './plan.ts';
export type * from './types.ts';
export { type ValidatedPlans, validateWithPlans } from './validate-plans.ts';
