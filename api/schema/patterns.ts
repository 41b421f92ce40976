// Regular expressions and CEL for the texts of fields: what fields.ts reads, told to an API server. The expressions are of
// RE2 and of JavaScript alike. crd.test.ts and the tables of api/testing/documents hold both readings together.

/** CEL that is true for a good value, and what to say of another. */
export interface CelRule {
  readonly rule: string;
  readonly message: string;
}

/** Decimal digits of a number from 0 to `most`, without leading zeros. */
export function decimalUpTo(most: number): string {
  const digits = String(most);
  const ways = [`[1-9][0-9]{0,${digits.length - 2}}`, '0'];
  for (let i = 0; i < digits.length; i++) {
    const below = Number(digits[i]) - 1;
    const first = i === 0 ? 1 : 0;
    if (below < first) continue;
    const rest = digits.length - i - 1;
    ways.push(`${digits.slice(0, i)}[${first}-${below}]${rest === 0 ? '' : `[0-9]{${rest}}`}`);
  }
  return `(?:${[...ways, digits].join('|')})`;
}

const bits16 = decimalUpTo(0xffff);
const bits32 = decimalUpTo(0xffffffff);

/** A number, or the dotted form of its two halves (RFC 5396 asdot). 0 and AS_TRANS are left to who reads it. */
export const AS_TEXT = `${bits32}|${bits16}[.]${bits16}`;

/** 'aa:nn' (RFC 1997) or 'aa:nn:mm' (RFC 8092); zeros may lead. */
export const COMMUNITY_TEXT = `0*${bits16}:0*${bits16}|0*${bits32}:0*${bits32}:0*${bits32}`;

/** Communities by name, as every router calls them (the registry of RFC 1997's well-known ones). */
export const WELL_KNOWN_COMMUNITIES = [
  'graceful-shutdown',
  'accept-own',
  'llgr-stale',
  'no-llgr',
  'blackhole',
  'no-export',
  'no-advertise',
  'no-export-subconfed',
  'no-peer',
];
const bits8 = decimalUpTo(0xff);
const ADDRESS = `${bits8}(?:[.]${bits8}){3}`;
const orAny = (part: string): string => `(?:${part}|[*])`;

/**
 * Communities of all three kinds, some parts of which may be anything: '65000:*', '65000:1:*', 'rt:65000:1', 'ro:192.0.2.1:*',
 * 'generic:0x4306:0x000000000001', 'no-export'.
 */
export const COMMUNITY_PATTERN = [
  WELL_KNOWN_COMMUNITIES.join('|'),
  `${orAny(bits16)}:${orAny(bits16)}`,
  `${orAny(bits32)}:${orAny(bits32)}:${orAny(bits32)}`,
  `r[to]:(?:${bits16}:${orAny(bits32)}|(?:${bits32}|${ADDRESS}):${orAny(bits16)}|[*]:[*])`,
  'generic:(?:0x[0-9a-fA-F]{4}:(?:0x[0-9a-fA-F]{12}|[*])|[*]:[*])',
].join('|');

/** One community of any kind; in those of RFC 1997 and RFC 8092 zeros may lead, as Calico takes them. */
export const ONE_COMMUNITY = [
  WELL_KNOWN_COMMUNITIES.join('|'),
  COMMUNITY_TEXT,
  `r[to]:(?:${bits16}:${bits32}|(?:${bits32}|${ADDRESS}):${bits16})`,
  'generic:0x[0-9a-fA-F]{4}:0x[0-9a-fA-F]{12}',
].join('|');

/** The letters of regular expressions over AS paths; whether they make sense no regular expression can say. */
export const AS_PATH_LETTERS = '^[0-9^$_.*+?|()\\[\\] -]*$';

/** What `words` or AS numbers there may be: numbers are compared as their text. */
export const asNumberCel = (words: readonly string[] = []): CelRule => ({
  rule: `[string(self)].all(n, n.matches(r"^(${[...words, AS_TEXT].join('|')})$") && !(n in ["0", "0.0", "23456", "0.23456"]))`,
  message: `is not an AS number from 1 to 4294967295, or dotted as '1.10'${words.map((word) => `, or '${word}'`).join('')}; nor may it be AS_TRANS (23456)`,
});

export const communityCel: CelRule = {
  rule: `self.matches(r"^(${COMMUNITY_TEXT})$")`,
  message: "is not a community: 'aa:nn' (16 bit each) or 'aa:nn:mm' (32 bit each)",
};

/** Go's durations, and texts and numbers of seconds. */
export const DURATION_TEXT = '^([0-9]+([.][0-9]+)?|([0-9]+([.][0-9]+)?(h|ms|m|s|us|µs|ns))+)$';
export const MOST_DURATION_CHARACTERS = 32;

/** The CEL duration of a field that has a duration's OpenAPI. */
export const celDuration = (path: string): string =>
  `duration(string(${path}) + (string(${path}).matches("^[0-9.]+$") ? "s" : ""))`;

export const durationCel = (minimum: number, maximum: number, zero: boolean): CelRule => ({
  rule: `[${celDuration('self')}].all(d, ${zero ? 'd == duration("0s") || ' : ''}(d >= duration("${minimum}s") && d <= duration("${maximum}s")))`,
  message: `is not a duration of ${zero ? '0, or ' : ''}${minimum} to ${maximum} seconds`,
});

/** True when `keepaliveTime` is not below `holdTime`, which may be 0 (off). */
export const keepaliveCel = (defaultHoldTime: number | undefined): string => {
  const hold = celDuration('self.holdTime');
  const isBelow = `${hold} == duration("0s") || ${celDuration('self.keepaliveTime')} < ${hold}`;
  const without =
    defaultHoldTime === undefined
      ? 'true'
      : `${celDuration('self.keepaliveTime')} < duration("${defaultHoldTime}s")`;
  return `!has(self.keepaliveTime) || (has(self.holdTime) ? ${isBelow} : ${without})`;
};

const KEY = '[A-Za-z0-9_][A-Za-z0-9_./-]*';
const QUOTED = `(?:\\x27[^\\x27]*\\x27|\\x22[^\\x22]*\\x22)`;
const SET = `\\{\\s*(?:${QUOTED}\\s*(?:,\\s*${QUOTED}\\s*)*)?\\}`;
const COMPARISON = `${KEY}(?:\\s*[!=]=\\s*${QUOTED}|\\s+(?:contains|starts\\s*with|ends\\s*with)\\s*${QUOTED}|\\s+(?:not\\s*)?in\\s*${SET})`;
const UNIT = `(?:(?:all|global)\\s*\\(\\s*\\)|has\\s*\\(\\s*${KEY}\\s*\\)|${COMPARISON})`;
const TERM = `[\\s!(]*${UNIT}[\\s)]*`;

/** Calico's selectors, but for whether parentheses have their partners: no regular expression can count. */
export const SELECTOR_TEXT = `^(?:\\s*|${TERM}(?:(?:&&|\\|\\|)${TERM})*)$`;

export const selectorCel: CelRule = {
  rule: `self.matches(r"${SELECTOR_TEXT}")`,
  message: "is not a selector, such as: rack == 'r1' && has(edge)",
};

const HOST = '[0-9A-Fa-f:.]+(?:%[^\\s/:%]{1,15})?';
const isPeerAddress = `self.matches(r"^(?:[0-9.]+(?::[0-9]{1,5})?|${HOST}|\\[${HOST}\\]:[0-9]{1,5})$")`;
const peerHost = `(self.startsWith("[") ? self.substring(1, self.indexOf("]")) : self.matches("^[0-9.]+:[0-9]+$") ? self.split(":")[0] : self)`;

const isOneHost = (ip: string): string =>
  `${ip}.isLoopback() || ${ip}.isLinkLocalUnicast() || ${ip}.isGlobalUnicast()`;

/** As one-host.ts reads it. */
export const notManyHostsCel: CelRule = {
  rule: `!isIP(self) || ip(self).isUnspecified() || ${isOneHost('ip(self)')}`,
  message: 'is a multicast or broadcast address, which no one host has',
};
export const oneHostCel: CelRule = {
  rule: `!isIP(self) || ${isOneHost('ip(self)')}`,
  message: 'is the unspecified, a multicast or broadcast address, which no one host has',
};
export const rangeOfHostsCel: CelRule = {
  rule: "!isCIDR(self) || (!cidr('224.0.0.0/4').containsCIDR(self) && !cidr('ff00::/8').containsCIDR(self))",
  message: 'is a range of multicast addresses, which no host has',
};

/** As peer-address.ts reads it. */
export const peerAddressCel: readonly CelRule[] = [
  {
    rule: `${isPeerAddress} && isIP(${peerHost}.split("%")[0])`,
    message: 'is not an IP address (expected an IPv4 or IPv6 address, optionally with :port)',
  },
  {
    rule: `!${isPeerAddress} || ${peerHost}.split("%").map(part, isIP(part), ip(part)).all(host, (${isOneHost('host')}) && (host.family() == 6 && host.isLinkLocalUnicast()) == self.contains("%"))`,
    message:
      'is no address of one neighbour: the unspecified, a multicast or the broadcast address, a link-local IPv6 address without its interface (fe80::1%eth0), or another address with one',
  },
  {
    rule: `!self.matches(r"^([0-9.]+|\\[.*\\]):[0-9]{1,5}$") || (int(self.find("[0-9]+$")) >= 1 && int(self.find("[0-9]+$")) <= 65535)`,
    message: 'has no valid port (expected 1 to 65535)',
  },
];
