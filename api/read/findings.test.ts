// The words that an operator reads. A text that changes here changes in front of him.
import assert from 'node:assert/strict';
import { parseText } from './parse-text.ts';
import { formatProblem } from '../schema/problem.ts';

/** One document of a kind in a file whose spec begins on line 4. */
const problemsOf = (kind: string, spec: string, apiVersion = 'podroute.io/v1') =>
  parseText(`apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: x }\nspec:\n${spec}\n`, 'f.yaml')
    .flatMap(({ problems }) => problems)
    .map(formatProblem);

const peer = (...lines: string[]) =>
  problemsOf(
    'BGPPeer',
    ['asNumber: 65000', 'peerIP: 10.0.0.1', ...lines].map((line) => `  ${line}`).join('\n'),
  );
const only = (kind: string, ...lines: string[]) =>
  problemsOf(kind, lines.map((line) => `  ${line}`).join('\n'));

describe('the message for a mistake', () => {
  const table: [string, string[], string[]][] = [
    [
      'an unknown field',
      peer('holdtime: 90s', 'colour: red'),
      [
        'f.yaml:7: BGPPeer x: spec.holdtime: unknown field (did you mean "holdTime"?)',
        peer('colour: red')[0]!.replace(':7:', ':8:'),
      ],
    ],
    [
      'a field with no near relative lists those there are',
      only('IPReservation', 'addresses: []'),
      ['f.yaml:5: IPReservation x: spec.addresses: unknown field (known: reservedCIDRs)'],
    ],
    [
      'an unknown field deep inside',
      peer('maxPrefixes:', '  limits: 5'),
      ['f.yaml:8: BGPPeer x: spec.maxPrefixes.limits: unknown field (did you mean "limit"?)'],
    ],
    [
      'host bits in a CIDR',
      only('IPPool', 'cidr: 10.1.2.3/16'),
      [
        'f.yaml:5: IPPool x: spec.cidr: "10.1.2.3/16" has bits set behind the prefix length (expected 10.1.0.0/16)',
      ],
    ],
    [
      'a CIDR too long',
      only('IPPool', 'cidr: 10.1.0.0/33'),
      [
        'f.yaml:5: IPPool x: spec.cidr: "10.1.0.0/33" has the prefix length "33", not 0 to 32 (IPv4) (expected a CIDR such as 10.0.0.0/16)',
      ],
    ],
    [
      'a CIDR of the wrong family',
      only('BGPFilter', 'importV4: [{ cidr: "fd00::/48", matchOperator: In, action: Accept }]'),
      [
        'f.yaml:5: BGPFilter x: spec.importV4[0].cidr: "fd00::/48" is an IPv6 CIDR (expected an IPv4 CIDR such as 10.0.0.0/16)',
      ],
    ],
    ['no CIDR at all', only('IPPool', 'disabled: true'), ['f.yaml:4: IPPool x: spec.cidr: is missing']],
    [
      'a link-local pool',
      only('IPPool', 'cidr: fe80::/64'),
      ['f.yaml:5: IPPool x: spec.cidr: "fe80::/64" overlaps fe80::/10 (link-local), which cannot be routed'],
    ],
    [
      'a block size of the other family',
      only('IPPool', 'cidr: fd00::/48', 'blockSize: 26'),
      [
        'f.yaml:6: IPPool x: spec.blockSize: 26 is not allowed here (expected 20 to 32 in an IPv4 pool, 116 to 128 in an IPv6 pool)',
      ],
    ],
    [
      'a block larger than its pool',
      only('IPPool', 'cidr: 10.0.0.0/26', 'blockSize: 24'),
      ['f.yaml:6: IPPool x: spec.blockSize: 24 makes a block larger than the pool'],
    ],
    [
      'a pool with a tunnel of a kind that there is not',
      problemsOf('IPPool', '  cidr: 10.0.0.0/16\n  vxlanMode: crossSubnet', 'projectcalico.org/v3'),
      [
        'f.yaml:6: IPPool x: spec.vxlanMode: "crossSubnet" is not one of Never, CrossSubnet, Always (did you mean "CrossSubnet"?)',
      ],
    ],
    [
      'a peer without AS',
      only('BGPPeer', 'peerIP: 10.0.0.1'),
      [
        "f.yaml:4: BGPPeer x: spec.asNumber: is missing (expected the neighbour's AS number, 'internal' or 'external')",
      ],
    ],
    [
      'an AS beside a peerSelector',
      only('BGPPeer', 'peerSelector: all()', 'asNumber: 65000'),
      [
        "f.yaml:6: BGPPeer x: spec.asNumber: 65000 cannot be combined with peerSelector: the AS comes from the neighbour's Node",
      ],
    ],
    [
      'a peer without neighbour',
      only('BGPPeer', 'asNumber: 65000'),
      [
        'f.yaml:4: BGPPeer x: spec.peerIP: is missing, and nothing else names the neighbour (expected one of peerIP, peerSelector, peerRange, peerInterface, peerFrom, localWorkloadSelector)',
      ],
    ],
    [
      'two neighbours in one',
      peer('peerRange: 10.0.0.0/24'),
      ['f.yaml:7: BGPPeer x: spec.peerRange: "10.0.0.0/24" cannot be combined with peerIP'],
    ],
    [
      'two ways to name the nodes',
      peer('node: n1', "nodeSelector: rack == 'a'"),
      ['f.yaml:7: BGPPeer x: spec.node: "n1" cannot be combined with nodeSelector'],
    ],
    [
      'an AS number out of range',
      only('BGPPeer', 'peerIP: 10.0.0.1', 'asNumber: 4294967296'),
      [
        "f.yaml:6: BGPPeer x: spec.asNumber: 4294967296 is not an AS number (expected 1 to 4294967295, or dotted as '1.10', 'internal' or 'external')",
      ],
    ],
    [
      'a dotted AS number that YAML took for a number',
      only('BGPPeer', 'peerIP: 10.0.0.1', 'asNumber: 1.10'),
      [
        "f.yaml:6: BGPPeer x: spec.asNumber: 1.1 is not an AS number (expected 1 to 4294967295, or dotted as '1.10'; a dotted one in quotes, 'internal' or 'external')",
      ],
    ],
    [
      'an address that is none',
      only('BGPPeer', 'asNumber: external', 'peerIP: 10.0.0.300'),
      [
        'f.yaml:6: BGPPeer x: spec.peerIP: "10.0.0.300" is not an IP address (expected an IPv4 or IPv6 address, optionally with :port)',
      ],
    ],
    [
      'a link-local address without interface',
      only('BGPPeer', 'asNumber: external', 'peerIP: fe80::1'),
      [
        'f.yaml:6: BGPPeer x: spec.peerIP: "fe80::1" is a link-local address without its interface (expected fe80::1%eth0, with the name of the interface)',
      ],
    ],
    [
      'an address of many hosts',
      [
        ...only('BGPPeer', 'asNumber: external', 'peerIP: 224.0.0.5'),
        ...only('BGPPeer', 'asNumber: external', 'peerIP: "[ff02::1]:179"'),
      ],
      ['"224.0.0.5"', '"[ff02::1]:179"'].map(
        (value) =>
          `f.yaml:6: BGPPeer x: spec.peerIP: ${value} is a multicast or broadcast address (expected the address of one neighbour)`,
      ),
    ],
    [
      'a port that is none',
      only('BGPPeer', 'asNumber: external', 'peerIP: "[fd00::1]:70000"'),
      [
        'f.yaml:6: BGPPeer x: spec.peerIP: "[fd00::1]:70000" has no valid port: "70000" (expected 1 to 65535)',
      ],
    ],
    [
      'a word that is not allowed',
      peer('nextHopMode: self'),
      ['f.yaml:7: BGPPeer x: spec.nextHopMode: "self" is not one of Auto, Self, Keep (did you mean "Self"?)'],
    ],
    [
      'a selector',
      peer("nodeSelector: rack = 'a'"),
      [
        "f.yaml:7: BGPPeer x: spec.nodeSelector: \"rack = 'a'\" is not a selector: expected '==', '!=', 'in', 'not in', 'contains', 'starts with' or 'ends with' after label 'rack' ('=' is written '=='), at character 6",
      ],
    ],
    [
      'a duration',
      peer('holdTime: 90 seconds', 'connectRetryTime: -5'),
      [
        "f.yaml:7: BGPPeer x: spec.holdTime: \"90 seconds\" is not a duration (expected a text such as '90s' or '1m30s', or a whole number of seconds)",
        "f.yaml:8: BGPPeer x: spec.connectRetryTime: -5 is not a duration (expected a text such as '90s' or '1m30s', or a whole number of seconds)",
      ],
    ],
    [
      'a hold time that the protocol forbids',
      peer('holdTime: 2s'),
      ['f.yaml:7: BGPPeer x: spec.holdTime: "2s" is out of range (expected 0, or 3 to 65535 seconds)'],
    ],
    [
      'a number out of range',
      only('BGPConfiguration', 'listenPort: 0'),
      [
        'f.yaml:5: BGPConfiguration x: spec.listenPort: 0 is not allowed (expected a whole number from 1 to 65535)',
      ],
    ],
    [
      'a boolean in quotes',
      peer('passive: "yes"'),
      ['f.yaml:7: BGPPeer x: spec.passive: "yes" is not a boolean (expected true or false)'],
    ],
    [
      'a text where a list belongs',
      peer('filters: a'),
      ['f.yaml:7: BGPPeer x: spec.filters: "a" is not a list'],
    ],
    [
      'an item of a list, on its own line',
      peer('filters:', '  - a', '  - 5'),
      ['f.yaml:9: BGPPeer x: spec.filters[1]: 5 is not a text'],
    ],
    [
      'the name of a named community where a route is given communities',
      only(
        'BGPFilter',
        'exportV4: [{ action: Accept, operations: [{ setCommunities: { values: [edge, "set:edge"] } }] }]',
      ),
      ['values[0]: "edge"', 'values[1]: "set:edge"'].map(
        (which) =>
          `f.yaml:5: BGPFilter x: spec.exportV4[0].operations[0].setCommunities.${which} is not the name of a well-known community; names that a BGPConfiguration or BGPFilter gives to communities cannot be used here (expected a value such as 65000:1, or one of graceful-shutdown, accept-own, llgr-stale, no-llgr, blackhole, no-export, no-advertise, no-export-subconfed, no-peer)`,
      ),
    ],
    [
      'a community that nobody defined',
      only('BGPConfiguration', 'prefixAdvertisements: [{ cidr: 10.0.0.0/8, communities: [edge] }]'),
      [
        'f.yaml:5: BGPConfiguration x: spec.prefixAdvertisements[0].communities[0]: "edge" is neither a community nor a name from spec.communities',
      ],
    ],
    [
      'a filter rule without matchOperator',
      only('BGPFilter', 'exportV4: [{ cidr: 10.0.0.0/8, action: Accept }]'),
      [
        'f.yaml:5: BGPFilter x: spec.exportV4[0].matchOperator: is missing: cidr needs it (expected Equal, NotEqual, In or NotIn)',
      ],
    ],
    [
      'a field that this version does not honour',
      only('BGPConfiguration', 'ignoredInterfaces: [eth9]'),
      [
        'f.yaml:5: warning: BGPConfiguration x: spec.ignoredInterfaces: ["eth9"] is not supported yet by this version: the field has no effect',
      ],
    ],
    [
      'a way of add-path that is none',
      peer('addPaths: "Yes"'),
      ['f.yaml:7: BGPPeer x: spec.addPaths: "Yes" is not one of Send, Receive, Both, None'],
    ],
    [
      'a role inside one AS',
      only('BGPPeer', 'peerIP: 10.0.0.1', 'asNumber: internal', 'role: Provider'),
      [
        `f.yaml:7: BGPPeer x: spec.role: "Provider" cannot be combined with 'asNumber: internal': roles are between ASes`,
      ],
    ],
    [
      'a kind that we do not have',
      problemsOf('BGPPeeer', ''),
      [
        'f.yaml:2: BGPPeeer x: kind: "BGPPeeer" is not a kind of podroute.io/v1 (expected BGPConfiguration, BGPPeer, BGPFilter, BFDProfile, IPPool, IPReservation, IPAMBlock, IPClaim, BGPNodeStatus)',
      ],
    ],
    [
      'a version that we do not have',
      problemsOf('BGPPeer', '', 'podroute.io/v2'),
      [
        'f.yaml:1: BGPPeer x: apiVersion: "podroute.io/v2" is not a version of podroute.io (expected podroute.io/v1)',
      ],
    ],
  ];
  for (const [mistake, actual, expected] of table) {
    it(mistake, () => assert.deepEqual(actual, expected));
  }

  it('tells of every mistake of an object at once', () => {
    assert.deepEqual(
      peer('peerRange: x', 'ttlSecurity: 999', 'node: n', 'nodeSelector: all()').map(
        (text) => text.split(': ')[2],
      ),
      ['spec.peerRange', 'spec.ttlSecurity', 'spec.node'],
    );
  });

  // 'password' is also a field where a reference belongs, and here the name of a value like any other.
  for (const key of ['key', 'password', 'nodeMeshPassword']) {
    it(`never shows a value of a Secret, and says what is wrong with it: ${key}`, () => {
      const secret = (values: string) =>
        parseText(`apiVersion: v1\nkind: Secret\nmetadata: { name: s }\n${values}\n`, 's.yaml').flatMap(
          ({ problems }) => problems.map(formatProblem),
        );
      assert.deepEqual(secret(`data: { ${key}: "geheim!" }`), [
        `s.yaml:4: Secret s: data.${key}: is not base64 (expected base64 text; plain text belongs into stringData)`,
      ]);
      assert.deepEqual(secret(`stringData: { ${key}: 4711 }`), [
        `s.yaml:4: Secret s: stringData.${key}: is not a text (expected a text, in quotes when it looks like a number)`,
      ]);
      for (const field of ['data', 'stringData'])
        assert.doesNotMatch(secret(`${field}: { ${key}: { geheim: geheim } }`).join(), /geheim/);
    });
  }
});

describe('a password where a reference belongs', () => {
  it('is never shown, and the message shows the right form', () => {
    const texts = [
      ...peer('password: hunter2'),
      ...peer('password:', '  - hunter2'),
      ...peer('password: { secretKeyRef: hunter2 }'),
      ...peer('password: { value: hunter2 }'),
      ...peer('password: { hunter2 }'),
      ...peer('password: { secretKeyRef: { name: a, key: b }, hunter2: x }'),
      ...peer('password: { secretKeyRef: { name: [hunter2], key: x } }'),
      ...only('BGPConfiguration', 'nodeMeshPassword: hunter2'),
      ...only('BGPConfiguration', 'nodeMeshPassword: 12345'),
      ...only('BFDProfile', 'authentication: { type: KeyedMD5, keyID: 1, keyFrom: hunter2 }'),
      ...only('BFDProfile', 'authentication: { type: KeyedMD5, keyID: 1, keyFrom: { hunter2: x } }'),
      ...only('BFDProfile', 'authentication: [{ keyFrom: hunter2 }]'),
      ...problemsOf('BGPPeer', '- { password: hunter2 }'),
    ];
    assert.ok(texts.length >= 8);
    assert.doesNotMatch(texts.join('\n'), /hunter2|12345/);
    assert.match(
      texts[0]!,
      /^f\.yaml:7: BGPPeer x: spec\.password: is not a reference to a Secret \(expected \{ secretKeyRef: \{ name/,
    );
  });

  it('that YAML does not take for a text is not shown either', () => {
    const secret = (line: string) =>
      parseText(`apiVersion: v1\nkind: Secret\nmetadata: { name: x }\nstringData:\n  ${line}\n`, 'f.yaml')
        .flatMap(({ problems }) => problems)
        .map(formatProblem);
    for (const [texts, words] of [
      [peer('password: *hunter2'), /begins with "\*" is an alias.*quote it/],
      [peer('password: !hunter2 x'), /takes for a tag; quote it/],
      [peer('password: { hunter2'), /not readable as YAML/],
      [secret('a: !hunter2 x'), /stringData.a.*takes for a tag; quote it/],
      [secret('a: 012345'), /stringData.a.*octal way to write a number; quote it/],
      [secret('a: *hunter2'), /is an alias/],
    ] as const) {
      assert.match(texts.join('\n'), words);
      assert.doesNotMatch(texts.join('\n'), /hunter2|12345|5349/);
    }
  });
});
