// Somebody else on the daemon's host who calls himself the daemon, restarted.
import {
  capability,
  fourOctetAs,
  hex,
  IPV4_UNICAST,
  KEEPALIVE,
  MessageType,
  open,
} from '../../testing/messages.ts';
import { RawHost } from '../../testing/raw-peer.ts';
import { EXTERNAL_AS, OWN, type Stage, THEIRS } from './fixture.ts';

/** AS_TRANS: the number has four octets. */
const TWO_OCTETS = 23_456;

/**
 * Opens connections, one after the other. The stage is one of eBGP.
 *
 * @returns what our agent answers: 'code/subcode' of each
 */
export async function intrude(stage: Stage, times: number): Promise<string[]> {
  await using raw = await RawHost.start(stage.theirHost);
  const answers: string[] = [];
  const restarted = capability(64, hex('8078 00010180'));
  const capabilities = [IPV4_UNICAST, fourOctetAs(EXTERNAL_AS), restarted];
  for (let i = 0; i < times; i++) {
    using peer = await raw.connect(OWN.ipv4, THEIRS.ipv4);
    peer.send(
      open({ asNumber: TWO_OCTETS, holdTimeSeconds: 90, routerId: '10.1.0.2', capabilities }),
      KEEPALIVE,
    );
    const answer = await peer.readUntil(MessageType.notification, 6000);
    answers.push(answer === undefined ? 'none' : `${answer.body[0]}/${answer.body[1]}`);
  }
  return answers;
}
