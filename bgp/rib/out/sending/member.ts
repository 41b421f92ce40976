// One established session as an update group sees it: where the bytes go, and whether they flow.
import { afiOf, type FamilyIndex, familyName } from '#ip';
import {
  encodeRouteRefresh,
  REFRESH_BEGIN,
  REFRESH_END,
  SAFI_UNICAST,
  writeEndOfRib,
} from '../../../message/index.ts';
import type { Session } from '../../../session/index.ts';
import type { RibPeer } from '../../in/rib-peer.ts';

/** A first transfer of that family may be said to be over. */
export type MayEndDump = (family: FamilyIndex) => boolean;

export class Member {
  readonly peer: RibPeer;
  readonly session: Session;
  readonly slot: number;
  /** The queue is above its mark: nothing more is written until drained. Shared by both families' members. */
  isBlocked = false;

  /** Else more of the first transfer is to come, though nothing is there to be sent (RFC 4724 section 4.1). */
  readonly mayEndDump: MayEndDump;

  constructor(peer: RibPeer, session: Session, mayEndDump: MayEndDump) {
    this.mayEndDump = mayEndDump;
    this.peer = peer;
    this.session = session;
    this.slot = peer.slot;
  }

  write(bytes: Uint8Array): void {
    if (!this.session.write(bytes)) this.isBlocked = true;
  }

  /** All but one range of the bytes. */
  writeAround(bytes: Buffer, holeStart: number, holeEnd: number): void {
    if (holeStart === 0 && holeEnd === bytes.length) return;
    if (holeStart === 0) {
      this.write(bytes.subarray(holeEnd));
    } else if (holeEnd === bytes.length) {
      this.write(bytes.subarray(0, holeStart));
    } else {
      this.session.cork();
      this.write(bytes.subarray(0, holeStart));
      this.write(bytes.subarray(holeEnd));
      this.session.uncork();
    }
  }

  /** End-of-RIB after the first transfer (RFC 4724), even of an empty table. */
  endDump(family: FamilyIndex): void {
    const out = Buffer.alloc(32);
    this.write(out.subarray(0, writeEndOfRib(out, 0, family)));
    this.peer.endOfRibSent[family] = true;
  }

  beginRefresh(family: FamilyIndex): void {
    if (this.session.negotiated.enhancedRouteRefresh) this.#refreshMark(family, REFRESH_BEGIN);
  }

  endRefresh(family: FamilyIndex): void {
    if (this.session.negotiated.enhancedRouteRefresh) this.#refreshMark(family, REFRESH_END);
  }

  /** BoRR and EoRR (RFC 7313). */
  #refreshMark(family: FamilyIndex, subtype: number): void {
    this.write(encodeRouteRefresh({ afi: afiOf(familyName(family)), safi: SAFI_UNICAST, subtype }));
  }
}
