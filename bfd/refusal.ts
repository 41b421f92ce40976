// Why a packet is refused: kinds and two values while packets come in, words when somebody asks.

export type RefusalKind =
  | 'short'
  | 'version'
  | 'length below least'
  | 'length beyond datagram'
  | 'multiplier'
  | 'multipoint'
  | 'my discriminator'
  | 'your discriminator'
  | 'state'
  | 'no session'
  | 'hops'
  | 'device'
  | 'TTL'
  | 'authentication missing'
  | 'authentication unwanted'
  | 'authentication type'
  | 'authentication length'
  | 'key ID'
  | 'sequence number'
  | 'digest';

/** Written again for each packet that is refused; what `got` and `wanted` are depends on the kind. */
export interface Refusal {
  kind: RefusalKind;
  got: number | string;
  wanted: number | string;
}

export const newRefusal = (): Refusal => ({ kind: 'short', got: 0, wanted: 0 });

/** Always false, so that a check can return it. */
export function refuse(
  refusal: Refusal,
  kind: RefusalKind,
  got: number | string = 0,
  wanted: number | string = 0,
): false {
  refusal.kind = kind;
  refusal.got = got;
  refusal.wanted = wanted;
  return false;
}

/** What was refused of one sender: how much, and the last of it. */
export class Refusals {
  count = 0;
  readonly #last = newRefusal();

  note({ kind, got, wanted }: Refusal): void {
    this.count++;
    refuse(this.#last, kind, got, wanted);
  }

  /** 'authentication type 2, wanted 4'; undefined: nothing was refused. */
  get last(): string | undefined {
    return this.count === 0 ? undefined : refusalText(this.#last);
  }
}

function refusalText({ kind, got, wanted }: Refusal): string {
  switch (kind) {
    case 'short':
      return `a datagram of ${got} octets, a packet has ${wanted} at least`;
    case 'version':
      return `version ${got}, wanted ${wanted}`;
    case 'length below least':
      return `length ${got}, wanted ${wanted} at least`;
    case 'length beyond datagram':
      return `length ${got} in a datagram of ${wanted} octets`;
    case 'multiplier':
      return 'detect multiplier 0';
    case 'multipoint':
      return 'multipoint bit set';
    case 'my discriminator':
      return 'my discriminator 0';
    case 'your discriminator':
      return `your discriminator ${got}, which no session here has`;
    case 'state':
      return `state ${got} with your discriminator 0`;
    case 'no session':
      return `from ${got} to ${wanted}, between which there is no session`;
    case 'hops':
      return `came to the port of ${got} hop, the session is ${wanted} hop`;
    case 'device':
      return `came by ${got}, wanted ${wanted}`;
    case 'TTL':
      return `TTL ${got}, wanted ${wanted} at least`;
    case 'authentication missing':
      return `no authentication, wanted type ${wanted}`;
    case 'authentication unwanted':
      return `authentication type ${got}, wanted none`;
    case 'authentication type':
      return `authentication type ${got}, wanted ${wanted}`;
    case 'authentication length':
      return `authentication length ${got}, wanted ${wanted}`;
    case 'key ID':
      return `authentication key ID ${got}, wanted ${wanted}`;
    case 'sequence number':
      return `authentication sequence number ${got}, wanted ${wanted} or a little more`;
    case 'digest':
      return 'authentication with another key';
  }
}
