// The kinds of field that several resources share. Each is a zod schema that reads what the operator wrote,
// gives the canonical value, says in words what is wrong, and carries its own OpenAPI for the CRD.
import * as z from 'zod';
import {
  type Address,
  type Family,
  familyLabel,
  formatAddress,
  formatPrefix,
  hostPrefix,
  type Prefix,
  readAddress,
  readPrefix,
} from '#ip';
import {
  AS_PATH_LETTERS,
  AS_TEXT,
  asNumberCel,
  type CelRule,
  COMMUNITY_PATTERN,
  COMMUNITY_TEXT,
  communityCel,
  DURATION_TEXT,
  durationCel,
  MOST_DURATION_CHARACTERS,
  ONE_COMMUNITY,
  selectorCel,
  WELL_KNOWN_COMMUNITIES,
} from './patterns.ts';
import { asPathFault } from './as-path-text.ts';
import { parseSelector } from './selector.ts';

/** What a reader answers about a wrong value; `message` reads on after the value. */
export class Wrong {
  readonly message: string;
  readonly allowed: string | undefined;
  constructor(message: string, allowed?: string) {
    this.message = message;
    this.allowed = allowed;
  }
}

/** OpenAPI of a CRD's schema node; checked for structure by crd.test.ts. */
export type OpenApi = Record<string, unknown>;

/** A field made of a reader (unknown → value or Wrong) and its OpenAPI. */
export function field<T>(openapi: OpenApi, read: (input: unknown) => T | Wrong) {
  return z
    .unknown()
    .transform((input, context): T => {
      const result = input === undefined ? new Wrong('is missing') : read(input);
      if (!(result instanceof Wrong)) return result;
      context.issues.push({
        code: 'custom',
        input,
        message: result.message,
        params: { allowed: result.allowed },
      });
      return z.NEVER;
    })
    .meta(openapi);
}

export const withCel = (...rules: readonly (CelRule | undefined)[]): OpenApi => ({
  'x-kubernetes-validations': rules.filter((rule) => rule !== undefined),
});

/** What a good value of a kind must be beside. */
export interface Restriction<T> {
  readonly cel: CelRule;
  /** Undefined: it is. */
  broken(value: T): Wrong | undefined;
}

/** A text field of bounded length (the bound lets the API server estimate the cost of rules). */
export const text = (maxLength = 253) =>
  field({ type: 'string', minLength: 1, maxLength }, (input) => {
    if (typeof input !== 'string') return new Wrong('is not a text');
    if (input === '') return new Wrong('is empty');
    return input.length <= maxLength ? input : new Wrong(`is longer than ${maxLength} characters`);
  });

export const flag = () =>
  field({ type: 'boolean' }, (input) =>
    typeof input === 'boolean' ? input : new Wrong('is not a boolean', 'true or false'),
  );

export const integer = (minimum: number, maximum: number) => {
  const format = maximum > 0x7fffffff ? 'int64' : 'int32';
  return field({ type: 'integer', format, minimum, maximum }, (input) =>
    typeof input === 'number' && Number.isInteger(input) && input >= minimum && input <= maximum
      ? input
      : new Wrong('is not allowed', `a whole number from ${minimum} to ${maximum}`),
  );
};

/** One of a few words; findings.ts words the refusal with the nearest allowed one. */
export const oneOf = <const T extends readonly [string, ...string[]]>(...values: T) => z.enum(values);

/** The same where Calico takes capitals as they come. */
export const inAnyCase = <const T extends readonly [string, ...string[]]>(...values: T) =>
  field(
    { type: 'string', maxLength: 32, pattern: `^(?i)(${values.join('|')})$` },
    (input): T[number] | Wrong => {
      const found =
        typeof input === 'string' && values.find((value) => value.toLowerCase() === input.toLowerCase());
      return found || new Wrong('is not one of them', values.join(', '));
    },
  );

export const list = <T extends z.ZodType>(item: T, maxItems: number) => z.array(item).max(maxItems);

/** RFC 4291 §2.5.5.2: a form for programs inside a host. Nobody announces or has such an address, and kernels refuse many. */
export const MAPPED = 'is an IPv4 address in the form of an IPv6 one (IPv4-mapped)';
export const isMapped = ({ family, value }: Address): boolean =>
  family === 'ipv6' && value >> 32n === 0xffffn;

/** @param more what else it must be, told to an API server likewise */
export const cidr = (family?: Family, more?: Restriction<Prefix>) => {
  const name = family ? `${familyLabel(family)} CIDR` : 'CIDR';
  const example = family === 'ipv6' ? 'fd00:1::/48' : '10.0.0.0/16';
  const isFamily = family ? ` && cidr(self).ip().family() == ${family === 'ipv4' ? 4 : 6}` : '';
  return field(
    {
      type: 'string',
      minLength: 3,
      maxLength: 49,
      ...withCel(
        {
          rule: `isCIDR(self) && cidr(self) == cidr(self).masked()${isFamily}`,
          message: `is not ${family ? 'an' : 'a'} ${name} without host bits, such as ${example}`,
        },
        more?.cel,
      ),
    },
    (input) => {
      const expected = `${family ? 'an' : 'a'} ${name} such as ${example}`;
      if (typeof input !== 'string') return new Wrong('is not a CIDR', expected);
      const result = readPrefix(input);
      if ('error' in result) return new Wrong(result.error, result.network ?? expected);
      if (isMapped(result.prefix)) return new Wrong(MAPPED, expected);
      if (family && result.prefix.family !== family) {
        return new Wrong(`is an ${familyLabel(result.prefix.family)} CIDR`, expected);
      }
      return more?.broken(result.prefix) ?? formatPrefix(result.prefix);
    },
  );
};

/** A CIDR, or one address for itself alone. */
export const cidrOrAddress = () =>
  field(
    {
      type: 'string',
      minLength: 2,
      maxLength: 49,
      ...withCel({
        rule: 'isCIDR(self) ? cidr(self) == cidr(self).masked() : isIP(self)',
        message: 'is neither a CIDR without host bits nor an IP address',
      }),
    },
    (input) => {
      const expected = 'a CIDR such as 10.0.0.0/24, or an address';
      if (typeof input !== 'string') return new Wrong('is not a CIDR', expected);
      const address = readAddress(input);
      if (address) {
        return isMapped(address) ? new Wrong(MAPPED, expected) : hostPrefix(formatAddress(address));
      }
      const result = readPrefix(input);
      if ('error' in result) return new Wrong(result.error, result.network ?? expected);
      return isMapped(result.prefix) ? new Wrong(MAPPED, expected) : formatPrefix(result.prefix);
    },
  );

/** @param more as for cidr() */
export const ipAddress = (family?: Family, more?: Restriction<Address>) => {
  const name = family ? `an ${familyLabel(family)} address` : 'an IPv4 or IPv6 address';
  const isFamily = family ? ` && ip(self).family() == ${family === 'ipv4' ? 4 : 6}` : '';
  return field(
    {
      type: 'string',
      minLength: 2,
      maxLength: 45,
      ...withCel({ rule: `isIP(self)${isFamily}`, message: `is not ${name}` }, more?.cel),
    },
    (input) => {
      const address = typeof input === 'string' ? readAddress(input) : undefined;
      if (!address) return new Wrong('is not an IP address', name);
      if (isMapped(address)) return new Wrong(MAPPED, name);
      if (family && address.family !== family)
        return new Wrong(`is an ${familyLabel(address.family)} address`, name);
      return more?.broken(address) ?? formatAddress(address);
    },
  );
};

const isUsableAs = (value: number) =>
  Number.isInteger(value) && value >= 1 && value <= 0xffffffff && value !== 23456;

const asText = new RegExp(`^(?:${AS_TEXT})$`);

/** A number, its text, or the dotted text '1.10'. */
export function parseAsNumber(input: unknown): number | Wrong {
  const expected = "1 to 4294967295, or dotted as '1.10'";
  let value = Number.NaN;
  if (typeof input === 'number') value = input;
  else if (typeof input === 'string' && asText.test(input)) {
    const [high, low] = input.split('.').map(Number) as [number, number?];
    value = low === undefined ? high : high * 0x10000 + low;
  }
  if (value === 23456) return new Wrong('is AS_TRANS (RFC 6793), which no network may use', expected);
  if (typeof input === 'number' && !Number.isInteger(value)) {
    return new Wrong('is not an AS number', `${expected}; a dotted one in quotes`);
  }
  return isUsableAs(value) ? value : new Wrong('is not an AS number', expected);
}

const asOpenApi = (...words: readonly string[]) => ({
  'x-kubernetes-int-or-string': true,
  minimum: 1,
  maximum: 4_294_967_295,
  maxLength: 16,
  ...withCel(asNumberCel(words)),
});

export const asNumber = () => field(asOpenApi(), parseAsNumber);

/** The AS of a neighbour: a number, or any that is the same as ('internal') or differs from ('external') ours. */
export const remoteAsNumber = () =>
  field(asOpenApi('internal', 'external'), (input): number | 'internal' | 'external' | Wrong => {
    if (input === 'internal' || input === 'external') return input;
    const number = parseAsNumber(input);
    return number instanceof Wrong
      ? new Wrong(number.message, `${number.allowed}, 'internal' or 'external'`)
      : number;
  });

/** A length of time in seconds, not negative, maybe with a fraction. */
type Seconds = number;

const secondsPerUnit: Readonly<Record<string, number>> = {
  h: 3600,
  m: 60,
  s: 1,
  ms: 1e-3,
  us: 1e-6,
  µs: 1e-6,
  ns: 1e-9,
};
const durationPart = /([0-9]+(?:\.[0-9]+)?)(h|ms|m|s|us|µs|ns)/y;

/**
 * Seconds of a duration as operators write it: Go's text ('90s', '1m30s', '500ms') or a number of seconds. Undefined when
 * it is none (negative numbers are none).
 */
export function parseDuration(input: unknown): Seconds | undefined {
  if (typeof input === 'number') return Number.isFinite(input) && input >= 0 ? input : undefined;
  if (typeof input !== 'string') return undefined;
  if (/^[0-9]+(\.[0-9]+)?$/.test(input)) return Number(input);
  let seconds = 0;
  durationPart.lastIndex = 0;
  while (durationPart.lastIndex < input.length) {
    const match = durationPart.exec(input);
    if (!match) return undefined;
    seconds += Number(match[1]) * secondsPerUnit[match[2]!]!;
  }
  return input === '' ? undefined : Math.round(seconds * 1e9) / 1e9;
}

/** A duration in seconds within bounds (both in seconds). `zero`: 0 is allowed below the minimum as well. */
export const duration = (minimum: Seconds, maximum: Seconds, zero?: 'zero allowed') =>
  field(
    {
      'x-kubernetes-int-or-string': true,
      minimum: zero ? 0 : minimum,
      maximum,
      maxLength: MOST_DURATION_CHARACTERS,
      pattern: DURATION_TEXT,
      ...withCel(durationCel(minimum, maximum, zero !== undefined)),
    },
    (input) => {
      const isLong = typeof input === 'string' && input.length > MOST_DURATION_CHARACTERS;
      // A CRD's numbers are whole.
      const isPart = typeof input === 'number' && !Number.isInteger(input);
      const seconds = isLong || isPart ? undefined : parseDuration(input);
      if (seconds === undefined) {
        return new Wrong(
          'is not a duration',
          "a text such as '90s' or '1m30s', or a whole number of seconds",
        );
      }
      if ((seconds >= minimum && seconds <= maximum) || (zero && seconds === 0)) return seconds;
      return new Wrong('is out of range', `${zero ? '0, or ' : ''}${minimum} to ${maximum} seconds`);
    },
  );

/** BGP hold time: 0 (off), or at least 3 seconds (RFC 4271 §4.2). Whole seconds travel in OPEN. */
export const holdTime = () => duration(3, 65535, 'zero allowed');

/** Label selector in Calico's language; the value stays text (see selectorMatches). */
export const selector = () =>
  field({ type: 'string', minLength: 1, maxLength: 1024, ...withCel(selectorCel) }, (input) => {
    if (typeof input !== 'string') return new Wrong('is not a selector', "a text such as rack == 'r1'");
    if (input === '') return new Wrong('is empty', 'all(), or leave it out');
    if (input.length > 1024) return new Wrong('is longer than 1024 characters');
    const result = parseSelector(input);
    if ('selector' in result) return input;
    return new Wrong(`is not a selector: ${result.error.message}, at character ${result.error.position}`);
  });

const communityText = new RegExp(`^(?:${COMMUNITY_TEXT})$`);

/** 'aa:nn' (RFC 1997, 16 bit each) or 'aa:nn:mm' (RFC 8092, 32 bit each), without leading zeros. */
export function parseCommunity(input: unknown): string | undefined {
  if (typeof input !== 'string' || input.length > 32 || !communityText.test(input)) return undefined;
  return input.split(':').map(Number).join(':');
}

export const community = () =>
  field({ type: 'string', maxLength: 32, ...withCel(communityCel) }, (input) => {
    return (
      parseCommunity(input) ??
      new Wrong('is not a community', "'aa:nn' (16 bit each) or 'aa:nn:mm' (32 bit each)")
    );
  });

const oneCommunityText = new RegExp(`^(?:${ONE_COMMUNITY})$`);

/** What is meant as a name of a community, or of a set of them. */
const anyName = /^(?:set:)?[A-Za-z][\w.-]*$/;

/** A community of any kind that a route can be given. */
export const oneCommunity = () =>
  field({ type: 'string', maxLength: 64, pattern: `^(?:${ONE_COMMUNITY})$` }, (input) => {
    const plain = parseCommunity(input);
    if (plain !== undefined) return plain;
    if (typeof input === 'string' && input.length <= 64 && oneCommunityText.test(input)) return input;
    if (typeof input === 'string' && anyName.test(input)) {
      const names = WELL_KNOWN_COMMUNITIES.join(', ');
      const message =
        'is not the name of a well-known community; names that a BGPConfiguration or BGPFilter gives to communities cannot be used here';
      return new Wrong(message, `a value such as 65000:1, or one of ${names}`);
    }
    return new Wrong(
      'is not a community',
      "'aa:nn' (16 bit each), 'aa:nn:mm' (32 bit each), 'rt:aa:nn', 'ro:aa:nn', 'generic:0xTYPE:0xVALUE' or a name such as no-export",
    );
  });

/**
 * A community of any kind, or many: '*' stands for any number.
 * @param more a further way to say it, as an expression and in words
 */
export const communityPattern = (more?: string, inWords?: string) => {
  const pattern = `^(?:${COMMUNITY_PATTERN}${more === undefined ? '' : `|${more}`})$`;
  const expression = new RegExp(pattern);
  return field({ type: 'string', maxLength: 64, pattern }, (input) =>
    typeof input === 'string' && input.length <= 64 && expression.test(input)
      ? input
      : new Wrong(
          'is not a community',
          `65000:1, 65000:1:2, rt:65000:1, ro:65000:1, generic:0xTYPE:0xVALUE${inWords === undefined ? '' : `, ${inWords}`} or a name such as no-export; '*' for any number`,
        ),
  );
};

const asPathLetters = new RegExp(AS_PATH_LETTERS);

/** A regular expression over AS paths, whose letters are AS numbers. */
export const asPathPattern = () =>
  field({ type: 'string', maxLength: 256, pattern: AS_PATH_LETTERS }, (input) => {
    if (typeof input !== 'string') return new Wrong('is not a text');
    const fault = asPathLetters.test(input)
      ? asPathFault(input)
      : 'has a character that is none of: digits ^ $ _ . * + ? | ( ) [ ] - and space';
    return fault === undefined ? input : new Wrong(fault, "such as '^65001 .* 65002$'");
  });

const inSecret = {
  name: text().describe("The Secret's name, in the agent's own namespace."),
  key: text().describe("The key in the Secret's data."),
};

/** Which key of which Secret. @param about what is there */
export const secretKey = (about: string) =>
  z.strictObject({ secretKeyRef: z.strictObject(inSecret).describe(about) });

/** The same for a password, as Calico writes it. */
export const secretKeyRef = () =>
  z.strictObject({
    secretKeyRef: z
      .strictObject({
        ...inSecret,
        optional: flag().optional().describe('Of no effect: no session is opened without its password.'),
      })
      .describe('Where the password is.'),
  });
