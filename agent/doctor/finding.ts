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
  // Files, units and programs have names of others: none of them speaks to the terminal.
  return { state, what: what.replaceAll(/\p{Cc}/gu, '\ufffd'), ...(mend.length === 0 ? {} : { mend }) };
}

/** One word for a shell (bash), whatever stands in it: mending commands are pasted by root. */
export function shellWord(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  if (!/\p{Cc}/u.test(text)) return `'${text.replaceAll("'", `'\\''`)}'`;
  const escaped = [...Buffer.from(text)].map((octet) => `\\x${octet.toString(16).padStart(2, '0')}`).join('');
  return `$'${escaped}'`;
}

/** 'net/ipv4/ip_forward' as the command that sets it. A link's name may have dots: then its slashes stay. */
export function setSwitch(name: string, value: number | string): string {
  return `sysctl -w ${shellWord(name.includes('.') ? name : name.replaceAll('/', '.'))}=${value}`;
}

/** As many names as a finding tells. */
export const MOST_NAMED = 4;
