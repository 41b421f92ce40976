// The intervals of a session: what both sides say, what is in force of it, and the Poll Sequence between (RFC 5880 §6.5,
// §6.8.2 to §6.8.4). Knows no clock.

/** 'again': changed while active. 'resting': one packet without the Poll bit parts two sequences, lest a Final is mistaken. */
type Poll = 'none' | 'active' | 'again' | 'resting';

export class TimerNegotiation {
  /** bfd.DesiredMinTxInterval and bfd.RequiredMinRxInterval, as packets say them. */
  desiredMicros: number;
  requiredMicros: number;
  /** The same as far as the neighbour is known to know them. */
  #desiredInForce: number;
  #requiredInForce: number;
  /** bfd.RemoteMinRxInterval: 1 before anything is heard (§6.8.1). 0: it wants no periodic packets. */
  remoteMinRxMicros = 1;
  #remoteDesiredMicros = 0;
  remoteMultiplier = 0;
  #poll: Poll = 'none';

  constructor(desiredMicros: number, requiredMicros: number) {
    this.desiredMicros = this.#desiredInForce = desiredMicros;
    this.requiredMicros = this.#requiredInForce = requiredMicros;
  }

  /** Packets carry the Poll bit. */
  get isPolling(): boolean {
    return this.#poll === 'active' || this.#poll === 'again';
  }

  /** Between two periodic packets, before jitter (§6.8.7). */
  get transmitMicros(): number {
    return Math.max(this.#desiredInForce, this.remoteMinRxMicros);
  }

  /** 0: the neighbour is not heard (§6.8.4). */
  get detectionMicros(): number {
    return this.remoteMultiplier * Math.max(this.#requiredInForce, this.#remoteDesiredMicros);
  }

  /**
   * Other intervals from now on, by a Poll Sequence. While Up, a longer transmit interval and a shorter detection time wait
   * for its end: the neighbour must know of the one, and have kept the other, before (§6.8.3).
   */
  want(desiredMicros: number, requiredMicros: number, isUp: boolean): void {
    if (desiredMicros === this.desiredMicros && requiredMicros === this.requiredMicros) return;
    this.desiredMicros = desiredMicros;
    this.requiredMicros = requiredMicros;
    this.#desiredInForce = isUp ? Math.min(this.#desiredInForce, desiredMicros) : desiredMicros;
    this.#requiredInForce = isUp ? Math.max(this.#requiredInForce, requiredMicros) : requiredMicros;
    if (this.#poll === 'none') this.#poll = 'active';
    else if (this.#poll === 'active') this.#poll = 'again';
  }

  heard(desiredMicros: number, requiredMicros: number, multiplier: number): void {
    this.#remoteDesiredMicros = desiredMicros;
    this.remoteMinRxMicros = requiredMicros;
    this.remoteMultiplier = multiplier;
  }

  /** A packet with the Final bit came. */
  heardFinal(): void {
    if (this.#poll === 'active') this.#settle();
    else if (this.#poll === 'again') this.#poll = 'resting';
  }

  /** A periodic packet went out. True: the next one is to be another. */
  sentPeriodic(): boolean {
    if (this.#poll !== 'resting') return false;
    this.#poll = 'active';
    return true;
  }

  /** It is silent: nobody is there to be asked, and who comes next begins anew. */
  forgetRemote(): void {
    this.heard(0, 1, 0);
    this.#settle();
  }

  #settle(): void {
    this.#poll = 'none';
    this.#desiredInForce = this.desiredMicros;
    this.#requiredInForce = this.requiredMicros;
  }
}
