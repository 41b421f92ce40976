// Faults that no test noticed once, each with the test file that does now. `npm test` puts them into the product one at a
// time (known-faults.test.ts), so that what was learned from each stays known whatever becomes of the tests.

export interface KnownFault {
  readonly fault: string;
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly was: string;
  readonly is: string;
  readonly test: string;
}

export const KNOWN_FAULTS: readonly KnownFault[] = [
  {
    fault: 'the prefix limit is not checked for IPv6',
    file: 'bgp/rib/in/import.ts',
    was: 'if (scan.mpReachCount > 0) this.#checkLimit(peer, scan.mpReachFamily as FamilyIndex);',
    is: '',
    test: 'bgp/rib/protocol-rules.test.ts',
  },
  {
    fault: 'the first AS is not enforced',
    file: 'bgp/rib/in/eligibility.ts',
    was: 'return FOREIGN_FIRST_AS;',
    is: 'return ELIGIBLE;',
    test: 'bgp/rib/protocol-rules.test.ts',
  },
  {
    fault: 'a leak from a customer is taken (RFC 9234)',
    file: 'bgp/rib/in/eligibility.ts',
    was: "if (role === 'provider' || role === 'rs') return LEAK_FROM_CUSTOMER;",
    is: '',
    test: 'bgp/rib/protocol-rules.test.ts',
  },
  {
    fault: 'our AS towards one neighbour does not count as a loop',
    file: 'bgp/rib/in/eligibility.ts',
    was: 'return own + this.#reader.countAs(attribute, localAs);',
    is: 'return own;',
    test: 'bgp/rib/protocol-rules.test.ts',
  },
  {
    fault: 'a third router off every link is a next hop of a neighbour one hop away',
    file: 'bgp/rib/in/eligibility.ts',
    was: 'return OFF_LINK_NEXT_HOP;',
    is: 'return ELIGIBLE;',
    test: 'bgp/rib/protocol-rules.test.ts',
  },
  {
    fault: 'paths of any cost are used together',
    file: 'bgp/rib/table/decision.ts',
    was: 'if (this.#compareToMetric(table, a, b) !== 0) return false;',
    is: '',
    test: 'bgp/rib/table/decision-columns.test.ts',
  },
  {
    fault: 'the limits of multipath are ignored',
    file: 'bgp/rib/table/decision.ts',
    was: 'Math.min(isEbgp ? this.rules.ebgp : this.rules.ibgp, out.length)',
    is: 'out.length',
    test: 'bgp/rib/live-changes.test.ts',
  },
  {
    fault: 'iBGP paths with different AS_PATHs are used together',
    file: 'bgp/rib/table/decision.ts',
    was: 'return this.#reader.samePath(x, y);',
    is: 'return true;',
    test: 'bgp/rib/protocol-rules.test.ts',
  },
  {
    fault: 'update groups are shared whatever removePrivateAS says',
    file: 'bgp/rib/out/export-rules.ts',
    was: 'external ? ofPath : own.clusterId,',
    is: 'external ? false : own.clusterId,',
    test: 'bgp/rib/out/export-rules.test.ts',
  },
  {
    fault: 'update groups are shared whatever the role is',
    file: 'bgp/rib/out/export-rules.ts',
    was: '    blocksOtc,\n    replacesLinkLocal,\n    peer.',
    is: '    replacesLinkLocal,\n    peer.',
    test: 'bgp/rib/out/export-rules.test.ts',
  },
  {
    fault: 'NO_EXPORT_SUBCONFED goes to other ASes',
    file: 'bgp/rib/out/export-rules.ts',
    was: '(external ? HAS_NO_EXPORT | HAS_NO_EXPORT_SUBCONFED : 0)',
    is: '(external ? HAS_NO_EXPORT : 0)',
    test: 'bgp/rib/protocol-rules.test.ts',
  },
  {
    fault: 'large communities are not compared',
    file: 'bgp/message/attributes/kinds/community-list.ts',
    was: 'for (let i = 0; i < words.length; i++) {',
    is: 'for (let i = 0; i < words.length && words.length !== 3; i++) {',
    test: 'bgp/rib/protocol-rules.test.ts',
  },
  {
    fault: 'the MD5 key of a removed neighbour stays on the listener',
    file: 'bgp/session/connection/listener.ts',
    was: 'socket.setMd5Key(prefix, undefined);',
    is: '',
    test: 'bgp/session/connection/listener.test.ts',
  },
  {
    fault: 'the dialler goes on when another connection has won',
    file: 'bgp/session/peer.ts',
    was: 'if (dialler !== undefined && dialler !== session && RANK[dialler.state] < RANK.OpenSent) {',
    is: 'if (dialler !== undefined && dialler === null) {',
    test: 'bgp/session/administration.test.ts',
  },
  {
    fault: 'what lies unread in the kernel gives the hold timer a tenth of a second',
    file: 'bgp/session/connection/wire.ts',
    was: 'const UNREAD_GRACE_MS = 10_000;',
    is: 'const UNREAD_GRACE_MS = 100;',
    test: 'bgp/session/connection/liveness.test.ts',
  },
  {
    fault: 'the journal’s replay keeps a block that was given back',
    file: 'ipam/node/state.ts',
    was: 'blocks.delete(record.cidr);',
    is: '',
    test: 'ipam/node/state.test.ts',
  },
  {
    fault: 'the journal’s replay gives one address to two when a release was lost',
    file: 'ipam/node/state.ts',
    was: 'this.allocations.delete(before);',
    is: '{}',
    test: 'ipam/node/state.test.ts',
  },
  {
    fault: 'an address is given again at once',
    file: 'ipam/node/state.ts',
    was: 'if (freedAtMs + cooldownMs <= nowMs) return block.takeOldest();',
    is: 'return block.takeOldest();',
    test: 'ipam/node/state.test.ts',
  },
  {
    fault: 'giving a block back deletes that of another node',
    file: 'ipam/node/claims.ts',
    was: 'if (block === undefined || block.spec.node !== this.#node) return;',
    is: 'if (block === undefined) return;',
    test: 'ipam/node/claims.test.ts',
  },
  {
    fault: 'routes of an earlier run are deleted before the sessions have converged',
    file: 'agent/fib/kernel/kernel-view.ts',
    was: 'if (!column.isWanted(id) && keepUnwanted) column.setAdopted(id, true);',
    is: 'if (keepUnwanted && column.isSeen(-1)) column.setAdopted(id, true);',
    test: 'agent/fib/kernel/kernel-view.test.ts',
  },
  {
    fault: 'a route of an older metric is never deleted',
    file: 'agent/fib/kernel/flush.ts',
    was: 'if (leftovers.of(id) !== 0) columns.markDirty(id);',
    is: '',
    test: 'agent/fib/kernel/flush.test.ts',
  },
  {
    fault: 'the end of routes of one metric takes the next hops from those of another',
    file: 'agent/fib/targets.ts',
    was: 'if (left > 0) {',
    is: 'if (left > 65_536) {',
    test: 'agent/fib/targets.test.ts',
  },
  {
    fault: 'selectors take `ends with` for `contains`',
    file: 'api/schema/selector.ts',
    was: 'return actual.endsWith(wanted);',
    is: 'return actual.includes(wanted);',
    test: 'api/schema/selector.test.ts',
  },
  {
    fault: 'ADD does not finish a queued DEL first',
    file: 'cni-plugin/server/serve.ts',
    was: 'await queue.finish(call, io);',
    is: '',
    test: 'cni-plugin/server/serve.test.ts',
  },
  {
    fault: 'CHECK does not look at the host’s side',
    file: 'cni-plugin/server/verbs/check.ts',
    was: '...(await hostMissing(io.kernel, hostName, addresses)),',
    is: '',
    test: 'cni-plugin/server/verbs/add-check.test.ts',
  },
  {
    fault: 'the link of an ADD stays when its record cannot be written',
    file: 'cni-plugin/server/verbs/add.ts',
    was: 'await io.wirer.unwire(names.hostName);',
    is: '',
    test: 'cni-plugin/server/verbs/verbs.test.ts',
  },
  {
    fault: 'STATUS asks for addresses only',
    file: 'cni-plugin/server/serve.ts',
    was: 'const why = io.whyUnready() ?? io.ipam.whyUnready();',
    is: 'const why = io.ipam.whyUnready();',
    test: 'cni-plugin/server/serve.test.ts',
  },
  {
    fault: 'the MAC of CNI_ARGS is ignored',
    file: 'cni-plugin/server/attachment.ts',
    was: "return text === undefined || text === '' ? undefined : readMac(text, 'CNI_ARGS MAC');",
    is: 'return undefined;',
    test: 'cni-plugin/server/serve.test.ts',
  },
  {
    fault: 'nothing is advised when the neighbour wants a longer hold time',
    file: 'agent/status/advice.ts',
    was: 'return `the neighbour wants a longer hold time: raise holdTime of ${from}`;',
    is: "return '';",
    test: 'agent/status/advice.test.ts',
  },
  {
    fault: 'nothing is advised when the neighbour takes no more prefixes (6/1)',
    file: 'agent/status/advice.ts',
    was: "return 'this node sends more prefixes than the neighbour takes: raise the limit there, or export less';",
    is: "return '';",
    test: 'agent/status/advice.test.ts',
  },
  {
    fault:
      'a neighbour that is behind is told of new paths before the old ones go, and has more than it takes',
    file: 'bgp/rib/out/sending/catch-up.ts',
    was: 'const isPaced = mostPaths !== Infinity || (intervalMs > 0 && this.bulk === BULK_NONE);',
    is: 'const isPaced = mostPaths > 0 && intervalMs > 0 && this.bulk === BULK_NONE;',
    test: 'bgp/rib/out/path-limit.test.ts',
  },
  {
    fault: 'a round of announcements does not begin the advertisement interval anew',
    file: 'bgp/rib/out/sending/catch-up.ts',
    was: 'if (unit < 0) {\n        this.#waiting.restart(group.timer);',
    is: 'if (unit < 0) {',
    test: 'bgp/rib/out/sending/advertisement-interval.test.ts',
  },
];
