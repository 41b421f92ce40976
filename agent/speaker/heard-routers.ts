// Whom a link is believed to lead to, of those that advertise themselves as routers on it. Pure: time is told. The rule:
// the first that is heard is the neighbour, and stays it while its session is up, whoever else speaks. While the session
// is down, another takes its place when it was heard SILENT_MS after the neighbour's last word: two that both go on
// speaking do not take turns. After the link was down nobody has spoken yet. Bound: MOST routers a link; who comes then
// is taken in place of the one that is silent for longest, never of the neighbour nor of the first beside it.

/** Of one that advertises itself every 10 s, as FRR does for unnumbered sessions, two were lost then. */
export const SILENT_MS = 25_000;
/** Others than the neighbour; RFC 4861 §6.2.1 lets routers be silent for so long by default. */
const FORGET_MS = 600_000;
const MOST = 16;

interface Router {
  readonly firstMs: number;
  /** Of its newest advertisement; -Infinity: before the link was down. */
  lastMs: number;
}

export class HeardRouters {
  readonly #routers = new Map<string, Router>();
  #neighbour: string | undefined;

  get neighbour(): string | undefined {
    return this.#neighbour;
  }

  /** Somebody beside the neighbour: the one that was there first. */
  get other(): string | undefined {
    for (const address of this.#routers.keys()) if (address !== this.#neighbour) return address;
    return undefined;
  }

  /** An advertisement from this address. */
  heard(address: string, nowMs: number): void {
    const known = this.#routers.get(address);
    if (known !== undefined) known.lastMs = nowMs;
    else if (this.#routers.size < MOST || this.#giveWay(nowMs)) {
      this.#routers.set(address, { firstMs: nowMs, lastMs: nowMs });
    }
    if (this.#neighbour === undefined && this.#routers.has(address)) this.#neighbour = address;
  }

  /** False when all that are known have been heard lately. */
  #giveWay(nowMs: number): boolean {
    const { other } = this;
    let quietest: string | undefined;
    let lastMs = nowMs - SILENT_MS;
    for (const [address, router] of this.#routers) {
      if (address === this.#neighbour || address === other || router.lastMs > lastMs) continue;
      quietest = address;
      ({ lastMs } = router);
    }
    return quietest !== undefined && this.#routers.delete(quietest);
  }

  /** Looks whether somebody else is the neighbour now. */
  review(isEstablished: boolean, nowMs: number): void {
    for (const [address, { lastMs }] of this.#routers) {
      if (address !== this.#neighbour && nowMs - lastMs > FORGET_MS) this.#routers.delete(address);
    }
    const neighbour = this.#neighbour === undefined ? undefined : this.#routers.get(this.#neighbour);
    if (neighbour === undefined || isEstablished) return;
    let next: string | undefined;
    let firstMs = Infinity;
    for (const [address, router] of this.#routers) {
      const isLater = router.lastMs - neighbour.lastMs >= SILENT_MS;
      if (!isLater || router.firstMs >= firstMs) continue;
      next = address;
      ({ firstMs } = router);
    }
    if (next === undefined) return;
    this.#routers.delete(this.#neighbour!);
    this.#neighbour = next;
  }

  /** Who is at the other end of the link may be another when it is up again. */
  linkDown(): void {
    for (const router of this.#routers.values()) router.lastMs = -Infinity;
  }
}
