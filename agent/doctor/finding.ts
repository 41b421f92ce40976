// What a check says: how it stands, in a sentence, and the commands that mend it, to be run as they are.

/** 'not tested': it cannot be known here, which is no fault; the sentence says why. */
export type FindingState = 'good' | 'warning' | 'wrong' | 'not tested';

export interface Finding {
  readonly state: FindingState;
  readonly what: string;
  /** In this order, each for a shell. */
  readonly mend?: readonly string[];
}

export interface CheckResult extends Finding {
  /** 'forwarding' */
  readonly check: string;
}

export interface Examination {
  /** Absent when no agent answers. */
  readonly node?: string;
  /** Of the command that looked. */
  readonly version: string;
  readonly results: readonly CheckResult[];
}

export const good = (what: string): Finding => ({ state: 'good', what });
export const notTested = (what: string): Finding => ({ state: 'not tested', what });
export const warning = (what: string, ...mend: readonly string[]): Finding => withMend('warning', what, mend);
export const wrong = (what: string, ...mend: readonly string[]): Finding => withMend('wrong', what, mend);

function withMend(state: FindingState, what: string, mend: readonly string[]): Finding {
  return { state, what, ...(mend.length === 0 ? {} : { mend }) };
}

/** 'net/ipv4/ip_forward' as the command that sets it. A link's name may have dots: then its slashes stay. */
export function setSwitch(name: string, value: number | string): string {
  return `sysctl -w ${name.includes('.') ? name : name.replaceAll('/', '.')}=${value}`;
}

/** 'a, b and 7 more' */
export function listed(names: readonly string[], most = 4): string {
  const shown = names.slice(0, most).join(', ');
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}
