// The door of the policy folder.
export type { Policy, PolicyTerm, PolicyMatch, PrefixRule, PolicySet } from './policy.ts';
export { ACCEPT_ALL, REJECT_ALL } from './policy.ts';
export { compilePolicy, CompiledPolicy } from './compile.ts';
export { EVERY_COMMUNITY, isCommunityOf, LINK_BANDWIDTHS, linkBandwidthText } from '../message/index.ts';
