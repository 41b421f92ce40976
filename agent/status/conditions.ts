// Whether a node does its work: the one rule behind the exit code of `podroute status`, and what the node tells its cluster
// of itself. Pure.
import type { ConditionStatus, StatusReply } from '#agent-api';
import { listed } from '../listed.ts';

/** What the rule looks at. */
export type Facts = Pick<StatusReply, 'sessions' | 'ranges' | 'waiting' | 'fib' | 'whyNoPods' | 'problems'>;

/**
 * Every wanted session is up and as it was meant, a pod can be given an address, every route is in the kernel, and nothing
 * is reported. An agent without pods or without kernel routes (--fib none) does without what it has not.
 */
export function conditions(facts: Facts): ConditionStatus[] {
  return [sessionsEstablished(facts), podsServed(facts), routesInstalled(facts), noProblems(facts)];
}

function sessionsEstablished({ sessions, ranges, waiting = [] }: Facts): ConditionStatus {
  const type = 'SessionsEstablished';
  const down = sessions.filter(({ state }) => state !== 'Established');
  const heldDown = ranges.filter(({ shutdown }) => shutdown !== undefined);
  const names = [...down, ...heldDown, ...waiting].map(({ id }) => id);
  if (names.length > 0) {
    const count = sessions.length + waiting.length;
    const message = `${count - down.length - waiting.length} of ${count} sessions are up; not ${listed(names, NAMED)}`;
    return { type, isTrue: false, reason: 'SessionsDown', message };
  }
  const hinted = sessions.find(({ hint }) => hint !== undefined);
  if (hinted !== undefined) {
    return { type, isTrue: false, reason: 'NotAsMeant', message: `${hinted.id}: ${hinted.hint}` };
  }
  return { type, isTrue: true, reason: 'AllUp', message: `${sessions.length} sessions are up` };
}

function podsServed({ whyNoPods }: Facts): ConditionStatus {
  const type = 'PodsServed';
  if (whyNoPods !== undefined) return { type, isTrue: false, reason: 'NoAddresses', message: whyNoPods };
  return { type, isTrue: true, reason: 'AddressesFree', message: 'a pod can be given an address' };
}

function routesInstalled({ fib }: Facts): ConditionStatus {
  const type = 'RoutesInstalled';
  if (fib === undefined) {
    return { type, isTrue: true, reason: 'NoKernelRoutes', message: 'this agent keeps no kernel routes' };
  }
  const { wanted, installed, failed } = fib;
  const message = `${installed.ipv4} of ${wanted.ipv4} IPv4 and ${installed.ipv6} of ${wanted.ipv6} IPv6 routes are in the kernel`;
  if (failed > 0)
    return { type, isTrue: false, reason: 'RoutesRefused', message: `${message}; it refuses ${failed}` };
  const isWhole = installed.ipv4 === wanted.ipv4 && installed.ipv6 === wanted.ipv6;
  return { type, isTrue: isWhole, reason: isWhole ? 'AllInstalled' : 'RoutesMissing', message };
}

function noProblems({ problems }: Facts): ConditionStatus {
  const type = 'NoProblems';
  const [first] = problems;
  if (first === undefined)
    return { type, isTrue: true, reason: 'NothingReported', message: 'nothing is reported' };
  const more = problems.length === 1 ? '' : `, and ${problems.length - 1} more`;
  return { type, isTrue: false, reason: 'ProblemsReported', message: `${first.text}${more}` };
}

const NAMED = 5;
