// BFDProfiles, good and bad, and what BGPPeer and BGPConfiguration say of BFD.
import { casesOf, type FieldRow } from './document-case.ts';
import { flags, integers, texts, words } from './values.ts';

const secretKeyRef = { name: 'bgp-passwords', key: 'bfd' };
const authentication = { type: 'KeyedSHA1', keyID: 7, keyFrom: { secretKeyRef } };

/** 10 ms to 60 s. */
const intervals = {
  good: ['10ms', '300ms', '1s', '0.01s', '0.01', '1.5s', 1, 60, '60s', '1m'],
  bad: ['9ms', '0s', 0, '9999us', '60001ms', '61s', 61, 0.3, -1, '-1s', '1 s', 'fast', '', true, [1]],
};

export const bfdProfileDocuments = casesOf('BFDProfile', {}, [
  { field: 'transmitInterval', ...intervals },
  { field: 'receiveInterval', ...intervals },
  { field: 'detectMultiplier', ...integers(1, 255) },
  { field: 'minimumTTL', ...integers(1, 255) },
  { field: 'passive', ...flags },
  {
    field: 'authentication',
    good: [authentication],
    bad: [
      ...['secret', {}, [], { type: 'KeyedSHA1' }, { ...authentication, key: 'geheim' }],
      ...(['type', 'keyID', 'keyFrom'] as const).map((name) => {
        const { [name]: _, ...rest } = authentication;
        return rest;
      }),
    ],
  },
  {
    field: 'authentication.type',
    with: { authentication },
    ...words('SimplePassword', 'KeyedMD5', 'MeticulousKeyedMD5', 'KeyedSHA1', 'MeticulousKeyedSHA1'),
  },
  { field: 'authentication.keyID', with: { authentication }, ...integers(0, 255) },
  {
    field: 'authentication.keyFrom',
    with: { authentication },
    bad: [
      'geheim',
      {},
      { secretKeyRef: { name: 'a' } },
      { secretKeyRef: { ...secretKeyRef, optional: true } },
    ],
  },
  { field: 'authentication.keyFrom.secretKeyRef.name', with: { authentication }, ...texts() },
  { field: 'authentication.keyFrom.secretKeyRef.key', with: { authentication }, ...texts() },
  {
    rule: 'fields are known',
    bad: [{ echoMode: true }, { minimumTtl: 254 }, { transmitInterval: '1s', echo: 1 }],
  },
]);

/** Of the field in which a session says it. */
export const bfdRows = (field: string): readonly FieldRow[] => [
  { field, good: [{}], bad: [true, 'fast', [], { profil: 'fast' }] },
  { field: `${field}.profile`, ...texts() },
  { field: `${field}.required`, ...flags },
  { field: `${field}.multihop`, ...flags },
];
